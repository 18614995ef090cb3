"""`/servers` with what is set up on them, and their networks (reference 1.3, 1.4, 6.1)."""

from collections.abc import Awaitable, Callable
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from coolify.api.capabilities import Capabilities, Feature
from coolify.api.errors import ConflictError
from coolify.api.models import Answer, Destination, Server, listing
from coolify.api.reconcile import Ensured, create_once
from coolify.api.transport import Transport

__all__ = [
    "Destinations",
    "DockerCleanup",
    "ProxyState",
    "Sentinel",
    "ServerDomains",
    "ServerResource",
    "ServerSettingsWrite",
    "ServerSpec",
    "Servers",
]


class ServerSpec(BaseModel):
    """A server that Coolify is to deploy to over SSH."""

    model_config = ConfigDict(frozen=True, defer_build=True, extra="forbid")

    name: str
    ip: str = Field(description="IP address or host name; unique on the whole instance.")
    private_key_uuid: str
    port: int = 22
    user: str = "root"
    description: str | None = None


class ServerSettingsWrite(BaseModel):
    """What PATCH of a server accepts; what is not set is not sent."""

    model_config = ConfigDict(frozen=True, defer_build=True, extra="forbid")

    name: str | None = None
    description: str | None = None
    ip: str | None = None
    port: int | None = None
    user: str | None = None
    private_key_uuid: str | None = None
    is_build_server: bool | None = None
    proxy_type: Literal["traefik", "caddy", "nginx", "none"] | None = None
    concurrent_builds: int | None = Field(default=None, ge=1)
    dynamic_timeout: int | None = Field(default=None, ge=1, description="Seconds that a deployment may take.")
    deployment_queue_limit: int | None = Field(default=None, ge=1)
    connection_timeout: int | None = Field(default=None, ge=1, le=300)
    server_disk_usage_notification_threshold: int | None = Field(default=None, ge=1, le=100)
    server_disk_usage_check_frequency: str | None = None


class ServerResource(Answer):
    """Something that runs on a server."""

    uuid: str
    name: str
    type: str
    status: str = ""


class ServerDomains(Answer):
    """Host names that lead to resources of one address."""

    ip: str
    domains: tuple[str, ...] = ()


class ProxyState(Answer):
    """The proxy that terminates TLS (4.3.0)."""

    proxy_type: str | None = None
    status: str | None = None
    redirect_enabled: bool | None = None


class Sentinel(Answer):
    """The agent that reports a server's state (4.3.0); `sentinel_updated_at` is its heartbeat."""

    is_sentinel_enabled: bool = False
    is_metrics_enabled: bool = False
    sentinel_updated_at: str | None = None


class DockerCleanup(Answer):
    """When old images and volumes are removed (4.3.0)."""

    docker_cleanup_frequency: str
    docker_cleanup_threshold: int
    """Percent of disk use from which it cleans."""
    force_docker_cleanup: bool = False
    delete_unused_volumes: bool = False
    delete_unused_networks: bool = False
    disable_application_image_retention: bool = False
    """Whether no image is kept, so that nothing can be rolled back without a build."""


_SERVERS: Final = listing(Server)
_DESTINATIONS: Final = listing(Destination)
_RESOURCES: Final = listing(ServerResource)
_DOMAINS: Final = listing(ServerDomains)


