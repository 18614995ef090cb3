"""What stands before a queued deployment, and what of it does not move any more."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from coolify.api.models import Deployment, DeploymentStatus

__all__ = ["Queue", "queue_before"]


@dataclass(frozen=True, slots=True)
class Queue:
    """The deployments before one, as far as the team may see: those of other teams are in the way unseen."""

    ahead: tuple[Deployment, ...] = ()
    """Running ones of the same server, then those that were queued earlier."""

    @property
    def position(self) -> int:
        """Place among the waiting ones, counted from 1."""
        return 1 + sum(one.status is DeploymentStatus.QUEUED for one in self.ahead)

    @property
    def names(self) -> tuple[str, ...]:
        """Applications that are before, each once, in order."""
        return tuple(dict.fromkeys(one.application_name or one.deployment_uuid for one in self.ahead))

    def silent(self, now: datetime, seconds: float) -> tuple[Deployment, ...]:
        """Return the running ones of which nothing was heard for so long.

        Coolify writes to a deployment with every line of its log.

        Args:
            now: The present by the clock of the Coolify server.
            seconds: How long a running deployment may be silent.
        """
        return tuple(
            one
            for one in self.ahead
            if one.status is DeploymentStatus.IN_PROGRESS
            and one.last_heard is not None
            and (now - one.last_heard).total_seconds() > seconds
        )


def queue_before(deployment: Deployment, running: Iterable[Deployment]) -> Queue:
    """Return what is before a deployment: the oldest of a server goes first (reference 4.2).

    Args:
        deployment: The one that waits.
        running: All deployments of the team that have not ended.
    """
    others = [
        one
        for one in running
        if one.deployment_uuid != deployment.deployment_uuid and one.server_name == deployment.server_name
    ]
    in_progress = [one for one in others if one.status is DeploymentStatus.IN_PROGRESS]
    earlier = [one for one in others if one.status is DeploymentStatus.QUEUED and _is_earlier(one, deployment)]
    return Queue((*in_progress, *earlier))


def _is_earlier(one: Deployment, other: Deployment) -> bool:
    if one.created_at is None or other.created_at is None:
        return False
    # Times have whole seconds; the number tells who of the same second came first.
    return (one.created_at, one.id or 0) < (other.created_at, other.id or 0)
