"""What is remembered from one look to the next."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from coolify.config.monitoring import Aspect
from coolify.finding import Finding, Severity
from coolify.monitor.message import Message
from coolify.monitor.model import Subject

__all__ = ["Acknowledgement", "Memory", "Notes", "Problem", "Silence", "WatchState", "problem_id"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Memory(_Frozen):
    """What is known of one subject from earlier looks."""

    uuid: str | None = None
    """Coolify's identifier of the application."""
    looked: Mapping[Aspect, datetime] = Field(default={})
    """When each aspect was looked at last."""
    restarts: tuple[tuple[datetime, int], ...] = ()
    """Coolify's count of restarts within the last hour."""


class Problem(_Frozen):
    """Something that is wrong, or was a moment ago."""

    subject: Subject
    aspect: Aspect
    finding: Finding
    """As it was seen last."""
    since: datetime
    """First bad look."""
    bad: int = 0
    """Bad looks in a row."""
    good: int = 0
    """Good looks in a row."""
    last_bad: datetime
    began: tuple[datetime, ...] = ()
    """When it was called a problem within the last hour."""
    raised: datetime | None = None
    """Since when it is called a problem, None while it may be nothing, or is over."""
    told: datetime | None = None
    """When somebody was told last."""
    told_severity: Severity | None = None
    flapping: bool = False
    """Whether it comes and goes: it is over only when it has been good for an hour."""

    @property
    def id(self) -> str:
        """Short name for commands."""
        return problem_id(self.subject.key, self.aspect, self.finding)


def problem_id(key: str, aspect: Aspect, finding: Finding) -> str:
    """Return what names the same problem in every look."""
    identity = repr((key, aspect.value, finding.name, finding.subject))
    return hashlib.sha256(identity.encode()).hexdigest()[:8]


class WatchState(_Frozen):
    """Everything that the watch remembers; written by it alone."""

    memories: Mapping[str, Memory] = Field(default={})
    """Subject's key -> what is known of it."""
    problems: tuple[Problem, ...] = ()
    undelivered: tuple[Message, ...] = ()
    """What could not be sent; it is tried again with the next run."""
    ended: datetime | None = None
    """When the last run ended."""

    @property
    def active(self) -> tuple[Problem, ...]:
        """What is called a problem now, errors first, the oldest first."""
        raised = [one for one in self.problems if one.raised]
        return tuple(sorted(raised, key=lambda one: (-one.finding.severity.rank, one.since)))


class Silence(_Frozen):
    """Nothing is told about what contains a text, for a time."""

    text: str
    """Part of the application's name, of the finding's name or of its subject; `*` for everything."""
    until: datetime
    by: str
    reason: str = ""

    def covers(self, problem: Problem, now: datetime) -> bool:
        """Return whether nothing is told about a problem."""
        names = (problem.subject.title, problem.finding.name, problem.finding.subject, problem.id)
        return now < self.until and (self.text == "*" or any(self.text in name for name in names))


class Acknowledgement(_Frozen):
    """Somebody knows of a problem: it is told no more until it is over."""

    problem: str
    raised: datetime
    """Of the problem: when it comes again, it is another one."""
    by: str
    at: datetime


class Notes(_Frozen):
    """What people have said; written by commands alone, and only read by the watch."""

    silences: tuple[Silence, ...] = ()
    acknowledged: tuple[Acknowledgement, ...] = ()

    def mutes(self, problem: Problem, now: datetime) -> str:
        """Return in a word why nothing is told about a problem, empty when it is."""
        if any(one.covers(problem, now) for one in self.silences):
            return "silenced"
        if any(one.problem == problem.id and one.raised == problem.raised for one in self.acknowledged):
            return "acknowledged"
        return ""

    def current(self, now: datetime, problems: tuple[Problem, ...]) -> Notes:
        """Return the notes without those that have no meaning any more."""
        raised = {(one.id, one.raised) for one in problems}
        return Notes(
            silences=tuple(one for one in self.silences if now < one.until),
            acknowledged=tuple(one for one in self.acknowledged if (one.problem, one.raised) in raised),
        )
