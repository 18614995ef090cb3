"""What happens during long work, told to whoever watches: terminal, demo, tests.

Work reports events; without an observer they go nowhere. Observers are found through a context variable, so that
flows need no parameter for them (Prefect would store it with the run).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from enum import StrEnum

from coolify.finding import Finding

__all__ = [
    "DecisionTaken",
    "FindingsReported",
    "LogLineRead",
    "Observer",
    "PhaseEnded",
    "PhaseStarted",
    "PhaseStatus",
    "ProgressEvent",
    "StepDone",
    "chained",
    "labelled",
    "observe",
    "report",
]


class PhaseStatus(StrEnum):
    """How a phase ended."""

    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class PhaseStarted:
    """A phase of a flow begins."""

    phase: str


@dataclass(frozen=True, slots=True)
class PhaseEnded:
    """A phase of a flow is over."""

    phase: str
    status: PhaseStatus
    summary: str
    seconds: float


@dataclass(frozen=True, slots=True)
class StepDone:
    """One step within a phase: what is so now, and whether this run changed it."""

    text: str
    changed: bool = False


@dataclass(frozen=True, slots=True)
class LogLineRead:
    """One line that a build or a hook has printed."""

    text: str
    hidden: bool = False
    """Whether Coolify shows it with debug logs only: real commands and their output."""


@dataclass(frozen=True, slots=True)
class FindingsReported:
    """What a check saw."""

    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class DecisionTaken:
    """A declared decision was taken."""

    question: str
    choice: str
    by: str
    reason: str
    decision: str = ""
    """Id of the decision."""
    evidence: str = ""
    """What happened, in a sentence or two."""


ProgressEvent = PhaseStarted | PhaseEnded | StepDone | LogLineRead | FindingsReported | DecisionTaken
Observer = Callable[[ProgressEvent], None]

_observer: ContextVar[Observer | None] = ContextVar("coolify_progress_observer", default=None)


@contextmanager
def observe(observer: Observer) -> Iterator[None]:
    """Send the events of everything called within to `observer`."""
    token = _observer.set(observer)
    try:
        yield
    finally:
        _observer.reset(token)


def chained(observer: Observer) -> Observer:
    """Return an observer that passes every event on to the present one as well."""
    outer = _observer.get()

    def both(event: ProgressEvent) -> None:
        observer(event)
        if outer is not None:
            outer(event)

    return both


def labelled(label: str) -> Observer:
    """Return an observer that passes every event on to the present one, and says what it is about: many run at once."""
    outer = _observer.get()

    def tell(event: ProgressEvent) -> None:
        if outer is not None:
            outer(_labelled(event, label))

    return tell


def _labelled(event: ProgressEvent, label: str) -> ProgressEvent:
    match event:
        case PhaseStarted(phase) | PhaseEnded(phase):
            return replace(event, phase=f"{label}: {phase}")
        case StepDone(text) | LogLineRead(text):
            return replace(event, text=f"{label}: {text}")
        case DecisionTaken(question):
            return replace(event, question=f"{label}: {question}")
        case FindingsReported(findings):
            return FindingsReported(tuple(_about(one, label) for one in findings))


def _about(finding: Finding, label: str) -> Finding:
    return finding.model_copy(update={"summary": f"{label}: {finding.summary}"})


def report(event: ProgressEvent) -> None:
    """Tell the observer, if there is one."""
    observer = _observer.get()
    if observer is not None:
        observer(event)
