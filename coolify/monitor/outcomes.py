"""How deployments ended, as numbers, and where it is read what else has come of releases; pure.

Coolify keeps deployments only for a time: of them the newest are told, and a process that goes on looking counts them
(`coolify.monitor.counting`). What records tell is in `coolify.monitor.recorded`, which few commands need to load.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final, Protocol

from coolify.api.models import Deployment, DeploymentStatus
from coolify.monitor.model import Ended, Measure, Metric

if TYPE_CHECKING:
    from coolify.release.record import History

__all__ = [
    "DEPLOYMENT_RESULTS",
    "HistorySource",
    "Waiting",
    "WaitingSource",
    "ended_of",
    "measure_recent",
]

_RESULTS: Final[Mapping[DeploymentStatus, str]] = {
    DeploymentStatus.FINISHED: "finished",
    DeploymentStatus.FAILED: "failed",
    DeploymentStatus.CANCELLED: "cancelled",
}
DEPLOYMENT_RESULTS: Final = tuple(_RESULTS.values())
"""Values of the label `result` of deployments; that of Coolify for cancelled ones names who cannot be known."""

Waiting = Mapping[str, Sequence[datetime]]
"""Decision -> since when each of its open questions waits."""


class HistorySource(Protocol):
    """Where the records of releases are read."""

    async def history(self, application_uuid: str) -> History:
        """Return what is known of an application's releases.

        Raises:
            OperatorError: It cannot be read.
        """


class WaitingSource(Protocol):
    """Where questions to an operator wait."""

    async def waiting(self) -> Waiting:
        """Return the questions that nobody has answered yet.

        Raises:
            OperatorError: They cannot be read.
        """


def ended_of(deployments: Iterable[Deployment]) -> tuple[Ended, ...]:
    """Return the deployments that have ended."""
    return tuple(
        Ended(uuid=one.deployment_uuid, result=_RESULTS[one.status], seconds=_seconds(one))
        for one in deployments
        if one.status in _RESULTS
    )


def _seconds(deployment: Deployment) -> float | None:
    ended = deployment.finished_at or deployment.updated_at
    if ended is None or deployment.created_at is None:
        return None
    return max(0.0, (ended - deployment.created_at).total_seconds())


def measure_recent(ended: Iterable[Ended]) -> tuple[Measure, ...]:
    """Return how many of the newest deployments ended how."""
    counts = Counter(one.result for one in ended)
    return tuple(
        Measure(metric=Metric.RECENT_DEPLOYMENTS, value=float(counts[result]), detail=result)
        for result in DEPLOYMENT_RESULTS
    )
