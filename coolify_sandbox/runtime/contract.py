"""What the server half hands to the physical half of the sandbox, and what it gets back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal, Protocol

from coolify_sandbox.runtime.shell import Finished

__all__ = [
    "BuildPack",
    "ContainerStatus",
    "DeployRequest",
    "DeployResult",
    "DeploymentFailedError",
    "HealthCheck",
    "Image",
    "LogEntry",
    "LogSink",
    "Route",
    "Runtime",
]


class BuildPack(StrEnum):
    """Coolify's build packs (reference 2.1); `dockerimage` has none in the API but is one for the builder."""

    NIXPACKS = "nixpacks"
    RAILPACK = "railpack"
    STATIC = "static"
    DOCKERFILE = "dockerfile"
    DOCKERCOMPOSE = "dockercompose"
    DOCKERIMAGE = "dockerimage"


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """Coolify's own health check of a new container (reference 2.2); times in seconds."""

    enabled: bool = False
    path: str = "/"
    port: int | None = None
    host: str = "localhost"
    method: str = "GET"
    scheme: str = "http"
    return_code: int = 200
    response_text: str | None = None
    interval: float = 5
    timeout: float = 5
    retries: int = 10
    start_period: float = 5
    command: str | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """One public URL of an application: the edge routes `host` and `path` to the process."""

    scheme: Literal["http", "https"]
    host: str
    path: str = "/"
    port: int | None = None
    """Container port to route to, None for the first exposed one."""


@dataclass(frozen=True, slots=True)
class DeployRequest:
    """Everything one deployment needs, as Coolify's job reads it when it starts."""

    application_uuid: str
    application_name: str
    deployment_uuid: str
    build_pack: BuildPack
    git_repository: str = ""
    git_branch: str = "main"
    commit: str = "HEAD"
    """`HEAD`, a sha, or for a rollback the image tag to run again."""
    base_directory: str = "/"
    publish_directory: str = "/"
    install_command: str | None = None
    build_command: str | None = None
    start_command: str | None = None
    pre_deployment_command: str | None = None
    post_deployment_command: str | None = None
    dockerfile: str | None = None
    """Inline Dockerfile text of a `dockerfile` application without Git."""
    dockerfile_location: str = "/Dockerfile"
    docker_compose_location: str = "/docker-compose.yaml"
    compose_service: str | None = None
    """Service of the compose file that the routes lead to."""
    private_key: str | None = field(default=None, repr=False)
    """Key with which a private repository is read."""
    image_name: str | None = None
    image_tag: str | None = None
    ports_exposes: tuple[int, ...] = (80,)
    runtime_environment: dict[str, str] = field(default_factory=dict)
    build_environment: dict[str, str] = field(default_factory=dict)
    routes: tuple[Route, ...] = ()
    force_https: bool = True
    health_check: HealthCheck = HealthCheck()
    rolling_update: bool = True
    """False where Coolify stops the old container first and waits for no health (reference 4.3)."""
    force_rebuild: bool = False
    restart_only: bool = False
    rollback: bool = False
    images_to_keep: int = 2
    memory_bytes: int | None = None
    """Memory that the container may use, None for no limit."""
    labels: tuple[str, ...] = ()
    """Container labels, `key=value`, as stored in `custom_labels`."""


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One entry of a deployment's log (reference 4.3)."""

    output: str
    command: str | None = None
    type: Literal["stdout", "stderr"] = "stdout"
    hidden: bool = False


LogSink = Callable[[LogEntry], None]


@dataclass(frozen=True, slots=True)
class DeployResult:
    """A deployment that Coolify calls `finished`."""

    commit: str
    """Resolved sha of a Git application; unchanged otherwise."""
    commit_message: str | None
    image_tag: str


class DeploymentFailedError(Exception):
    """The deployment failed; the log says why. The old process keeps serving where Coolify would keep it."""


@dataclass(frozen=True, slots=True)
class Image:
    """A kept image of one application, as `rollback-images` lists it."""

    tag: str
    created_at: datetime
    is_current: bool


class ContainerStatus(StrEnum):
    """Application status as Coolify spells it (reference 4.5)."""

    RUNNING_HEALTHY = "running:healthy"
    RUNNING_UNHEALTHY = "running:unhealthy"
    RUNNING_UNKNOWN = "running:unknown"
    EXITED = "exited:unhealthy"
    DEGRADED = "degraded:unhealthy"


class Runtime(Protocol):
    """The physical world as the Coolify half sees it."""

    async def deploy(
        self, request: DeployRequest, log: LogSink, resolved: Callable[[str, str | None], None]
    ) -> DeployResult:
        """Build and roll out; cancelling the task stops the build and leaves the old process serving.

        Args:
            request: What to deploy.
            log: Receives the log's entries in order while they happen.
            resolved: Called once with the resolved sha and commit message soon after the job has started.

        Raises:
            DeploymentFailedError: When Coolify would record `failed`.
        """

    async def stop(self, application_uuid: str) -> None:
        """Stop the application's process; its images stay."""

    async def delete(self, application_uuid: str) -> None:
        """Stop the process and remove images and routes."""

    async def restart_proxy(self) -> None:
        """Start the proxy anew: it renews the certificates that are due."""

    async def clean_up(self, keep: Mapping[str, int]) -> tuple[int, int]:
        """Remove the build cache and old images; return how full the disk was before and is now, in percent.

        Args:
            keep: Application -> number of its images that stay besides the running one.
        """

    async def status(self, application_uuid: str) -> ContainerStatus:
        """Return the state of the application's process right now."""

    async def images(self, application_uuid: str) -> tuple[Image, ...]:
        """Return the kept images, newest first."""

    async def execute(self, application_uuid: str, command: str) -> Finished | None:
        """Run a shell command in the application's container, return None when it does not run."""

    async def logs(self, application_uuid: str, lines: int, *, times: bool = False) -> str | None:
        """Return the last lines that the running process printed, None when it does not run."""
