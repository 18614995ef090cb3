"""How releases and rollbacks ended, and what waits for an operator, as numbers; pure.

Numbers of releases come from their records, which outlive every process: they never go down.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from coolify.decisions import DECISIONS
from coolify.monitor.model import Measure, Metric
from coolify.monitor.outcomes import Waiting
from coolify.release.record import History, Outcome, ending_of
from coolify.release_set import SET_MEMBER_FAILED

__all__ = ["measure_releases", "measure_waiting"]

_DECISIONS: Final = tuple(one.id for one in (*DECISIONS, SET_MEMBER_FAILED))


def measure_releases(history: History, now: datetime) -> tuple[Measure, ...]:
    """Return how many releases and rollbacks ended how, and how the latest did.

    A rollback is one by hand, or the way back of a release that failed. Endings that never happened are told as 0, so
    that the first one is seen to happen.
    """
    endings = history.endings

    def number(ending: str) -> float:
        return float(endings.get(ending, 0))

    measures = [
        Measure(metric=Metric.RELEASES, value=number(ending_of("release", one)), detail=one.value) for one in Outcome
    ]
    back = {
        "completed": number(ending_of("rollback", Outcome.COMPLETED))
        + number(ending_of("release", Outcome.ROLLED_BACK)),
        "failed": number(ending_of("rollback", Outcome.ROLLBACK_FAILED))
        + number(ending_of("release", Outcome.ROLLBACK_FAILED)),
        "aborted": number(ending_of("rollback", Outcome.ABORTED)),
    }
    measures += [Measure(metric=Metric.ROLLBACKS, value=value, detail=result) for result, value in back.items()]
    opened = [one.started_at for one in history.records if one.is_open]
    age = max(((now - one).total_seconds() for one in opened), default=0.0)
    measures.append(Measure(metric=Metric.RELEASE_OPEN, value=max(0.0, age)))
    return (*measures, *_latest(history))


def _latest(history: History) -> Iterable[Measure]:
    ended = [one for one in history.records if one.outcome is not None]
    if not ended:
        return
    latest = max(ended, key=lambda one: one.number)
    for outcome in Outcome:
        yield Measure(metric=Metric.RELEASE_OUTCOME, value=float(latest.outcome is outcome), detail=outcome.value)
    if latest.finished_at is not None:
        seconds = (latest.finished_at - latest.started_at).total_seconds()
        yield Measure(metric=Metric.RELEASE_SECONDS, value=max(0.0, seconds))
        yield Measure(metric=Metric.RELEASE_TIME, value=latest.finished_at.timestamp())


def measure_waiting(waiting: Waiting, now: datetime) -> tuple[Measure, ...]:
    """Return how many questions of each decision wait for an answer, and for how long the oldest does."""
    measures: list[Measure] = []
    for decision in _DECISIONS:
        since = waiting.get(decision, ())
        longest = max(((now - one).total_seconds() for one in since), default=0.0)
        measures += [
            Measure(metric=Metric.DECISIONS_WAITING, value=float(len(since)), detail=decision),
            Measure(metric=Metric.DECISIONS_SECONDS, value=max(0.0, longest), detail=decision),
        ]
    return tuple(measures)
