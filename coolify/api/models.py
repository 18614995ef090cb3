"""What Coolify answers, as far as we use it.

Unknown fields are ignored. Sensitive fields vanish without the ability (trap 19): such a field is `None` here and
`model_fields_set` tells whether it was there, through properties named `..._known`.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, TypeAdapter

from coolify.api.capabilities import CoolifyVersion

__all__ = [
    "Ability",
    "Access",
    "Answer",
    "Application",
    "ApplicationState",
    "Deployment",
    "DeploymentPage",
    "DeploymentStatus",
    "Destination",
    "Environment",
    "LogLine",
    "PrivateKey",
    "Project",
    "RollbackImage",
    "RollbackImages",
    "Server",
    "ServerSettings",
    "Team",
    "Variable",
    "listing",
]

T = TypeVar("T")


class Answer(BaseModel):
    """Base of all models of answers."""

    model_config = ConfigDict(frozen=True, defer_build=True, extra="ignore", populate_by_name=True)


def listing(kind: type[T]) -> TypeAdapter[tuple[T, ...]]:
    """Return what validates a list of answers; pydantic prepares it when the first list has come."""
    return TypeAdapter(tuple[kind, ...], config=ConfigDict(defer_build=True))  # type: ignore[valid-type]


class Ability(StrEnum):
    """Abilities of a token (reference 0.2); they are independent of each other."""

    READ = "read"
    READ_SENSITIVE = "read:sensitive"
    WRITE = "write"
    DEPLOY = "deploy"


class Team(Answer):
    """A team."""

    id: int
    name: str


class Access(BaseModel):
    """Who we are on a server and what we may do, found without changing anything."""

    model_config = ConfigDict(frozen=True, defer_build=True, arbitrary_types_allowed=True)

    version: CoolifyVersion
    team: Team
    abilities: frozenset[Ability]
    unknown: frozenset[Ability] = frozenset()
    """Abilities that nothing on the server could prove or disprove."""

    def lacks(self, ability: Ability) -> bool:
        """Return whether the ability is certainly missing."""
        return ability not in self.abilities and ability not in self.unknown


class Environment(Answer):
    """An environment of a project."""

    uuid: str
    name: str
    id: int | None = None


class Project(Answer):
    """A project; its environments come with a single read only."""

    uuid: str
    name: str
    description: str | None = None
    environments: tuple[Environment, ...] = ()


class ServerSettings(Answer):
    """Settings of a server that matter for deployments."""

    is_reachable: bool = False
    is_usable: bool = False
    concurrent_builds: int = 2
    deployment_queue_limit: int = 25
    dynamic_timeout: int = 3600
    server_disk_usage_notification_threshold: int = 80
    """Percent of disk use from which Coolify warns."""
    wildcard_domain: str | None = None
    server_timezone: str | None = None
    """Time zone in which frequencies of schedules are meant."""


class Server(Answer):
    """A server that Coolify deploys to."""

    uuid: str
    name: str
    ip: str
    user: str = "root"
    port: int = 22
    settings: ServerSettings = ServerSettings()
    is_coolify_host: bool = False
    high_disk_usage_notification_sent: bool = False
    """Whether Coolify has warned of the disk, and has not seen it better since."""


class Destination(Answer):
    """A Docker network on a server."""

    uuid: str
    name: str
    network: str
    server_uuid: str | None = None


class PrivateKey(Answer):
    """A private key, without its private half."""

    uuid: str
    name: str
    id: int | None = None
    public_key: str | None = None


class ApplicationState(Answer):
    """The two halves of an application's `status` (reference 4.5)."""

    state: str
    health: str

    @property
    def is_running(self) -> bool:
        """Whether the container runs, whatever its health."""
        return self.state == "running"


