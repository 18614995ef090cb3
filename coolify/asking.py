"""Ask an operator to decide, wherever that operator is.

Whoever runs a flow for somebody who can answer (a terminal, a form) installs an asker; without one nobody is asked.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from coolify.decisions import Decision

__all__ = ["Answer", "Asker", "Question", "answers", "ask", "somebody_can_answer"]


@dataclass(frozen=True, slots=True)
class Question:
    """A decision that is to be taken now."""

    decision: Decision
    evidence: str
    """What happened, in one sentence."""
    unavailable: Mapping[str, str] = field(default_factory=dict)
    """Options that cannot be taken, with the reason."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of asking."""

    option: str | None = None
    """Id of the chosen option, None when there is no answer."""
    timed_out: bool = False
    """Whether somebody was asked and did not answer in time."""
    who: str = ""
    """Who answered, as far as that is known."""


Asker = Callable[[Question], Awaitable[Answer]]

_asker: ContextVar[Asker | None] = ContextVar("coolify_asker", default=None)


@contextmanager
def answers(asker: Asker) -> Iterator[None]:
    """Let questions of this context be answered by `asker`."""
    mark = _asker.set(asker)
    try:
        yield
    finally:
        _asker.reset(mark)


def somebody_can_answer() -> bool:
    """Return whether an asker is there."""
    return _asker.get() is not None


async def ask(question: Question) -> Answer:
    """Return the operator's answer; an empty one where nobody can be asked."""
    asker = _asker.get()
    return Answer() if asker is None else await asker(question)
