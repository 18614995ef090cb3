"""Follow any number of deployments with one request per interval (design section 4, rule 6)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from coolify.api.errors import CoolifyError, DeploymentNotStoredError, FollowTimeoutError, NotFoundError
from coolify.api.models import Deployment, DeploymentStatus, LogLine

__all__ = ["DeploymentEvent", "DeploymentWatcher", "LogLines", "Looked", "StatusChanged"]

_GRACE_TICKS: Final = 3
"""A deployment that was just queued may not be visible at once."""
_CROWD: Final = 3.0
"""How many times as long the pause between two looks is, at most, when many are followed: each look carries the logs of
all of them, and none of many is looked at by a person line by line."""
_PATIENCE: Final = 5
"""Looks in a row that may fail for reasons that pass: to give up leaves a deployment that nobody follows."""


@dataclass(frozen=True, slots=True)
class StatusChanged:
    """The deployment entered this status; a terminal one is the last event."""

    deployment: Deployment


@dataclass(frozen=True, slots=True)
class LogLines:
    """New lines of the log, in order."""

    lines: tuple[LogLine, ...]


@dataclass(frozen=True, slots=True)
class Looked:
    """The deployment was looked at, whether or not anything changed."""

    deployment: Deployment
    running: tuple[Deployment, ...]
    """All deployments of the team that have not ended."""


DeploymentEvent = StatusChanged | LogLines | Looked


class DeploymentWatcher:
    """Shares one look at the running deployments among all followers."""

    def __init__(
        self,
        running: Callable[[], Awaitable[tuple[Deployment, ...]]],
        get: Callable[[str], Awaitable[Deployment]],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._running = running
        self._get = get
        self._sleep = sleep
        self._followers = 0
        self._tick: asyncio.Task[dict[str, Deployment]] | None = None

    async def follow(
        self, deployment_uuid: str, *, logs: bool, interval: float, limit: float | None
    ) -> AsyncIterator[DeploymentEvent]:
        """See `Deployments.follow`."""
        self._followers += 1
        try:
            async for event in self._follow(deployment_uuid, logs=logs, interval=interval, limit=limit):
                yield event
        finally:
            self._followers -= 1

    async def _follow(
        self, deployment_uuid: str, *, logs: bool, interval: float, limit: float | None
    ) -> AsyncIterator[DeploymentEvent]:
        started = time.monotonic()
        status: DeploymentStatus | None = None
        seen_lines = 0
        unseen_ticks = 0
        failures = 0
        while True:
            try:
                running = await self._shared_look(interval * min(self._followers, _CROWD) if status else 0.0)
                # A look shows the log of what is running: nothing is asked for one deployment until it has ended.
                deployment = running.get(deployment_uuid) or await self._find(deployment_uuid)
                lines = deployment.log or () if logs and deployment is not None else ()
            except CoolifyError as error:
                failures += 1
                if not error.retryable or failures > _PATIENCE:
                    raise
                await self._sleep(interval)
                continue
            failures = 0
            if deployment is None:
                unseen_ticks += 1
                if unseen_ticks > _GRACE_TICKS:
                    raise DeploymentNotStoredError(
                        f"Coolify does not know the deployment {deployment_uuid} that it announced: it was dropped. "
                        "Run again."
                    )
                await self._sleep(interval)
                continue
            if len(lines) > seen_lines:
                yield LogLines(lines[seen_lines:])
                seen_lines = len(lines)
            if deployment.status is not status:
                status = deployment.status
                yield StatusChanged(deployment)
            yield Looked(deployment, tuple(running.values()))
            if deployment.status.is_terminal:
                return
            if limit is not None and time.monotonic() - started > limit:
                raise FollowTimeoutError(
                    f"The deployment {deployment_uuid} is still {deployment.status.value} after {limit:.0f} s: look at "
                    "it in Coolify and cancel it there if it is stuck."
                )

    async def _find(self, deployment_uuid: str) -> Deployment | None:
        try:
            return await self._get(deployment_uuid)
        except NotFoundError:
            return None

    async def _shared_look(self, delay: float) -> dict[str, Deployment]:
        # Who comes while a look is under way waits for that one.
        if self._tick is None or self._tick.done():
            self._tick = asyncio.create_task(self._delayed_look(delay))
            # Who waited may be cancelled: then nobody asks how the look ended, and asyncio would print a traceback.
            self._tick.add_done_callback(lambda tick: tick.cancelled() or tick.exception())
        return await asyncio.shield(self._tick)

    async def _delayed_look(self, delay: float) -> dict[str, Deployment]:
        if delay:
            await self._sleep(delay)
        return {deployment.deployment_uuid: deployment for deployment in await self._running()}
