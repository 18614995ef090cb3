"""What is counted from look to look; Prometheus knows how to go on when a count begins anew."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Final

from pydantic import BaseModel, ConfigDict

from coolify.monitor.model import Ended, Look, Metric, Subject
from coolify.monitor.outcomes import DEPLOYMENT_RESULTS

__all__ = ["BOUNDS", "Counted", "Deployed", "Kept", "KeptDeployments"]

BOUNDS: Final = (30.0, 60.0, 120.0, 300.0, 600.0, 1800.0)
"""Upper bounds in seconds of the classes of durations: from a restart to a build without a cache."""
_REMEMBERED: Final = 60
"""Deployments of an application that are known to be counted; more than are listed, as older ones may come again."""
_FORGOTTEN: Final = timedelta(days=30)
"""After this time an application that nobody looks at any more is gone."""


class KeptDeployments(BaseModel):
    """What was counted of one application, beside what it was counted from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    subject: Subject
    results: Mapping[str, int]
    classes: tuple[int, ...]
    seconds: float
    known: tuple[str, ...]
    """Deployments that are counted, or that ended before anybody looked; the newest first."""
    looked: date


class Kept(BaseModel):
    """What goes on where it was when the process begins anew."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bounds: tuple[float, ...] = BOUNDS
    applications: tuple[KeptDeployments, ...] = ()


@dataclass
class Deployed:
    """The deployments of one application that ended since somebody looks."""

    results: Counter[str] = field(default_factory=lambda: Counter(dict.fromkeys(DEPLOYMENT_RESULTS, 0)))
    classes: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    """How many took at most each of the bounds, and more than the one before; the last one longer than all."""
    seconds: float = 0.0
    """All of them together."""
    known: tuple[str, ...] = ()
    """Those that are not to be counted again, the newest first."""

    def add(self, ended: Iterable[Ended]) -> None:
        """Count what is new in a list of the newest ones."""
        newest = {one.uuid: one for one in ended}
        for uuid, one in newest.items():
            if uuid not in self.known:
                self._count(one)
        self._note(newest)

    def know(self, ended: Iterable[Ended]) -> None:
        """Take note of what ended before anybody looked."""
        self._note(one.uuid for one in ended)

    def _note(self, uuids: Iterable[str]) -> None:
        self.known = tuple(dict.fromkeys((*uuids, *self.known)))[:_REMEMBERED]

    def _count(self, one: Ended) -> None:
        self.results[one.result] += 1
        if one.seconds is not None:
            self.classes[bisect_left(BOUNDS, one.seconds)] += 1
            self.seconds += one.seconds


@dataclass
class _Application:
    subject: Subject
    deployed: Deployed
    looked: date
    there: bool = True
    """Whether the last looks were at it, too; others are not told, and go on when they come again."""


class Counted:
    """Counts what a sequence of looks shows.

    Args:
        kept: What an earlier process has counted.
    """

    def __init__(self, kept: Kept | None = None) -> None:
        self._applications = {one.subject.key: _restored(one) for one in (kept or Kept()).applications}
        self._requests: Counter[str] = Counter()

    @property
    def deployed(self) -> tuple[tuple[Subject, Deployed], ...]:
        """The applications that are looked at, each with its deployments."""
        return tuple((one.subject, one.deployed) for one in self._applications.values() if one.there)

    @property
    def requests(self) -> Mapping[str, int]:
        """Address of a Coolify server -> requests that were sent to it."""
        return self._requests

    @property
    def kept(self) -> Kept:
        """What goes on in the next process."""
        return Kept(applications=tuple(_kept(one) for one in self._applications.values()))

    def add(self, looks: Iterable[Look], today: date | None = None) -> None:
        """Take in new looks, each once.

        Args:
            looks: What was seen.
            today: The day, for how long others are remembered.
        """
        today = today or datetime.now(UTC).date()
        for one in self._applications.values():
            one.there = False
        for look in looks:
            known = self._applications.get(look.subject.key)
            if known is not None:
                known.subject, known.there, known.looked = look.subject, True, today
            for seen in look.observations:
                for measure in seen.measures:
                    if measure.metric is Metric.API_REQUESTS:
                        self._requests[look.subject.coolify] += int(measure.value)
                if seen.ended is not None:
                    if known is None:
                        known = self._applications[look.subject.key] = _Application(look.subject, Deployed(), today)
                        known.deployed.know(seen.ended)
                    known.deployed.add(seen.ended)
        self._applications = {key: one for key, one in self._applications.items() if today - one.looked <= _FORGOTTEN}


def _restored(kept: KeptDeployments) -> _Application:
    deployed = Deployed(seconds=kept.seconds, classes=list(kept.classes), known=kept.known)
    deployed.results.update(kept.results)
    return _Application(kept.subject, deployed, kept.looked, there=False)


def _kept(one: _Application) -> KeptDeployments:
    return KeptDeployments(
        subject=one.subject,
        results=dict(one.deployed.results),
        classes=tuple(one.deployed.classes),
        seconds=one.deployed.seconds,
        known=one.deployed.known,
        looked=one.looked,
    )
