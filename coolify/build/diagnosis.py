"""Compare the lines of a build log with the rules."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from coolify.build.rules import RULES, Again, Rule
from coolify.deployment.stages import starts_container
from coolify.finding import Finding, Severity

__all__ = ["Diagnosis", "diagnose"]

_EVIDENCE_LINES: Final = 3
_LINE_LENGTH: Final = 300


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """A cause that fits the log."""

    rule: Rule
    lines: tuple[str, ...]
    """The lines that it rests on, as they stand in the log, cut to 300 characters."""

    @property
    def again(self) -> Again:
        """How a second attempt differs from the first."""
        return self.rule.again

    def finding(self, subject: str) -> Finding:
        """Return what is told to people.

        Args:
            subject: Whose build it was.
        """
        return Finding(
            name=self.rule.name,
            severity=Severity.ERROR,
            subject=subject,
            summary=self.rule.summary,
            evidence=self.lines,
            remedy=self.rule.remedy,
        )


def diagnose(lines: Iterable[str], *, started: bool = False) -> tuple[Diagnosis, ...]:
    """Return the causes that fit the log of a failed deployment, the most specific one first; none fits a green log.

    Args:
        lines: Visible output, an entry may hold several lines.
        started: Whether it is the output of the started container from the first line on.
    """
    single = _with_stage((line.strip() for entry in lines for line in entry.splitlines()), started=started)
    found = ((rule, [line for line, begun in single if rule.fits(line, started=begun)]) for rule in RULES)
    return tuple(
        Diagnosis(rule, tuple(line[:_LINE_LENGTH] for line in matching[:_EVIDENCE_LINES]))
        for rule, matching in found
        if matching
    )


def _with_stage(lines: Iterable[str], *, started: bool) -> list[tuple[str, bool]]:
    """Pair each line with whether the container is started by then."""
    paired = []
    for line in lines:
        started = started or starts_container(line)
        paired.append((line, started))
    return paired