class Servers:
    """`/servers`."""

    def __init__(self, transport: Transport, capabilities: Callable[[], Awaitable[Capabilities]]) -> None:
        self._transport = transport
        self._capabilities = capabilities

    async def list(self) -> tuple[Server, ...]:
        """Return the servers of the team."""
        return _SERVERS.validate_python(await self._transport.get("/servers"))

    async def get(self, uuid: str) -> Server:
        """Return one server with its settings."""
        return Server.model_validate(await self._transport.get(f"/servers/{uuid}"))

    async def ensure(self, spec: ServerSpec) -> Ensured[Server]:
        """Return the server with this address, created (not validated) if there is none."""

        async def find() -> Server | None:
            return next((one for one in await self.list() if one.ip == spec.ip), None)

        found = await find()
        if found is not None:
            return Ensured(found, created=False)

        async def send() -> Server:
            answer = await self._transport.post_once("/servers", spec.model_dump(exclude_none=True))
            return await self.get(str(answer["uuid"]))

        return Ensured(await create_once(send, find), created=True)

    async def validate(self, uuid: str) -> None:
        """Queue a look at the server; there is no id: poll `settings.is_reachable` and `is_usable`."""
        if (await self._capabilities()).supports(Feature.POST_SWITCHES):
            await self._transport.post(f"/servers/{uuid}/validate")
        else:
            await self._transport.get(f"/servers/{uuid}/validate")

    async def resources(self, uuid: str) -> tuple[ServerResource, ...]:
        """Return what runs on a server."""
        return _RESOURCES.validate_python(await self._transport.get(f"/servers/{uuid}/resources"))

    async def domains(self, uuid: str) -> tuple[ServerDomains, ...]:
        """Return the host names that lead to a server's resources, without scheme, port and path."""
        return _DOMAINS.validate_python(await self._transport.get(f"/servers/{uuid}/domains"))

    async def update(self, uuid: str, settings: ServerSettingsWrite) -> None:
        """Change exactly the given settings."""
        body = settings.model_dump(exclude_unset=True)
        if body:
            await self._transport.patch(f"/servers/{uuid}", body)

    async def delete(self, uuid: str) -> None:
        """Delete a server that nothing runs on; `force`, which deletes all that runs there, is never sent."""
        await self._transport.delete(f"/servers/{uuid}")

    async def proxy(self, uuid: str) -> ProxyState:
        """Return kind and state of the proxy."""
        return ProxyState.model_validate(await self._administration(uuid, "proxy"))

    async def sentinel(self, uuid: str) -> Sentinel:
        """Return the state of the reporting agent."""
        return Sentinel.model_validate(await self._administration(uuid, "sentinel"))

    async def docker_cleanup(self, uuid: str) -> DockerCleanup:
        """Return when the server is cleaned."""
        return DockerCleanup.model_validate(await self._administration(uuid, "docker-cleanup"))

    async def set_docker_cleanup(self, uuid: str, cleanup: DockerCleanup) -> DockerCleanup:
        """Change when the server is cleaned."""
        (await self._capabilities()).require(Feature.SERVER_ADMINISTRATION)
        answer = await self._transport.patch(f"/servers/{uuid}/docker-cleanup", cleanup.model_dump())
        return DockerCleanup.model_validate(answer)

    async def _administration(self, uuid: str, what: str) -> Any:  # noqa: ANN401 - JSON
        (await self._capabilities()).require(Feature.SERVER_ADMINISTRATION)
        return await self._transport.get(f"/servers/{uuid}/{what}")


class Destinations:
    """`/servers/{uuid}/destinations` (4.2.0 and later)."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def list(self, server_uuid: str, capabilities: Capabilities) -> tuple[Destination, ...]:
        """Return the Docker networks of a server.

        Raises:
            UnsupportedVersionError: The server cannot list them.
        """
        capabilities.require(Feature.DESTINATIONS)
        return _DESTINATIONS.validate_python(await self._transport.get(f"/servers/{server_uuid}/destinations"))

    async def ensure(self, server_uuid: str, network: str, capabilities: Capabilities) -> Ensured[Destination]:
        """Return the destination of this network, created if there is none."""

        async def find() -> Destination | None:
            return next((one for one in await self.list(server_uuid, capabilities) if one.network == network), None)

        found = await find()
        if found is not None:
            return Ensured(found, created=False)

        async def send() -> Destination:
            body = {"network": network, "name": network}
            return Destination.model_validate(
                await self._transport.post_once(f"/servers/{server_uuid}/destinations", body)
            )

        try:
            return Ensured(await create_once(send, find), created=True)
        except ConflictError:
            existing = await find()
            if existing is None:
                raise
            return Ensured(existing, created=False)

    async def delete(self, uuid: str) -> None:
        """Delete a network that nothing uses."""
        await self._transport.delete(f"/destinations/{uuid}")
