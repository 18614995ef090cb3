"""The error that lists everything wrong with a configuration file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from coolify.errors import OperatorError

__all__ = ["ConfigError", "Problem"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in the file.

    Attributes:
        line: Line in the file, counted from 1; 0 when the problem belongs to no line.
        path: Where in the document, as in `domains[0].primary`; empty for the document itself.
        message: One sentence that says what to do; never holds a secret.
    """

    line: int
    path: str
    message: str


class ConfigError(OperatorError):
    """The configuration cannot be used. Lists all problems at once, so that one edit mends them.

    `str()` gives one line a problem: `.coolify/config.yml:12: domains[0].primary: ...`.
    """

    is_usage: ClassVar[bool] = True

    def __init__(self, file: Path, problems: tuple[Problem, ...]) -> None:
        self.file = file
        self.problems = problems
        super().__init__(file, problems)

    def __str__(self) -> str:
        return "\n".join(self._render(problem) for problem in self.problems)

    def _render(self, problem: Problem) -> str:
        place = f"{self.file}:{problem.line}" if problem.line else str(self.file)
        subject = f"{problem.path}: " if problem.path else ""
        return _printable(f"{place}: {subject}{problem.message}")


def _printable(text: str) -> str:
    """Escape what would break the line or steer a terminal: keys are repeated as they were written."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)
