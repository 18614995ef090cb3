"""The sandbox's world: builds, starts, proves and replaces versions of applications as Coolify would."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from coolify.trust import trusting
from coolify_sandbox.edge import EdgeProxy
from coolify_sandbox.runtime.build import build, checkout, recipe_of, resolve
from coolify_sandbox.runtime.contract import (
    BuildPack,
    ContainerStatus,
    DeploymentFailedError,
    DeployRequest,
    DeployResult,
    HealthCheck,
    Image,
    LogEntry,
    LogSink,
)
from coolify_sandbox.runtime.disk import Disk
from coolify_sandbox.runtime.images import BuiltImage, ImageStore
from coolify_sandbox.runtime.process import AppProcess
from coolify_sandbox.runtime.shell import Finished, base_environment, run

__all__ = ["LocalRuntime"]

_START_SECONDS = 10.0
_RULE = "-" * 40


@dataclass
class _Running:
    process: AppProcess
    tag: str
    health_checked: bool


class LocalRuntime:
    """Implements `Runtime` with processes of this machine."""

    def __init__(self, directory: Path, edge: EdgeProxy, disk_bytes: int | None = None) -> None:
        self._directory = directory
        self._edge = edge
        self._images = ImageStore(directory / "images")
        self._disk = Disk(directory, disk_bytes)
        self._running: dict[str, _Running] = {}
        self._published: dict[str, tuple[Path, str]] = {}

    def publish_image(self, name: str, tag: str, source: Path, command: str) -> None:
        """Put an image into the sandbox's registry: a directory and the command that runs in a copy of it."""
        self._published[f"{name}:{tag}"] = (source, command)

    async def deploy(
        self, request: DeployRequest, log: LogSink, resolved: Callable[[str, str | None], None]
    ) -> DeployResult:
        """See `Runtime.deploy`."""
        log(LogEntry("Docker 27.5.1 with BuildKit and Buildx detected on deployment server (localhost)."))
        log(LogEntry(f"Starting deployment of {request.git_repository or request.image_name} to localhost."))
        log(LogEntry("Preparing container with helper image: the sandbox itself"))
        if request.pre_deployment_command:
            await self._before(request, log)
        tag, commit, message, image = await self._image_of(request, log, resolved)
        process = await self._start(request, tag, image, log)
        log(LogEntry(_RULE))
        if not request.rolling_update:
            await self._replace_at_once(request, process, tag, log)
        else:
            await self._roll_out(request, process, tag, log)
        self._images.prune(request.application_uuid, tag, request.images_to_keep)
        if request.post_deployment_command:
            await self._after(request, tag, log)
        return DeployResult(commit, message, tag)

    async def stop(self, application_uuid: str) -> None:
        """See `Runtime.stop`."""
        self._edge.remove(application_uuid)
        running = self._running.pop(application_uuid, None)
        if running is not None:
            await running.process.stop()

    async def stop_all(self) -> None:
        """Stop the processes of all applications."""
        await asyncio.gather(*(self.stop(uuid) for uuid in list(self._running)))

    async def delete(self, application_uuid: str) -> None:
        """See `Runtime.delete`."""
        await self.stop(application_uuid)
        self._images.delete(application_uuid)

    async def restart_proxy(self) -> None:
        """See `Runtime.restart_proxy`."""
        self._edge.restart()

    async def clean_up(self, keep: Mapping[str, int]) -> tuple[int, int]:
        """See `Runtime.clean_up`."""
        before = self._disk.percent
        self._disk.drop_cache()
        for application, number in keep.items():
            running = self._running.get(application)
            self._images.prune(application, running.tag if running else "", number)
        return before, self._disk.percent

    async def status(self, application_uuid: str) -> ContainerStatus:
        """See `Runtime.status`."""
        running = self._running.get(application_uuid)
        if running is None:
            return ContainerStatus.EXITED
        if not running.process.is_running:
            return ContainerStatus.DEGRADED
        return ContainerStatus.RUNNING_HEALTHY if running.health_checked else ContainerStatus.RUNNING_UNKNOWN

    async def images(self, application_uuid: str) -> tuple[Image, ...]:
        """See `Runtime.images`."""
        running = self._running.get(application_uuid)
        return self._images.list(application_uuid, running.tag if running else None)

    async def execute(self, application_uuid: str, command: str) -> Finished | None:
        """See `Runtime.execute`."""
        running = self._running.get(application_uuid)
        return await running.process.execute(command) if running and running.process.is_running else None

    async def logs(self, application_uuid: str, lines: int, *, times: bool = False) -> str | None:
        """See `Runtime.logs`."""
        running = self._running.get(application_uuid)
        if running is None or not running.process.is_running:
            return None
        return running.process.timed_tail(lines) if times else running.process.tail(lines)

    async def _image_of(
        self, request: DeployRequest, log: LogSink, resolved: Callable[[str, str | None], None]
    ) -> tuple[str, str, str | None, BuiltImage]:
        """Return tag, commit, commit message and the image to run, built when it is not there."""
        application = request.application_uuid
        if request.build_pack is BuildPack.DOCKERIMAGE:
            tag = request.image_tag or "latest"
            return tag, request.commit, None, self._pull(request, tag, log)
        if request.dockerfile is not None:
            files = self._images.begin(application, "latest")
            image = await build(request, files, log)
            self._images.commit(application, "latest", image)
            return "latest", request.commit, None, image
        if request.rollback:
            kept = self._images.find(application, request.commit)
            if kept is not None and kept.recipe == recipe_of(request):
                log(LogEntry("Image found, skipping build."))
                resolved(request.commit, None)
                return request.commit, request.commit, None, kept
        mirror = self._directory / "git" / application
        source = await resolve(request, mirror, log)
        resolved(source.commit, source.message)
        kept = self._images.find(application, source.commit)
        if kept is not None and not request.force_rebuild and kept.recipe == recipe_of(request):
            log(LogEntry(f"No configuration changed & image found ({source.commit}). Build step skipped."))
            return source.commit, source.commit, source.message, kept
        files = self._images.begin(application, source.commit)
        try:
            await checkout(mirror, source.commit, files, log)
            self._demand_room(log)
            image = await build(request, files, log)
        except BaseException:
            self._images.discard(application, source.commit)
            raise
        self._images.commit(application, source.commit, image)
        return source.commit, source.commit, source.message, image

    def _demand_room(self, log: LogSink) -> None:
        if self._disk.is_full:
            log(LogEntry("ERROR: failed to solve: write /usr/src/app: no space left on device", type="stderr"))
            raise DeploymentFailedError("disk")

    def _pull(self, request: DeployRequest, tag: str, log: LogSink) -> BuiltImage:
        reference = f"{request.image_name}:{tag}"
        log(LogEntry("Pulling latest images from the registry."))
        published = self._published.get(reference)
        if published is None:
            log(LogEntry(f"Error response from daemon: manifest for {reference} not found", type="stderr"))
            raise DeploymentFailedError(reference)
        source, command = published
        files = self._images.begin(request.application_uuid, tag)
        shutil.copytree(source, files, dirs_exist_ok=True)
        image = BuiltImage(command, "")
        self._images.commit(request.application_uuid, tag, image)
        return image

    async def _start(self, request: DeployRequest, tag: str, image: BuiltImage, log: LogSink) -> AppProcess:
        files = self._images.files(request.application_uuid, tag)
        logs = self._directory / "logs"
        logs.mkdir(exist_ok=True)
        environment = base_environment(files) | image.environment | request.runtime_environment
        process = AppProcess(
            image.command,
            files / image.directory,
            environment,
            logs / f"{request.deployment_uuid}.log",
            request.memory_bytes,
        )
        log(LogEntry("Creating .env file with runtime variables for container.", hidden=True))
        if not request.rolling_update:
            return process
        log(LogEntry("Rolling update started."))
        try:
            await process.start()
        except OSError as error:
            log(LogEntry(f"The container cannot be started: {error.strerror}", type="stderr"))
            raise DeploymentFailedError("start") from error
        log(LogEntry("New container started."))
        return process

    async def _roll_out(self, request: DeployRequest, process: AppProcess, tag: str, log: LogSink) -> None:
        try:
            if request.health_check.enabled:
                await _until_healthy(process, request.health_check, log)
            else:
                await process.wait_until_listening(_START_SECONDS)
        except BaseException:
            await asyncio.shield(process.stop())
            raise
        log(LogEntry("Removing old containers."))
        await self._switch(request, process, tag)
        log(LogEntry("Rolling update completed."))

    async def _replace_at_once(self, request: DeployRequest, process: AppProcess, tag: str, log: LogSink) -> None:
        """Stop the old container first and wait for no health (reference 4.3)."""
        log(LogEntry("Custom container name or port mapping is used. Rolling update is not supported."))
        await self.stop(request.application_uuid)
        await process.start()
        log(LogEntry("New container started."))
        # From now on it is the application, even if the deployment is cancelled while it starts.
        await self._switch(request, process, tag)
        await process.wait_until_listening(_START_SECONDS)

    async def _switch(self, request: DeployRequest, process: AppProcess, tag: str) -> None:
        old = self._running.get(request.application_uuid)
        self._running[request.application_uuid] = _Running(process, tag, request.health_check.enabled)
        self._edge.set_routes(
            request.application_uuid,
            request.routes,
            process.port,
            force_https=request.force_https,
            labels=request.labels,
        )
        if old is not None:
            await self._edge.drain(old.process.port)
            await old.process.stop()

    async def _before(self, request: DeployRequest, log: LogSink) -> None:
        running = self._running.get(request.application_uuid)
        if running is None:
            log(LogEntry("No running container: the pre-deployment command was skipped."))
            return
        log(LogEntry("Executing pre-deployment command (see debug log for output/errors)."))
        if await self._execute(request, running.tag, request.pre_deployment_command or "", log):
            log(LogEntry("Pre-deployment command failed.", type="stderr"))
            raise DeploymentFailedError("pre-deployment command")

    async def _after(self, request: DeployRequest, tag: str, log: LogSink) -> None:
        log(LogEntry("Executing post-deployment command (see debug log for output/errors)."))
        if await self._execute(request, tag, request.post_deployment_command or "", log):
            # Only the log tells: the deployment counts as finished (reference 4.4).
            log(LogEntry("Post-deployment command failed.", type="stderr"))

    async def _execute(self, request: DeployRequest, tag: str, command: str, log: LogSink) -> int:
        files = self._images.files(request.application_uuid, tag)
        environment = base_environment(files) | request.runtime_environment
        finished = await run(["/bin/sh", "-c", command], files, environment)
        log(LogEntry(finished.output, command=command, hidden=True))
        return finished.code


