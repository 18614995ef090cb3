"""Moving applications, databases and services to another environment, and cloning them (reference 2.3)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Final

from coolify.api.capabilities import Capabilities, Feature
from coolify.api.errors import AmbiguousNameError
from coolify.api.models import Answer, listing
from coolify.api.reconcile import create_once
from coolify.api.transport import Transport

__all__ = ["Relocation", "ResourceKind"]


class ResourceKind(StrEnum):
    """What can be moved and cloned; the value is the segment of the path."""

    APPLICATION = "applications"
    DATABASE = "databases"
    SERVICE = "services"


class _Named(Answer):
    uuid: str
    name: str


_ALL: Final = listing(_Named)


class Relocation:
    """`/{kind}/{uuid}/move` and `/{kind}/{uuid}/clone`."""

    def __init__(self, transport: Transport, capabilities: Callable[[], Awaitable[Capabilities]]) -> None:
        self._transport = transport
        self._capabilities = capabilities

    async def move(self, kind: ResourceKind, uuid: str, environment_uuid: str) -> None:
        """Put something into another environment; it keeps running (4.2.0 and later)."""
        (await self._capabilities()).require(Feature.MOVE)
        # To be where it shall be already is no error: it may be repeated.
        await self._transport.post(f"/{kind.value}/{uuid}/move", {"environment_uuid": environment_uuid})

    async def clone(
        self, kind: ResourceKind, uuid: str, destination_uuid: str, name: str, *, clone_volumes: bool = False
    ) -> str:
        """Copy something with its variables and tasks, and return the copy's UUID (4.3.0 and later).

        The name has to be new, so that the copy can be found when the answer is lost.

        Args:
            kind: What it is.
            uuid: The original.
            destination_uuid: Network that the copy is to be on.
            name: Name of the copy.
            clone_volumes: Whether what the volumes contain is copied too.

        Raises:
            AmbiguousNameError: There is something of this kind with this name.
        """
        (await self._capabilities()).require(Feature.CLONE)

        async def find() -> str | None:
            everything = _ALL.validate_python(await self._transport.get(f"/{kind.value}"))
            return next((one.uuid for one in everything if one.name == name), None)

        existing = await find()
        if existing is not None:
            raise AmbiguousNameError(f"The name '{name}' is taken by {existing}: choose another one for the copy.")

        async def send() -> str:
            body = {"destination_uuid": destination_uuid, "name": name, "clone_volumes": clone_volumes}
            answer = await self._transport.post_once(f"/{kind.value}/{uuid}/clone", body)
            return str(answer["uuid"])

        return await create_once(send, find)
