"""The deployment queue and its worker: order, limits, states and logs as Coolify keeps them (reference 4.2, 4.3)."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Coroutine, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from coolify_sandbox.runtime.contract import (
    BuildPack,
    DeploymentFailedError,
    DeployRequest,
    HealthCheck,
    LogEntry,
    Route,
    Runtime,
)
from coolify_sandbox.server.domains import encoded_labels, plain_labels, split_domains
from coolify_sandbox.server.state import Row, State, new_uuid, timestamp
from coolify_sandbox.server.versions import at_least_version

__all__ = [
    "CANCELLED",
    "FAILED",
    "FINISHED",
    "IN_PROGRESS",
    "QUEUED",
    "DeploymentQueue",
    "Verdict",
    "container_of",
    "enqueue",
]

QUEUED: Final = "queued"
IN_PROGRESS: Final = "in_progress"
FINISHED: Final = "finished"
FAILED: Final = "failed"
CANCELLED: Final = "cancelled-by-user"

Verdict = Literal["queued", "skipped", "full"]

_BUILT_FROM_GIT: Final = {"nixpacks", "railpack", "static", "dockerfile", "dockercompose"}


def enqueue(
    state: State,
    application: Row,
    *,
    commit: str | None = None,
    force: bool = False,
    restart_only: bool = False,
    rollback: bool = False,
    unconditional: bool = False,
    pull_request_id: int = 0,
    docker_tag: str | None = None,
    by_webhook: bool = False,
) -> tuple[Verdict, str]:
    """Queue a deployment; return the verdict and a UUID, which is stored only when the verdict is `queued`."""
    uuid = new_uuid()
    wanted = commit or application["git_commit_sha"] or "HEAD"
    server = state.by_id("server", application["server_id"])
    waiting = [row for row in state.all("deployment", server_id=application["server_id"]) if row["status"] == QUEUED]
    if server is not None and not unconditional and len(waiting) >= server["settings"]["deployment_queue_limit"]:
        return "full", uuid
    same = [
        row
        for row in state.all("deployment", application_id=str(application.id), commit=wanted)
        if row["status"] in {QUEUED, IN_PROGRESS}
        and row["pull_request_id"] == pull_request_id
        and row["docker_registry_image_tag"] == docker_tag
    ]
    if same and not force and not unconditional and not rollback:
        return "skipped", uuid
    environment = state.by_id("environment", application["environment_id"])
    project = state.by_id("project", environment["project_id"]) if environment else None
    place = f"/project/{project.uuid if project else ''}/environment/{environment.uuid if environment else ''}"
    state.insert(
        "deployment",
        {
            "application_id": str(application.id),
            "application_name": application["name"],
            "build_server_id": None,
            "commit": wanted,
            "commit_message": None,
            "configuration_hash": None,
            "current_process_id": None,
            "deployment_url": f"{place}/application/{application.uuid}/deployment/{uuid}",
            "deployment_uuid": uuid,
            "destination_id": str(application["destination_id"]),
            "docker_registry_image_tag": docker_tag,
            "finished_at": None,
            "force_rebuild": force,
            "git_type": None,
            "horizon_job_id": None,
            "horizon_job_worker": None,
            "is_api": not by_webhook,
            "is_webhook": by_webhook,
            "logs": None,
            "only_this_server": False,
            "pull_request_id": pull_request_id,
            "restart_only": restart_only,
            "rollback": rollback,
            "server_id": application["server_id"],
            "server_name": server["name"] if server else "",
            "status": QUEUED,
            "team_id": application["team_id"],
        },
        uuid=uuid,
    )
    return "queued", uuid


def container_of(application: Row, pull_request_id: int = 0) -> str:
    """Return what the container of an application is called, or that of one of its previews."""
    return f"{application.uuid}-pr-{pull_request_id}" if pull_request_id else str(application.uuid)


class DeploymentQueue:
    """Runs what is queued: oldest first, one per application, `concurrent_builds` per server."""

    _TICK: Final = 0.05
    _DELETION_SECONDS: Final = 0.5

    def __init__(self, state: State, runtime: Runtime) -> None:
        self._state = state
        self.runtime = runtime
        self._jobs: dict[str, asyncio.Task[None]] = {}
        self._background: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Work until cancelled; jobs that run then are stopped and stay `in_progress`, as after a crash."""
        try:
            while True:
                self.start_what_may_run()
                await asyncio.sleep(self._TICK)
        finally:
            jobs = [*self._jobs.values(), *self._background]
            for job in jobs:
                job.cancel("shutdown")
            await asyncio.gather(*jobs, return_exceptions=True)

    def start_what_may_run(self) -> None:
        """Start the jobs for which there is room; what is queued by a request starts before its answer."""
        deployments = self._state.all("deployment")
        running = [row for row in deployments if row["status"] == IN_PROGRESS]
        for row in deployments:
            if row["status"] != QUEUED:
                continue
            server = self._state.by_id("server", row["server_id"])
            on_server = [one for one in running if one["server_id"] == row["server_id"]]
            of_application = [one for one in on_server if one["application_id"] == row["application_id"]]
            if of_application or server is None or len(on_server) >= server["settings"]["concurrent_builds"]:
                continue
            running.append(self._state.update(row, status=IN_PROGRESS))
            job = asyncio.create_task(self._run_job(row), name=row["deployment_uuid"])
            self._jobs[row["deployment_uuid"]] = job
            job.add_done_callback(self._forget)

    def _forget(self, job: asyncio.Task[None]) -> None:
        self._jobs.pop(job.get_name(), None)

    async def _run_job(self, row: Row) -> None:
        application = self._state.by_id("application", int(row["application_id"]))
        log = _Log(self._state, row)
        status = FAILED
        try:
            if application is None:
                return

            def resolved(sha: str, title: str | None) -> None:
                self._state.update(row, commit=sha, commit_message=title)

            request = _request_of(self._state, row, application)
            self._state.update(application, custom_labels=encoded_labels(application["custom_labels"]))
            result = await self.runtime.deploy(request, log.add, resolved)
            self._state.update(application, config_hash=new_uuid() + "00000000", last_online_at=timestamp())
            if BuildPack(application["build_pack"]) is not BuildPack.DOCKERIMAGE:
                self._state.update(row, commit=result.commit)
            status = FINISHED
        except DeploymentFailedError:
            status = FAILED
        except asyncio.CancelledError as stop:
            if stop.args == ("shutdown",):
                raise
            status = CANCELLED
        finally:
            current = self._state.by_id("deployment", row.id)
            if current is not None and current["status"] == IN_PROGRESS and status != IN_PROGRESS:
                self._state.update(row, status=status)
            self._state.update(row, finished_at=timestamp())

    def cancel(self, row: Row) -> None:
        """Cancel a deployment that has not ended."""
        self._state.update(row, status=CANCELLED)
        job = self._jobs.get(row["deployment_uuid"])
        if job is not None:
            job.cancel()
        else:
            self._state.update(row, finished_at=timestamp())

    def abandon(self, deployment_uuid: str) -> None:
        """Stop a job without a word, as when the worker's machine goes down."""
        job = self._jobs.get(deployment_uuid)
        if job is not None:
            job.cancel("shutdown")

    async def stop_application(self, row: Row) -> None:
        """Queue the stop of an application; the answer does not wait for it."""
        self.later(self.runtime.stop(str(row.uuid)))

    async def clean_up(self, server: Row, execution: Row) -> None:
        """Queue a cleaning of a server; the answer does not wait for it."""

        async def clean() -> None:
            applications = self._state.all("application", server_id=server.id)
            retains = not server["settings"]["disable_application_image_retention"]
            keep = {str(one.uuid): one["settings"]["docker_images_to_keep"] if retains else 0 for one in applications}
            before, after = await self.runtime.clean_up(keep)
            message = f"Manual Docker cleanup job executed successfully. Disk usage before: {before}%, "
            message += f"Disk usage after: {after}%."
            self._state.update(execution, status="success", message=message, finished_at=timestamp())

        self.later(clean())

    async def restart_proxy(self) -> None:
        """Queue a restart of the proxy; the answer does not wait for it."""
        self.later(self.runtime.restart_proxy())

    async def delete_application(self, row: Row) -> None:
        """Queue the removal of an application; it can still be read until that is done."""

        async def remove() -> None:
            await self.runtime.delete(str(row.uuid))
            for variable in self._state.all("variable", application_id=row.id):
                self._state.delete(variable)
            self._state.delete(row)

        self.later(remove())

    async def delete_container(self, container: str) -> None:
        """Queue the removal of a preview's container."""
        self.later(self.runtime.delete(container))

    async def delete_later(self, row: Row) -> None:
        """Queue the removal of a database or a service; it can still be read until that is done."""

        async def remove() -> None:
            await asyncio.sleep(self._DELETION_SECONDS)
            self._state.delete(row)

        self.later(remove())

    def later(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something for which the answer does not wait; it ends with the queue."""
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)


class _Log:
    """The log of a deployment: a JSON text that grows by whole rewrites."""

    def __init__(self, state: State, row: Row) -> None:
        self._state = state
        self._row = row
        self._entries: list[dict[str, Any]] = []

    def add(self, entry: LogEntry) -> None:
        order = len(self._entries) + 1
        self._entries.append(
            {
                "command": entry.command,
                "output": entry.output,
                "type": entry.type,
                "timestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
                "hidden": entry.hidden,
                "batch": 1,
            }
            # The first entry of a real log has no order.
            | ({"order": order} if order > 1 else {})
        )
        self._state.update(self._row, logs=json.dumps(self._entries))


def _request_of(state: State, row: Row, application: Row) -> DeployRequest:
    """Collect what the job needs, as the application is configured when the job starts."""
    commit = str(row["commit"])
    settings = application["settings"]
    pack = BuildPack(application["build_pack"])
    from_git = pack is not BuildPack.DOCKERIMAGE and application["dockerfile"] is None
    if from_git and commit != "HEAD" and not row["rollback"] and not at_least_version(state.settings.version, "4.2.0"):
        # Before 4.2.0 a pinned commit is ignored (trap 7).
        commit = "HEAD"
    services = json.loads(application["docker_compose_domains"] or "{}") if pack is BuildPack.DOCKERCOMPOSE else {}
    urls = [url for one in services.values() for url in split_domains(one["domain"])]
    urls = urls if pack is BuildPack.DOCKERCOMPOSE else split_domains(application["fqdn"])
    key = state.by_id("key", application["private_key_id"]) if application["private_key_id"] else None
    ports = tuple(int(port) for port in str(application["ports_exposes"] or "80").split(","))
    runtime_environment, build_environment = _environments(state, row, application, commit)
    return DeployRequest(
        application_uuid=container_of(application, row["pull_request_id"]),
        application_name=application["name"],
        deployment_uuid=row["deployment_uuid"],
        build_pack=pack,
        git_repository=application["git_repository"] or "",
        git_branch=application["git_branch"] or "main",
        commit=commit,
        base_directory=application["base_directory"] or "/",
        publish_directory=application["publish_directory"] or "/",
        install_command=application["install_command"],
        build_command=application["build_command"],
        start_command=application["start_command"],
        pre_deployment_command=application["pre_deployment_command"],
        post_deployment_command=application["post_deployment_command"],
        dockerfile=application["dockerfile"],
        dockerfile_location=application["dockerfile_location"] or "/Dockerfile",
        docker_compose_location=application["docker_compose_location"] or "/docker-compose.yaml",
        compose_service=next(iter(services), None),
        private_key=key["private_key"] if key is not None else None,
        image_name=application["docker_registry_image_name"],
        image_tag=row["docker_registry_image_tag"] or application["docker_registry_image_tag"],
        ports_exposes=ports,
        runtime_environment=runtime_environment,
        build_environment=build_environment,
        routes=tuple(_routes(urls, application, row["pull_request_id"])),
        force_https=settings["is_force_https_enabled"],
        health_check=_health_check(application),
        rolling_update=not (
            row["pull_request_id"]
            or pack is BuildPack.DOCKERCOMPOSE
            or application["ports_mappings"]
            or settings["is_consistent_container_name_enabled"]
            or settings["custom_internal_name"]
        ),
        force_rebuild=row["force_rebuild"],
        restart_only=row["restart_only"],
        rollback=row["rollback"],
        images_to_keep=settings["docker_images_to_keep"],
        memory_bytes=_bytes(application["limits_memory"]),
        labels=tuple(plain_labels(application["custom_labels"]).splitlines()),
    )


def _bytes(limit: str | None) -> int | None:
    """Return a limit as Docker reads it (`512m`), None for none (`0`)."""
    number, unit = re.fullmatch(r"(\d+)([bkmg]?)", str(limit or "0").lower()).groups()  # type: ignore[union-attr]
    return int(number) * 1024 ** ("bkmg".index(unit) if unit else 0) or None


def _routes(urls: Iterable[str], application: Row, pull_request_id: int) -> Iterator[Route]:
    """Return where visitors get in: previews have hosts of their own, by the template."""
    for url in urls:
        route = _route(url)
        if not pull_request_id:
            yield route
            continue
        template = application["preview_url_template"] or "{{pr_id}}.{{domain}}"
        host = template.replace("{{pr_id}}", str(pull_request_id)).replace("{{domain}}", route.host)
        yield replace(route, host=host.replace("{{random}}", str(application.uuid)))


def _route(url: str) -> Route:
    parts = urlsplit(url)
    scheme: Literal["http", "https"] = "https" if parts.scheme == "https" else "http"
    return Route(scheme, parts.hostname or "", parts.path or "/", parts.port)


def _health_check(application: Row) -> HealthCheck:
    port = application["health_check_port"]
    return HealthCheck(
        enabled=application["health_check_enabled"],
        path=application["health_check_path"] or "/",
        port=int(port) if port else None,
        host=application["health_check_host"] or "localhost",
        method=application["health_check_method"],
        scheme=application["health_check_scheme"],
        return_code=int(application["health_check_return_code"]),
        response_text=application["health_check_response_text"],
        interval=float(application["health_check_interval"]),
        timeout=float(application["health_check_timeout"]),
        retries=int(application["health_check_retries"]),
        start_period=float(application["health_check_start_period"]),
        command=application["health_check_command"] if application["health_check_type"] == "cmd" else None,
    )


def _environments(state: State, row: Row, application: Row, commit: str) -> tuple[dict[str, str], dict[str, str]]:
    """Return run-time and build-time variables: those of production or of previews, and Coolify's own."""
    urls = split_domains(application["fqdn"])
    own = {
        "COOLIFY_URL": ",".join(urls),
        "COOLIFY_FQDN": ",".join(urlsplit(url).netloc for url in urls),
        "COOLIFY_BRANCH": application["git_branch"] or "",
        "COOLIFY_RESOURCE_UUID": str(application.uuid),
        "COOLIFY_CONTAINER_NAME": f"{application.uuid}-{row.id}",
    }
    if application["build_pack"] in _BUILT_FROM_GIT and commit != "HEAD":
        own["SOURCE_COMMIT"] = commit
    variables = state.all("variable", application_id=application.id, is_preview=bool(row["pull_request_id"]))
    runtime = {one["key"]: one["value"] or "" for one in variables if one["is_runtime"]}
    build = {one["key"]: one["value"] or "" for one in variables if one["is_buildtime"]}
    return own | runtime, own | build
