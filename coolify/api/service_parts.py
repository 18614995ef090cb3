"""Containers of a service, one by one (reference 5.5; 4.2.0 and later)."""

from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from coolify.api.capabilities import Capabilities, Feature
from coolify.api.models import Answer, listing
from coolify.api.transport import Transport

__all__ = ["PartKind", "ServicePart", "ServicePartWrite", "ServiceParts"]


class PartKind(StrEnum):
    """What Coolify takes a container for, by its image; the value is the segment of the path."""

    APPLICATION = "applications"
    DATABASE = "databases"


class ServicePart(Answer):
    """A container of a service."""

    uuid: str
    name: str
    human_name: str | None = None
    image: str | None = None
    status: str = ""
    fqdn: str | None = None
    """Comma-separated URLs of an application; written as `url`."""


class ServicePartWrite(BaseModel):
    """What PATCH accepts; what is not set is not sent."""

    model_config = ConfigDict(frozen=True, defer_build=True, extra="forbid")

    url: str | None = None
    human_name: str | None = None
    description: str | None = None
    image: str | None = None
    exclude_from_status: bool | None = None
    is_log_drain_enabled: bool | None = None
    is_gzip_enabled: bool | None = None
    is_stripprefix_enabled: bool | None = None
    is_public: bool | None = None
    public_port: int | None = None
    public_port_timeout: int | None = None

    def body(self, kind: PartKind) -> dict[str, Any]:
        """Return the request body of exactly the fields that were set.

        Raises:
            ValueError: Containers of this kind have no such setting.
        """
        foreign = self.model_fields_set & _FOREIGN[kind]
        if foreign:
            raise ValueError(f"{kind.value} of a service have no setting '{min(foreign)}'.")
        return self.model_dump(exclude_unset=True)


_FOREIGN: Final = {
    PartKind.APPLICATION: frozenset({"is_public", "public_port", "public_port_timeout"}),
    PartKind.DATABASE: frozenset({"url", "is_gzip_enabled", "is_stripprefix_enabled"}),
}
_PARTS: Final = listing(ServicePart)


class ServiceParts:
    """`/services/{uuid}/applications` and `/services/{uuid}/databases`."""

    def __init__(self, transport: Transport, capabilities: Callable[[], Awaitable[Capabilities]]) -> None:
        self._transport = transport
        self._capabilities = capabilities

    async def list(self, service_uuid: str, kind: PartKind) -> tuple[ServicePart, ...]:
        """Return the containers of one kind."""
        return _PARTS.validate_python(await self._transport.get(await self._path(service_uuid, kind)))

    async def get(self, service_uuid: str, kind: PartKind, part_uuid: str) -> ServicePart:
        """Return one container."""
        return ServicePart.model_validate(await self._transport.get(await self._path(service_uuid, kind, part_uuid)))

    async def update(
        self, service_uuid: str, kind: PartKind, part_uuid: str, settings: ServicePartWrite
    ) -> ServicePart:
        """Change exactly the given settings."""
        path = await self._path(service_uuid, kind, part_uuid)
        return ServicePart.model_validate(await self._transport.patch(path, settings.body(kind)))

    async def start(self, service_uuid: str, kind: PartKind, part_uuid: str) -> None:
        """Queue the start of one container."""
        await self._transport.post_once(await self._path(service_uuid, kind, part_uuid, "start"))

    async def restart(self, service_uuid: str, kind: PartKind, part_uuid: str) -> None:
        """Queue a restart of one container."""
        await self._transport.post_once(await self._path(service_uuid, kind, part_uuid, "restart"))

    async def stop(self, service_uuid: str, kind: PartKind, part_uuid: str) -> None:
        """Queue a stop of one container."""
        await self._transport.post_once(await self._path(service_uuid, kind, part_uuid, "stop"))

    async def logs(self, service_uuid: str, kind: PartKind, part_uuid: str, lines: int = 100) -> str:
        """Return the last lines of a running container."""
        path = await self._path(service_uuid, kind, part_uuid, "logs")
        return str((await self._transport.get(path, {"lines": lines})).get("logs") or "")

    async def _path(self, service_uuid: str, kind: PartKind, *more: str) -> str:
        (await self._capabilities()).require(Feature.SERVICE_PARTS)
        return "/".join((f"/services/{service_uuid}/{kind.value}", *more))
