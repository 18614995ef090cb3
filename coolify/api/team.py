"""What belongs to a team: shared variables, notifications, one-click services, the API switch."""

import base64
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from coolify.api.application_specs import VariableWrite
from coolify.api.capabilities import Capabilities, Feature
from coolify.api.errors import AmbiguousNameError, BadRequestError, EndpointMissingError
from coolify.api.models import Answer, Variable, listing
from coolify.api.placement import Placement
from coolify.api.reconcile import Ensured, create_once
from coolify.api.transport import Transport

__all__ = [
    "Channel",
    "ChannelSettings",
    "Instance",
    "Notifications",
    "Resource",
    "Service",
    "ServiceSettings",
    "ServiceSpec",
    "Services",
    "SharedScope",
    "SharedVariable",
    "SharedVariables",
]

CapabilitiesSource = Callable[[], Awaitable[Capabilities]]


@dataclass(frozen=True, slots=True)
class SharedScope:
    """Who shares variables; referred to in values as `{{team.KEY}}`, `{{project.KEY}}` and so on."""

    path: str

    @classmethod
    def team(cls) -> Self:
        """Everything of the team."""
        return cls("/team/envs")

    @classmethod
    def project(cls, uuid: str) -> Self:
        """Everything in a project."""
        return cls(f"/projects/{uuid}/envs")

    @classmethod
    def environment(cls, project_uuid: str, name: str) -> Self:
        """Everything in an environment."""
        return cls(f"/projects/{project_uuid}/environments/{name}/envs")

    @classmethod
    def server(cls, uuid: str) -> Self:
        """Everything on a server."""
        return cls(f"/servers/{uuid}/envs")


class SharedVariable(Answer):
    """A variable that many share; the value comes only with `read:sensitive`."""

    id: int
    key: str
    value: SecretStr | None = None
    comment: str | None = None


_SHARED: Final = listing(SharedVariable)


class SharedVariables:
    """Variables of teams, projects, environments and servers (reference 1.2; 4.3.0 and later)."""

    def __init__(self, transport: Transport, capabilities: CapabilitiesSource) -> None:
        self._transport = transport
        self._capabilities = capabilities

    async def list(self, scope: SharedScope) -> tuple[SharedVariable, ...]:
        """Return the variables of a scope."""
        (await self._capabilities()).require(Feature.SHARED_VARIABLES)
        return _SHARED.validate_python(await self._transport.get(scope.path))

    async def ensure(self, scope: SharedScope, key: str, value: SecretStr) -> SharedVariable:
        """Bring a variable to this value, created if there is none."""
        found = await self._find(scope, key)
        if found is None:
            return await self._create(scope, key, value)
        if found.value != value:
            body = {"key": key, "value": value.get_secret_value()}
            await self._transport.patch(f"{scope.path}/{found.id}", body)
        return found.model_copy(update={"value": value})

    async def delete(self, scope: SharedScope, variable_id: int) -> None:
        """Delete a variable."""
        await self._transport.delete(f"{scope.path}/{variable_id}")

    async def _create(self, scope: SharedScope, key: str, value: SecretStr) -> SharedVariable:
        async def send() -> SharedVariable:
            body = {"key": key, "value": value.get_secret_value()}
            answer = await self._transport.post_once(scope.path, body)
            return SharedVariable(id=int(answer["id"]), key=key, value=value)

        return await create_once(send, lambda: self._find(scope, key))

    async def _find(self, scope: SharedScope, key: str) -> SharedVariable | None:
        return next((one for one in await self.list(scope) if one.key == key), None)


class Channel(StrEnum):
    """Ways by which Coolify tells a team what happens."""

    EMAIL = "email"
    DISCORD = "discord"
    SLACK = "slack"
    TELEGRAM = "telegram"
    PUSHOVER = "pushover"
    WEBHOOK = "webhook"