async def _until_healthy(process: AppProcess, check: HealthCheck, log: LogSink) -> None:
    """Ask from the inside as Docker would.

    Raises:
        DeploymentFailedError: Not healthy after all attempts.
    """
    log(LogEntry("Waiting for healthcheck to pass on the new container."))
    log(LogEntry(f"Healthcheck URL (inside the container): {check.method}: {check.scheme}://{check.host}{check.path}"))
    log(LogEntry(f"Waiting for the start period ({check.start_period:g} seconds) before starting healthcheck."))
    await asyncio.sleep(check.start_period)
    # Docker asks for the first time when one interval has passed; most are up long before.
    await process.wait_until_listening(check.interval)
    for attempt in range(1, check.retries + 1):
        healthy = await _is_healthy(process, check)
        log(
            LogEntry(
                f"Attempt {attempt} of {check.retries} | Healthcheck status: "
                f'"{"healthy" if healthy else "starting" if process.is_running else "unhealthy"}"'
            )
        )
        if healthy:
            log(LogEntry("New container is healthy."))
            return
        if attempt < check.retries:
            await asyncio.sleep(check.interval)
    log(LogEntry(_RULE))
    log(LogEntry("Container logs:"))
    log(LogEntry(process.tail(50), type="stderr"))
    log(LogEntry(_RULE))
    log(LogEntry("New container is not healthy, rolling back to the old container.", type="stderr"))
    raise DeploymentFailedError("unhealthy")


async def _is_healthy(process: AppProcess, check: HealthCheck) -> bool:
    try:
        async with httpx.AsyncClient(verify=trusting(), timeout=check.timeout, trust_env=False) as client:
            url = f"http://127.0.0.1:{process.port}{check.path}"
            answer = await client.request(check.method, url, headers={"Host": check.host})
    except httpx.HTTPError:
        return False
    wanted = check.response_text is None or check.response_text in answer.text
    return answer.status_code == check.return_code and wanted
