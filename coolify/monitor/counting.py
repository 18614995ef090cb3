"""What a process has counted since it began to look; Prometheus knows how to go on when it begins anew."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from coolify.monitor.model import Ended, Look, Metric, Subject
from coolify.monitor.outcomes import DEPLOYMENT_RESULTS

__all__ = ["BOUNDS", "Counted", "Deployed"]

BOUNDS: Final = (30.0, 60.0, 120.0, 300.0, 600.0, 1800.0)
"""Upper bounds in seconds of the classes of durations: from a restart to a build without a cache."""


@dataclass
class Deployed:
    """The deployments of one application that ended while somebody looked."""

    results: Counter[str] = field(default_factory=lambda: Counter(dict.fromkeys(DEPLOYMENT_RESULTS, 0)))
    classes: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    """How many took at most each of the bounds, and more than the one before; the last one longer than all."""
    seconds: float = 0.0
    """All of them together."""
    _known: frozenset[str] = frozenset()

    def add(self, ended: Iterable[Ended]) -> None:
        """Count what is new; of a list of the newest ones, so that only those need to be remembered."""
        newest = {one.uuid: one for one in ended}
        for uuid, one in newest.items():
            if uuid not in self._known:
                self._count(one)
        self._known = frozenset(newest)

    def know(self, ended: Iterable[Ended]) -> None:
        """Take note of what ended before anybody looked."""
        self._known = frozenset(one.uuid for one in ended)

    def _count(self, one: Ended) -> None:
        self.results[one.result] += 1
        if one.seconds is not None:
            self.classes[bisect_left(BOUNDS, one.seconds)] += 1
            self.seconds += one.seconds


class Counted:
    """Counts what a sequence of looks shows."""

    def __init__(self) -> None:
        self._deployed: dict[str, tuple[Subject, Deployed]] = {}
        self._requests: Counter[str] = Counter()

    @property
    def deployed(self) -> tuple[tuple[Subject, Deployed], ...]:
        """The applications that are looked at, each with its deployments."""
        return tuple(self._deployed.values())

    @property
    def requests(self) -> Mapping[str, int]:
        """Address of a Coolify server -> requests that were sent to it."""
        return self._requests

    def add(self, looks: Iterable[Look]) -> None:
        """Take in new looks, each once; forget applications that are not looked at any more."""
        there: dict[str, tuple[Subject, Deployed]] = {}
        for look in looks:
            known = self._deployed.get(look.subject.key)
            for seen in look.observations:
                for measure in seen.measures:
                    if measure.metric is Metric.API_REQUESTS:
                        self._requests[look.subject.coolify] += int(measure.value)
                if seen.ended is not None:
                    if known is None:
                        known = (look.subject, Deployed())
                        known[1].know(seen.ended)
                    known[1].add(seen.ended)
            if known is not None:
                there[look.subject.key] = known
        self._deployed = there