class ChannelSettings(Answer):
    """Settings of a channel as they are; secrets are there only with `read:sensitive`."""

    channel: Channel
    settings: Mapping[str, bool | int | str | None] = Field(repr=False)

    @property
    def events(self) -> frozenset[str]:
        """Events that are told, for example `deployment_failure`."""
        ending = f"_{self.channel.value}_notifications"
        return frozenset(
            name.removesuffix(ending) for name, on in self.settings.items() if name.endswith(ending) and on
        )


class Notifications:
    """`/notifications/{channel}` (reference 6.3; 4.3.0 and later); for the whole team."""

    def __init__(self, transport: Transport, capabilities: CapabilitiesSource) -> None:
        self._transport = transport
        self._capabilities = capabilities

    async def get(self, channel: Channel) -> ChannelSettings:
        """Return the settings of a channel."""
        (await self._capabilities()).require(Feature.NOTIFICATIONS)
        answer = await self._transport.get(f"/notifications/{channel.value}")
        return ChannelSettings(channel=channel, settings=answer)

    async def set(
        self, channel: Channel, settings: Mapping[str, bool | int | str | SecretStr], events: Mapping[str, bool]
    ) -> ChannelSettings:
        """Change settings and events of a channel.

        Args:
            channel: Which one.
            settings: The channel's own fields, for example `slack_webhook_url`.
            events: Event -> whether it is told.
        """
        (await self._capabilities()).require(Feature.NOTIFICATIONS)
        own = {
            name: value.get_secret_value() if isinstance(value, SecretStr) else value
            for name, value in settings.items()
        }
        told = {f"{event}_{channel.value}_notifications": on for event, on in events.items()}
        answer = await self._transport.patch(f"/notifications/{channel.value}", own | told)
        return ChannelSettings(channel=channel, settings=answer)


class Service(Answer):
    """A one-click service, or one of an own compose file."""

    uuid: str
    name: str
    description: str | None = None
    environment_id: int | None = None
    status: str | None = None


class ServiceSpec(BaseModel):
    """A service that is to exist: either a type of Coolify's catalogue or a compose file of one's own."""

    model_config = ConfigDict(frozen=True, defer_build=True, extra="forbid")

    name: str
    placement: Placement
    type: str | None = None
    compose: str | None = Field(default=None, description="Compose file as plain text.")

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.type is None) == (self.compose is None):
            raise ValueError("a service has either a type or a compose file")
        return self

    def body(self) -> dict[str, Any]:
        """Return the request body."""
        body = self.placement.model_dump(exclude_none=True) | {"name": self.name, "instant_deploy": False}
        if self.compose is not None:
            return body | {"docker_compose_raw": base64.b64encode(self.compose.encode()).decode()}
        return body | {"type": self.type}


class ServiceSettings(BaseModel):
    """What PATCH accepts; what is not set is not sent."""

    model_config = ConfigDict(frozen=True, defer_build=True, extra="forbid")

    name: str | None = None
    description: str | None = None
    compose: str | None = Field(default=None, description="Compose file as plain text.")
    urls: Mapping[str, str] | None = Field(default=None, description="Container -> its comma-separated URLs.")
    force_domain_override: bool | None = None

    def body(self) -> dict[str, Any]:
        """Return the request body of exactly the fields that were set."""
        body = self.model_dump(exclude_unset=True, exclude={"compose", "urls"})
        if self.compose is not None:
            body["docker_compose_raw"] = base64.b64encode(self.compose.encode()).decode()
        if self.urls is not None:
            body["urls"] = [{"name": name, "url": url} for name, url in self.urls.items()]
        return body


_VARIABLES: Final = listing(Variable)
_SERVICES: Final = listing(Service)