class Application(Answer):
    """An application; settings are kept by their API names in `settings`."""

    uuid: str
    name: str
    description: str | None = None
    fqdn: str | None = None
    """Comma-separated URLs; written as `domains` (trap 18)."""
    build_pack: str | None = None
    git_repository: str | None = None
    git_branch: str | None = None
    git_commit_sha: str | None = None
    docker_registry_image_name: str | None = None
    docker_registry_image_tag: str | None = None
    environment_id: int | None = None
    status: str = "exited:unhealthy"
    custom_labels: str | None = None
    raw: dict[str, Any] = Field(default_factory=dict, repr=False)
    """Top-level fields as read, with those of the `settings` block (4.2.0 and later) beside them."""

    @property
    def parsed_status(self) -> ApplicationState:
        """State and health, also of old rows written `running (healthy)`."""
        state, _, health = self.status.replace(" (", ":").rstrip(")").partition(":")
        return ApplicationState(state=state, health=health or "unknown")

    @property
    def server_uuid(self) -> str | None:
        """UUID of the server that it runs on, None where the answer does not tell."""
        destination = self.raw.get("destination")
        server = destination.get("server") if isinstance(destination, dict) else None
        return str(server["uuid"]) if isinstance(server, dict) and "uuid" in server else None

    @property
    def labels_known(self) -> bool:
        """Whether the token may see labels at all."""
        return "custom_labels" in self.model_fields_set


class Variable(Answer):
    """An environment variable of an application; every key may exist twice (trap 10)."""

    uuid: str
    key: str
    is_preview: bool = False
    value: SecretStr | None = None
    is_literal: bool = False
    is_multiline: bool = False
    is_shown_once: bool = False
    is_runtime: bool = True
    is_buildtime: bool = True
    is_coolify: bool = False
    is_buildpack_control: bool = False
    comment: str | None = None

    @property
    def value_known(self) -> bool:
        """Whether Coolify told the value; it never does for `is_shown_once`, nor without `read:sensitive`."""
        return "value" in self.model_fields_set and not self.is_shown_once


class DeploymentStatus(StrEnum):
    """Life of a deployment; mind the hyphens of the last one (trap 5)."""

    QUEUED = "queued"
    IN_PROGRESS = "in_progress"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled-by-user"

    @property
    def is_terminal(self) -> bool:
        """Whether it never changes again."""
        return self in {DeploymentStatus.FINISHED, DeploymentStatus.FAILED, DeploymentStatus.CANCELLED}


class Deployment(Answer):
    """A deployment. `finished` is not healthy (trap 4)."""

    id: int | None = None
    deployment_uuid: str
    status: DeploymentStatus
    application_id: str | None = None
    """A number that nothing else shows (trap 31); equal for deployments of the same application."""
    commit: str = "HEAD"
    commit_message: str | None = None
    application_name: str | None = None
    server_name: str | None = None
    pull_request_id: int = 0
    docker_registry_image_tag: str | None = None
    rollback: bool = False
    restart_only: bool = False
    deployment_url: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    finished_at: datetime | None = None
    logs: str | None = Field(default=None, repr=False)

    @property
    def last_heard(self) -> datetime | None:
        """When Coolify last wrote to it, which it does with every line of the log."""
        return self.updated_at or self.created_at

    @property
    def log(self) -> "tuple[LogLine, ...] | None":
        """The log in order, as far as it is written; None where there is none yet, or the token may not see it."""
        if self.logs is None:
            return None
        return tuple(sorted(_LOG.validate_json(self.logs), key=lambda line: line.order))


class DeploymentPage(Answer):
    """A page of an application's deployments, newest first."""

    count: int = 0
    deployments: tuple[Deployment, ...] = ()


class LogLine(Answer):
    """One entry of a deployment's log (reference 4.3)."""

    output: str = ""
    command: str | None = None
    type: str = "stdout"
    hidden: bool = False
    timestamp: datetime | None = None
    order: int = 1


_LOG = listing(LogLine)


class RollbackImage(Answer):
    """An image that is still on the server."""

    tag: str
    created_at: str | None = None
    is_current: bool = False


class RollbackImages(Answer):
    """The images that a rollback can use without a build."""

    current: str | None = None
    images: Annotated[tuple[RollbackImage, ...], BeforeValidator(lambda images: images or ())] = ()

    def tags(self) -> frozenset[str]:
        """Return the usable tags; `<sha>-build` ones are left-overs of builds."""
        return frozenset(image.tag for image in self.images if not image.tag.endswith("-build"))
