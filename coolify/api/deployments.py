"""Trigger, read, cancel and follow deployments (reference 4)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from coolify.api.capabilities import Capabilities, Feature
from coolify.api.errors import AnswerLostError, ApiError, BadRequestError, DeploymentNotStoredError, NotFoundError
from coolify.api.models import Deployment, DeploymentPage, DeploymentStatus, LogLine, listing
from coolify.api.transport import Transport

if TYPE_CHECKING:
    from coolify.api.watcher import DeploymentEvent, DeploymentWatcher

__all__ = ["Deployments", "Triggered"]

_DEPLOYMENTS = listing(Deployment)
_RECENT = 20


@dataclass(frozen=True, slots=True)
class Triggered:
    """A deployment that is queued or running now."""

    deployment_uuid: str
    adopted: bool
    """Whether it was there before: somebody else's, or ours whose answer was lost."""


class Deployments:
    """`/deploy`, `/deployments` and `/applications/{uuid}/rollback`."""

    def __init__(
        self,
        transport: Transport,
        capabilities: Callable[[], Awaitable[Capabilities]],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._transport = transport
        self._capabilities = capabilities
        self._sleep = sleep

    @cached_property
    def _watcher(self) -> DeploymentWatcher:
        from coolify.api.watcher import DeploymentWatcher

        return DeploymentWatcher(self.running, self.get, self._sleep)

    async def running(self) -> tuple[Deployment, ...]:
        """Return all queued and running deployments of the team."""
        answer = await self._transport.get("/deployments")
        # Sorting can turn the list into an object (trap 17).
        return _DEPLOYMENTS.validate_python(list(answer.values()) if isinstance(answer, dict) else answer)

    async def get(self, deployment_uuid: str) -> Deployment:
        """Return one deployment."""
        return Deployment.model_validate(await self._transport.get(f"/deployments/{deployment_uuid}"))

    async def for_application(self, application_uuid: str, *, skip: int = 0, take: int = _RECENT) -> DeploymentPage:
        """Return an application's deployments, newest first."""
        query = {"skip": skip, "take": take}
        answer = await self._transport.get(f"/deployments/applications/{application_uuid}", query)
        return DeploymentPage.model_validate(answer if isinstance(answer, dict) else {"deployments": answer})

    async def recent(self, application_uuid: str) -> tuple[Deployment, ...]:
        """Return the newest production deployments, whatever became of them, the newest first; at most twenty."""
        return tuple(_production(await self.for_application(application_uuid)))

    async def newest(self, application_uuid: str) -> Deployment | None:
        """Return the newest production deployment, whatever became of it, None if there is none."""
        return next(iter(await self.recent(application_uuid)), None)

    async def active(self, application_uuid: str, pull_request: int = 0) -> Deployment | None:
        """Return the newest deployment that is queued or running, None if there is none.

        Args:
            application_uuid: The application.
            pull_request: Number of the pull request whose preview it is; 0 for production.
        """
        page = await self.for_application(application_uuid)
        of_it = (one for one in page.deployments if one.pull_request_id == pull_request)
        return next((one for one in of_it if not one.status.is_terminal), None)

    async def last_finished(self, application_uuid: str) -> Deployment | None:
        """Return the newest production deployment that Coolify calls finished, None if there is none."""
        page = await self.for_application(application_uuid)
        return next((one for one in _production(page) if one.status is DeploymentStatus.FINISHED), None)

    async def log(self, deployment_uuid: str) -> tuple[LogLine, ...] | None:
        """Return the log in order, None where the token may not see it."""
        return (await self.get(deployment_uuid)).log

    async def trigger(self, application_uuid: str, *, force: bool = False) -> Triggered:
        """Queue a deployment of the application as it is configured now.

        Raises:
            QueueFullError: The server's queue is full.
            CoolifyError: It was refused, or its fate cannot be found out.
        """
        query: dict[str, Any] = {"uuid": application_uuid} | ({"force": True} if force else {})

        async def send() -> tuple[str | None, str]:
            answer = await self._transport.post_once("/deploy", query=query)
            item = (answer.get("deployments") or [{}])[0]
            return item.get("deployment_uuid"), str(item.get("message") or "")

        return await self._queue(application_uuid, send)

    async def trigger_preview(
        self, application_uuid: str, pull_request: int, *, docker_tag: str | None = None, force: bool = False
    ) -> str:
        """Queue a deployment of a pull request's preview and return its UUID.

        Args:
            application_uuid: The application.
            pull_request: Number of a pull request that Coolify knows from a webhook; any for image applications.
            docker_tag: Tag of the image, for image applications only.
            force: Whether to build without a cache.

        Raises:
            DeploymentNotStoredError: Coolify queued none: it does not know the pull request, or has it queued already.
        """
        query: dict[str, Any] = {"uuid": application_uuid, "pull_request_id": pull_request}
        query |= ({"docker_tag": docker_tag} if docker_tag else {}) | ({"force": True} if force else {})
        answer = await self._transport.post_once("/deploy", query=query)
        item = (answer.get("deployments") or [{}])[0]
        uuid = item.get("deployment_uuid")
        if uuid is None or not await self._is_stored(str(uuid)):
            raise DeploymentNotStoredError(
                f"Coolify queued no preview of pull request {pull_request}: {item.get('message') or 'no message'}"
            )
        return str(uuid)

    async def start(self, application_uuid: str) -> Triggered:
        """Deploy an application that is stopped; the same as `trigger`, whose answer tells when the queue is full.

        `/applications/{uuid}/start` is never used: it answers a full queue like success (trap 2).
        """
        return await self.trigger(application_uuid)

    async def restart(self, application_uuid: str) -> Triggered:
        """Queue a restart that uses the image that is there, with the variables as they are now.

        Raises:
            DeploymentNotStoredError: The queue is full; Coolify answers that like success (trap 2).
        """

        async def send() -> tuple[str | None, str]:
            answer = await self._transport.post_once(f"/applications/{application_uuid}/restart")
            return answer.get("deployment_uuid"), str(answer.get("message") or "")

        return await self._queue(application_uuid, send)

    async def rollback(self, application_uuid: str, commit: str) -> Triggered:
        """Queue a deployment of a kept image of this commit.

        Raises:
            UnsupportedVersionError: The server has no rollback (before 4.3.0).
            QueueFullError: The server's queue is full.
        """
        (await self._capabilities()).require(Feature.ROLLBACK)

        async def send() -> tuple[str | None, str]:
            answer = await self._transport.post_once(f"/applications/{application_uuid}/rollback", {"commit": commit})
            return answer.get("deployment_uuid"), str(answer.get("message") or "")

        return await self._queue(application_uuid, send)

    async def cancel(self, deployment_uuid: str) -> bool:
        """Cancel a deployment; return False when it had ended before."""
        try:
            await self._transport.post_once(f"/deployments/{deployment_uuid}/cancel")
        except BadRequestError:
            return False
        except AnswerLostError:
            return (await self.get(deployment_uuid)).status is DeploymentStatus.CANCELLED
        return True

    def follow(
        self, deployment_uuid: str, *, logs: bool = False, interval: float = 3.0, timeout: float | None = None
    ) -> AsyncIterator[DeploymentEvent]:
        """Yield status changes and log lines, each once and in order, until the deployment has ended.

        All followers of a client share one request per interval.

        Args:
            deployment_uuid: What to follow.
            logs: Whether to fetch the log; the whole of it comes with every fetch.
            interval: Seconds between two looks.
            timeout: Seconds after which following ends with an error.

        Raises:
            DeploymentNotStoredError: Coolify never stored this UUID (traps 1 and 2).
            FollowTimeoutError: It has not ended in time.
        """
        return self._watcher.follow(deployment_uuid, logs=logs, interval=interval, limit=timeout)

    async def _queue(self, application_uuid: str, send: Callable[[], Awaitable[tuple[str | None, str]]]) -> Triggered:
        """Send once and find the deployment that came of it, whatever the answer says."""
        before = {one.deployment_uuid for one in (await self.for_application(application_uuid)).deployments}
        try:
            uuid, message = await send()
        except AnswerLostError:
            newest = await self._newest(application_uuid, before)
            if newest is not None:
                return Triggered(newest.deployment_uuid, adopted=True)
            uuid, message = await send()
        if uuid is not None and "already queued" not in message and await self._is_stored(uuid):
            return Triggered(uuid, adopted=False)
        # The UUID of a skipped request was never stored (trap 1): the real one is the one that is under way.
        newest = await self._newest(application_uuid, before) or await self.active(application_uuid)
        if newest is None:
            raise DeploymentNotStoredError(
                f"Coolify accepted a deployment but stored none ({message or 'no message'}): its queue may be full; "
                "look at the deployments in Coolify and run again."
            )
        return Triggered(newest.deployment_uuid, adopted=True)

    async def _newest(self, application_uuid: str, known: set[str]) -> Deployment | None:
        page = await self.for_application(application_uuid)
        return next((one for one in _production(page) if one.deployment_uuid not in known), None)

    async def _is_stored(self, deployment_uuid: str) -> bool:
        try:
            await self.get(deployment_uuid)
        except NotFoundError:
            return False
        except ApiError:
            # A token that may deploy but not read cannot check; following will tell.
            return True
        return True


def _production(page: DeploymentPage) -> list[Deployment]:
    return [one for one in page.deployments if one.pull_request_id == 0]
