"""What has changed since the last look, and what of it is told; pure.

A problem is one after some bad looks in a row and over after some good ones. One that begins again and again is told
once, and is over when it has been good for an hour. Nothing new is told in maintenance; what is still wrong afterwards
is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from pydantic import BaseModel, ConfigDict

from coolify.config.freeze import active_freeze
from coolify.config.monitoring import Aspect, Monitoring
from coolify.finding import Finding, Severity
from coolify.monitor.memory import Memory, Notes, Problem, WatchState, problem_id
from coolify.monitor.model import Look, Observation, is_wrong

__all__ = ["Change", "ChangeKind", "compare"]

_HOUR: Final = timedelta(hours=1)
_UNSETTLED: Final = frozenset({Aspect.HEALTH, Aspect.CONTAINER})
"""What a deployment that is under way may disturb."""


class ChangeKind(StrEnum):
    """What has become of a problem."""

    RAISED = "raised"
    WORSENED = "worsened"
    FLAPPING = "flapping"
    REMINDED = "reminded"
    RESOLVED = "resolved"


class Change(BaseModel):
    """Something to tell."""

    model_config = ConfigDict(frozen=True)

    kind: ChangeKind
    problem: Problem

    @property
    def severity(self) -> Severity:
        """How much it matters; what is over matters as much as it did."""
        return self.problem.finding.severity

    @property
    def title(self) -> str:
        """One line."""
        words = {
            ChangeKind.RAISED: self.severity.value,
            ChangeKind.WORSENED: f"worse, {self.severity.value}",
            ChangeKind.FLAPPING: "comes and goes",
            ChangeKind.REMINDED: f"still {self.severity.value}",
            ChangeKind.RESOLVED: "over",
        }
        return f"[{words[self.kind]}] {self.problem.subject.title}: {self.problem.finding.name}"


def compare(
    state: WatchState, looks: Iterable[Look], policies: Mapping[str, Monitoring], notes: Notes, now: datetime
) -> tuple[WatchState, tuple[Change, ...]]:
    """Return what is to be remembered and what is to be told.

    Problems of subjects that are not among the looks are forgotten: nobody watches them any more.

    Args:
        state: What was remembered.
        looks: What was seen in this run.
        policies: Subject's key -> its section `monitoring`; the defaults where there is none.
        notes: What people have said.
        now: The time here.
    """
    problems: list[Problem] = []
    changes: list[Change] = []
    memories: dict[str, Memory] = {}
    for look in looks:
        key = look.subject.key
        policy = policies.get(key, Monitoring())
        memories[key] = _remember(state.memories.get(key, Memory()), look, now)
        before = [one for one in state.problems if one.subject.key == key]
        is_maintained = active_freeze(policy.maintenance, now) is not None
        for problem, is_over in _judged(before, look, policy, now):
            muted = is_maintained or bool(notes.mutes(problem, now))
            told, change = _tell(problem, policy, now, is_over=is_over, muted=muted)
            if told is not None:
                problems.append(told)
            if change is not None:
                changes.append(change)
    changes.sort(key=lambda one: (one.kind is ChangeKind.RESOLVED, -one.severity.rank))
    after = state.model_copy(update={"memories": memories, "problems": tuple(problems), "ended": now})
    return after, tuple(changes)


def _remember(memory: Memory, look: Look, now: datetime) -> Memory:
    restarts = memory.restarts
    # Only what differs: a count a minute for hundreds of applications would be most of what is kept.
    if look.restarts is not None and (not restarts or restarts[-1][1] != look.restarts):
        restarts = (*restarts, (now, look.restarts))
    while len(restarts) > 1 and now - restarts[1][0] > _HOUR:
        restarts = restarts[1:]
    looked = {**memory.looked, **{one.aspect: one.at for one in look.observations}}
    return Memory(uuid=look.uuid or memory.uuid, looked=looked, restarts=restarts)


def _judged(before: list[Problem], look: Look, policy: Monitoring, now: datetime) -> Iterable[tuple[Problem, bool]]:
    """Yield every problem of a subject as it is after this look, and whether it is over."""
    settled = {one.aspect: one for one in look.observations if not (look.deploying and one.aspect in _UNSETTLED)}
    known = {one.id: one for one in before}
    for problem in before:
        # What was not looked at is as it was.
        if problem.aspect not in settled and problem.aspect not in policy.ignore:
            yield problem, False
    for observation in settled.values():
        wrong = _wrong(look, observation)
        for identity, finding in wrong.items():
            yield _bad(known.get(identity), look, observation.aspect, finding, policy, now), False
        for identity, problem in known.items():
            if problem.aspect is observation.aspect and identity not in wrong:
                yield _good(problem, policy, now)


def _wrong(look: Look, observation: Observation) -> dict[str, Finding]:
    return {problem_id(look.subject.key, observation.aspect, one): one for one in observation.findings if is_wrong(one)}


def _bad(
    known: Problem | None, look: Look, aspect: Aspect, finding: Finding, policy: Monitoring, now: datetime
) -> Problem:
    problem = known or Problem(subject=look.subject, aspect=aspect, finding=finding, since=now, last_bad=now)
    if problem.raised is None and problem.bad == 0:
        problem = problem.model_copy(update={"since": now})
    problem = problem.model_copy(
        update={"finding": finding, "subject": look.subject, "bad": problem.bad + 1, "good": 0, "last_bad": now}
    )
    if problem.raised is None and problem.bad >= policy.failures:
        began = (*(one for one in problem.began if now - one <= _HOUR), now)
        flapping = len(began) >= policy.flapping
        problem = problem.model_copy(update={"raised": now, "began": began, "flapping": flapping})
    return problem


def _good(problem: Problem, policy: Monitoring, now: datetime) -> tuple[Problem, bool]:
    problem = problem.model_copy(update={"good": problem.good + 1, "bad": 0})
    if problem.raised is None:
        return problem, False
    is_quiet = not problem.flapping or now - problem.last_bad >= _HOUR
    return problem, problem.good >= policy.recoveries and is_quiet


def _tell(
    problem: Problem, policy: Monitoring, now: datetime, *, is_over: bool, muted: bool
) -> tuple[Problem | None, Change | None]:
    """Return the problem as it is remembered, None when it is forgotten, and what is told of it."""
    if is_over:
        # Whoever was told that it is wrong learns that it is over, whatever is silenced now.
        change = Change(kind=ChangeKind.RESOLVED, problem=problem) if problem.told else None
        over = {"raised": None, "told": None, "told_severity": None, "flapping": False}
        return problem.model_copy(update=over), change
    if problem.raised is None:
        is_forgotten = problem.bad == 0 and all(now - one > _HOUR for one in problem.began)
        return (None if is_forgotten else problem), None
    kind = None if muted else _due(problem, policy, now)
    if kind is None:
        return problem, None
    told = problem.model_copy(update={"told": now, "told_severity": problem.finding.severity})
    return told, Change(kind=kind, problem=told)


def _due(problem: Problem, policy: Monitoring, now: datetime) -> ChangeKind | None:
    # What is good just now is not told of, though it may not be over yet.
    if problem.bad == 0:
        return None
    if problem.told is None:
        return ChangeKind.FLAPPING if problem.flapping else ChangeKind.RAISED
    if problem.told_severity is not None and problem.finding.severity.rank > problem.told_severity.rank:
        return ChangeKind.WORSENED
    if now - problem.told >= timedelta(hours=policy.reminder):
        return ChangeKind.REMINDED
    return None
