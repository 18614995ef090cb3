"""Start a deployment and follow it to its end."""

from __future__ import annotations

import time
from typing import Final

from prefect import task
from prefect.cache_policies import NO_CACHE

from coolify.api import (
    Application,
    Capabilities,
    CoolifyClient,
    Deployment,
    Feature,
    FollowTimeoutError,
    LogLines,
)
from coolify.api.errors import DeploymentNotStoredError
from coolify.release.strategy import ApplicationKind, NoWayBack, RollbackMeans, Strategy, choose_strategy
from tasks.phases import log_line, step_done

__all__ = [
    "follow_deployment",
    "kind_of",
    "newest_deployment",
    "rollback_strategy",
    "trigger_deployment",
    "trigger_rollback",
]

_POLL_SECONDS: Final = 1.0


@task(name="find newest deployment", cache_policy=NO_CACHE)
async def newest_deployment(client: CoolifyClient, application_uuid: str) -> Deployment | None:
    """Return the newest production deployment, whatever became of it, None if there is none."""
    return await client.deployments.newest(application_uuid)


@task(name="trigger deployment", cache_policy=NO_CACHE)
async def trigger_deployment(client: CoolifyClient, application_uuid: str, *, force: bool) -> str:
    """Queue a deployment and return its UUID.

    Args:
        client: The Coolify server.
        application_uuid: What to deploy.
        force: Build without cache, whatever is queued.
    """
    triggered = await client.deployments.trigger(application_uuid, force=force)
    step_done(f"deployment {triggered.deployment_uuid} {'adopted' if triggered.adopted else 'queued'}", changed=True)
    return triggered.deployment_uuid


@task(name="trigger rollback", task_run_name="trigger rollback to {version}", cache_policy=NO_CACHE)
async def trigger_rollback(client: CoolifyClient, application_uuid: str, strategy: Strategy, version: str) -> str:
    """Run an earlier version again by the given strategy and return the deployment's UUID."""
    if strategy is Strategy.NATIVE:
        triggered = await client.deployments.rollback(application_uuid, version)
    else:
        # A pinned commit and an image tag were set when the settings were restored.
        triggered = await client.deployments.trigger(application_uuid, force=False)
    step_done(f"deployment {triggered.deployment_uuid} queued: {strategy.value}", changed=True)
    return triggered.deployment_uuid


@task(name="follow deployment", task_run_name="follow deployment {deployment_uuid}", cache_policy=NO_CACHE)
async def follow_deployment(client: CoolifyClient, deployment_uuid: str, timeout_seconds: float) -> Deployment:
    """Tell status and visible log lines as they come, and return the deployment when it has ended.

    A deployment that does not end in time is cancelled, so that it does not block the queue.

    Raises:
        FollowTimeoutError: It did not end in time.
    """
    started = time.monotonic()
    last: Deployment | None = None
    events = client.deployments.follow(deployment_uuid, logs=True, interval=_POLL_SECONDS, timeout=timeout_seconds)
    try:
        async for event in events:
            if isinstance(event, LogLines):
                for line in event.lines:
                    if not line.hidden:
                        log_line(line.output)
            else:
                last = event.deployment
    except FollowTimeoutError:
        await client.deployments.cancel(deployment_uuid)
        raise
    if last is None:
        raise DeploymentNotStoredError(f"Coolify does not know the deployment {deployment_uuid}: run again.")
    step_done(f"deployment {last.status.value} after {time.monotonic() - started:.1f} s")
    return last


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