class Services:
    """`/services` (reference 5.5). Starts leave no record: poll the status."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def list(self) -> tuple[Service, ...]:
        """Return all services of the team."""
        return _SERVICES.validate_python(await self._transport.get("/services"))

    async def get(self, uuid: str) -> Service:
        """Return one service."""
        return Service.model_validate(await self._transport.get(f"/services/{uuid}"))

    async def find(self, environment_id: int, name: str) -> Service | None:
        """Return the only service with this name in the environment, None if there is none.

        Raises:
            AmbiguousNameError: Several have this name.
        """
        fitting = [one for one in await self.list() if one.name == name and one.environment_id == environment_id]
        if len(fitting) > 1:
            raise AmbiguousNameError(
                f"There are {len(fitting)} services named '{name}' in this environment "
                f"({', '.join(one.uuid for one in fitting)}): rename or delete all but one in Coolify."
            )
        return fitting[0] if fitting else None

    async def ensure(self, spec: ServiceSpec, environment_id: int) -> Ensured[Service]:
        """Return the service with this name, created (not started) if there is none."""
        found = await self.find(environment_id, spec.name)
        if found is not None:
            return Ensured(found, created=False)

        async def send() -> Service:
            answer = await self._transport.post_once("/services", spec.body())
            return await self.get(str(answer["uuid"]))

        return Ensured(await create_once(send, lambda: self.find(environment_id, spec.name)), created=True)

    async def update(self, uuid: str, settings: ServiceSettings) -> None:
        """Change exactly the given settings; a new compose file takes effect with the next start."""
        body = settings.body()
        if body:
            await self._transport.patch(f"/services/{uuid}", body)

    async def variables(self, uuid: str) -> tuple[Variable, ...]:
        """Return the environment variables, Coolify's own among them."""
        return _VARIABLES.validate_python(await self._transport.get(f"/services/{uuid}/envs"))

    async def set_variables(self, uuid: str, variables: Sequence[VariableWrite]) -> None:
        """Create or replace environment variables; nothing is deleted."""
        if variables:
            names = {"key", "value", "is_literal", "is_multiline", "is_shown_once", "comment"}
            items = [{name: one for name, one in item.body().items() if name in names} for item in variables]
            await self._transport.patch(f"/services/{uuid}/envs/bulk", {"data": items})

    async def delete_variable(self, uuid: str, variable_uuid: str) -> None:
        """Delete one environment variable."""
        await self._transport.delete(f"/services/{uuid}/envs/{variable_uuid}")

    async def start(self, uuid: str) -> bool:
        """Queue the start; return False when it runs already."""
        return await self._act(uuid, "start")

    async def stop(self, uuid: str) -> bool:
        """Queue a stop; return False when it is stopped already."""
        return await self._act(uuid, "stop")

    async def restart(self, uuid: str, *, latest: bool = False) -> None:
        """Queue a restart.

        Args:
            uuid: The service.
            latest: Whether newer images are pulled first.
        """
        await self._transport.post_once(f"/services/{uuid}/restart", query={"latest": latest})

    async def delete(self, uuid: str, *, delete_volumes: bool = False) -> None:
        """Queue the deletion; volumes stay unless asked for (trap 15)."""
        await self._transport.delete(f"/services/{uuid}", {"delete_volumes": delete_volumes})

    async def _act(self, uuid: str, action: str) -> bool:
        try:
            await self._transport.post_once(f"/services/{uuid}/{action}")
        except BadRequestError:
            return False
        return True


class Resource(Answer):
    """Anything that runs: an application, a service or a database."""

    uuid: str
    name: str
    type: str
    """`application`, `service`, or `standalone-` and the engine of a database."""
    environment_id: int | None = None
    status: str = ""


_RESOURCES: Final = listing(Resource)


class Instance:
    """The API switch and the list of everything; tokens of the root team only."""

    def __init__(self, transport: Transport, capabilities: CapabilitiesSource) -> None:
        self._transport = transport
        self._capabilities = capabilities

    async def enable_api(self) -> None:
        """Switch the API on; works while it is off, when the version cannot be asked for."""
        try:
            await self._transport.post("/enable")
        except EndpointMissingError:
            await self._transport.get("/enable")

    async def disable_api(self) -> None:
        """Switch the API off for all but this switch."""
        if (await self._capabilities()).supports(Feature.POST_SWITCHES):
            await self._transport.post("/disable")
        else:
            await self._transport.get("/disable")

    async def resources(self) -> tuple[Resource, ...]:
        """Return everything that the team runs; one heavy answer without pages."""
        return _RESOURCES.validate_python(await self._transport.get("/resources"))
