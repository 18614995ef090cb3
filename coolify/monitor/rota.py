"""What costs requests is looked at in turn: whatever was not looked at for the longest time comes first; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from coolify.config.monitoring import Aspect
from coolify.monitor.inside import cost_of_backups, cost_of_drift
from coolify.monitor.instance import Allowance
from coolify.monitor.memory import Memory
from coolify.monitor.watched import Watched

__all__ = ["EVERY", "choose"]

EVERY: Final[Mapping[Aspect, timedelta]] = {
    Aspect.DEPLOYMENT: timedelta(minutes=5),
    Aspect.BACKUP: timedelta(minutes=30),
    Aspect.DRIFT: timedelta(hours=6),
}
"""How often each aspect is looked at that costs requests for every application; all others with every run."""


@dataclass(frozen=True, slots=True)
class _Turn:
    watched: Watched
    aspect: Aspect
    cost: int
    overdue: float
    """How many times its interval has passed; infinite where it was never looked at."""


def choose(
    watched: Iterable[Watched], memories: Mapping[str, Memory], allowance: Allowance, now: datetime
) -> Mapping[str, frozenset[Aspect]]:
    """Return subject's key -> what to look at in this run besides what costs nothing.

    Args:
        watched: Applications of one Coolify server.
        memories: When they were looked at.
        allowance: Requests that this run may send; what is chosen is taken from it.
        now: The time here.
    """
    turns = [turn for one in watched for turn in _turns(one, memories.get(one.subject.key, Memory()), now)]
    turns.sort(key=lambda one: (-one.overdue, one.cost))
    chosen: dict[str, set[Aspect]] = {}
    for turn in turns:
        if allowance.take(turn.cost):
            chosen.setdefault(turn.watched.subject.key, set()).add(turn.aspect)
    return {key: frozenset(aspects) for key, aspects in chosen.items()}


def _turns(watched: Watched, memory: Memory, now: datetime) -> Iterable[_Turn]:
    costs = {Aspect.DEPLOYMENT: 1}
    if watched.is_declared:
        costs |= {Aspect.BACKUP: cost_of_backups(watched.config), Aspect.DRIFT: cost_of_drift(watched.config)}
    for aspect, cost in costs.items():
        if cost == 0 or aspect in watched.config.monitoring.ignore:
            continue
        last = memory.looked.get(aspect)
        overdue = (now - last) / EVERY[aspect] if last else float("inf")
        if overdue >= 1:
            yield _Turn(watched, aspect, cost, overdue)
