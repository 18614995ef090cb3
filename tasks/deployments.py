"""Start a deployment, of the newest version or of an earlier one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Final

from coolify.api import Application, Capabilities, CoolifyClient, Deployment, DeploymentStatus, Feature, QueueFullError
from coolify.api.deployments import Triggered
from coolify.deployment import Queue, blocked, queue_full
from coolify.release.strategy import ApplicationKind, NoWayBack, RollbackMeans, Strategy, choose_strategy
from tasks.phases import report_findings, step_done
from tasks.steps import step

__all__ = [
    "cancel_dead_deployment",
    "kind_of",
    "newest_deployment",
    "page_of",
    "rollback_strategy",
    "trigger_deployment",
    "trigger_rollback",
]

_QUEUE_LOOK_SECONDS: Final = 3.0
_RETRY_AFTER: Final = 60.0
"""Seconds after which a full queue is tried again, where Coolify does not say when."""


@step("find newest deployment")
async def newest_deployment(client: CoolifyClient, application_uuid: str) -> Deployment | None:
    """Return the newest production deployment, whatever became of it, None if there is none."""
    return await client.deployments.newest(application_uuid)


@step("cancel dead deployment")
async def cancel_dead_deployment(client: CoolifyClient, application_uuid: str, patience: float, subject: str) -> None:
    """Cancel a deployment of the application that Coolify's worker has left in progress when it died.

    Coolify would answer a new one as already queued, or let it wait for ever.

    Args:
        client: The Coolify server.
        application_uuid: Whose deployment.
        patience: Seconds of silence after which it counts as dead.
        subject: Application, for findings.
    """
    active = await client.deployments.active(application_uuid)
    if active is None or not Queue((active,)).silent(datetime.now(UTC), patience):
        return
    report_findings([blocked(subject, active, patience, ours=True)])
    await client.deployments.cancel(active.deployment_uuid)
    step_done(f"dead deployment {active.deployment_uuid} cancelled", changed=True)


@step("trigger deployment")
async def trigger_deployment(
    client: CoolifyClient, application_uuid: str, *, force: bool, patience: float = 0.0, subject: str = ""
) -> str:
    """Queue a deployment and return its UUID.

    Args:
        client: The Coolify server.
        application_uuid: What to deploy.
        force: Build without cache, whatever is queued.
        patience: Seconds to wait for room in a full queue.
        subject: Application, for findings.

    Raises:
        QueueFullError: There was no room in all that time.
    """
    triggered = await _when_there_is_room(
        client, lambda: client.deployments.trigger(application_uuid, force=force), patience, subject
    )
    step_done(f"deployment {triggered.deployment_uuid} {'adopted' if triggered.adopted else 'queued'}", changed=True)
    return triggered.deployment_uuid


@step("trigger rollback", run_name="trigger rollback to {version}")
async def trigger_rollback(
    client: CoolifyClient,
    application_uuid: str,
    strategy: Strategy,
    version: str,
    *,
    patience: float = 0.0,
    subject: str = "",
) -> str:
    """Run an earlier version again by the given strategy and return the deployment's UUID.

    Raises:
        QueueFullError: There was no room in the queue for `patience` seconds.
    """

    async def send() -> Triggered:
        if strategy is Strategy.NATIVE:
            return await client.deployments.rollback(application_uuid, version)
        # A pinned commit and an image tag were set when the settings were restored.
        return await client.deployments.trigger(application_uuid, force=False)

    triggered = await _when_there_is_room(client, send, patience, subject)
    step_done(f"deployment {triggered.deployment_uuid} queued: {strategy.value}", changed=True)
    return triggered.deployment_uuid


async def _when_there_is_room(
    client: CoolifyClient, send: Callable[[], Awaitable[Triggered]], patience: float, subject: str
) -> Triggered:
    """Send again when the queue got shorter or Coolify's `Retry-After` has passed, until patience ends."""
    deadline = time.monotonic() + patience
    told = False
    while True:
        try:
            return await send()
        except QueueFullError as error:
            left = deadline - time.monotonic()
            if left <= 0:
                raise
            running = await client.deployments.running()
            if not told:
                report_findings([queue_full(subject, running, patience)])
                told = True
            await _until_shorter(client, _queued(running), min(error.retry_after or _RETRY_AFTER, left))


async def _until_shorter(client: CoolifyClient, length: int, seconds: float) -> None:
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        await asyncio.sleep(min(_QUEUE_LOOK_SECONDS, left))
        if _queued(await client.deployments.running()) < length:
            return


def _queued(running: tuple[Deployment, ...]) -> int:
    return sum(one.status is DeploymentStatus.QUEUED for one in running)


def page_of(client: CoolifyClient, deployment: Deployment) -> str | None:
    """Return the address of a deployment's page in Coolify, None where Coolify does not tell it."""
    return f"{client.base_url}{deployment.deployment_url}" if deployment.deployment_url else None


def kind_of(application: Application) -> ApplicationKind:
    """Return what an application is made from."""
    if application.build_pack == "dockerimage":
        return ApplicationKind.DOCKER_IMAGE
    if application.raw.get("dockerfile"):
        return ApplicationKind.INLINE_DOCKERFILE
    return ApplicationKind.GIT


def rollback_strategy(application: Application, capabilities: Capabilities, version: str) -> Strategy | NoWayBack:
    """Return how a version of the application can be run again on this server."""
    means = RollbackMeans(native=capabilities.supports(Feature.ROLLBACK), pin=capabilities.supports(Feature.GIT_PIN))
    return choose_strategy(kind_of(application), means, version)
