"""`/applications` and their variables (reference 2)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

from coolify.api.answers import plain_text
from coolify.api.capabilities import Capabilities, Feature
from coolify.api.errors import AmbiguousNameError, NotFoundError
from coolify.api.inventory import Environments
from coolify.api.models import Application, Destination, RollbackImages, Variable, listing
from coolify.api.placement import Placement
from coolify.api.reconcile import Ensured, create_once
from coolify.api.transport import Transport

if TYPE_CHECKING:
    from coolify.api.application_specs import ApplicationSpec, VariableWrite
    from coolify.api.settings import ApplicationSettings

__all__ = ["Applications", "Variables"]

_APPLICATIONS = TypeAdapter(tuple[dict[str, Any], ...])
_VARIABLES = listing(Variable)
_DESTINATIONS = listing(Destination)


class Applications:
    """`/applications`."""

    def __init__(
        self,
        transport: Transport,
        environments: Environments,
        capabilities: Callable[[], Awaitable[Capabilities]],
    ) -> None:
        self._transport = transport
        self._environments = environments
        self._capabilities = capabilities

    async def list(self) -> tuple[Application, ...]:
        """Return all applications of the team; one heavy answer without pages."""
        return tuple(_read(raw) for raw in _APPLICATIONS.validate_python(await self._transport.get("/applications")))

    async def get(self, uuid: str) -> Application:
        """Return one application with all of its settings."""
        return _read(await self._transport.get(f"/applications/{uuid}"))

    async def find(self, placement: Placement, name: str) -> Application | None:
        """Return the only application with this name in the environment, None if there is none.

        Raises:
            AmbiguousNameError: Several have this name.
        """
        applications = await self._environments.applications(placement.project_uuid, placement.environment_name)
        fitting = [one for one in applications if one.name == name]
        if len(fitting) > 1:
            raise AmbiguousNameError(
                f"There are {len(fitting)} applications named '{name}' in this environment "
                f"({', '.join(one.uuid for one in fitting)}): set application.uuid to the one that is meant."
            )
        return await self.get(fitting[0].uuid) if fitting else None

    async def locate(self, placement: Placement, name: str, uuid: str | None = None) -> Application | None:
        """Return the application with this UUID or else this name, None if there is none."""
        if uuid is not None:
            try:
                return await self.get(uuid)
            except NotFoundError:
                pass
        return await self.find(placement, name)

    async def create(self, spec: ApplicationSpec) -> Application:
        """Create an application without deploying it."""
        body = spec.body(await self._capabilities())

        async def send() -> Application:
            answer = await self._transport.post_once(f"/applications/{spec.source.variant}", body)
            return await self.get(str(answer["uuid"]))

        return await create_once(send, lambda: self.find(spec.placement, spec.name))

    async def ensure(self, spec: ApplicationSpec, uuid: str | None = None) -> Ensured[Application]:
        """Return the application with this UUID or else this name, created if there is none.

        An existing one is returned as it is: bringing its settings in line is a change of its own.
        """
        found = await self.locate(spec.placement, spec.name, uuid)
        if found is not None:
            return Ensured(found, created=False)
        return Ensured(await self.create(spec), created=True)

    async def update(self, uuid: str, settings: ApplicationSettings) -> None:
        """Change exactly the given settings.

        Where labels of one's own come with domains, the labels go into a second request: the first one regenerates
        them (reference 3.5).
        """
        capabilities = await self._capabilities()
        body = settings.body(capabilities)
        labels = body.pop("custom_labels", None) if "domains" in body else None
        if body:
            await self._transport.patch(f"/applications/{uuid}", body)
        if labels is not None:
            await self._transport.patch(f"/applications/{uuid}", {"custom_labels": labels})

    async def delete(self, uuid: str, *, delete_volumes: bool = False) -> None:
        """Queue the deletion; volumes stay unless asked for (trap 15)."""
        await self._transport.delete(f"/applications/{uuid}", {"delete_volumes": delete_volumes})

    async def stop(self, uuid: str) -> None:
        """Queue a stop; images stay, they are the way back (trap 15)."""
        await self._transport.post_once(f"/applications/{uuid}/stop", query={"docker_cleanup": False})

    async def restart(self, uuid: str) -> None:
        """Queue a restart without a build; the deployment that comes of it is listed as restart only."""
        await self._transport.post_once(f"/applications/{uuid}/restart")

    async def delete_preview(self, uuid: str, pull_request: int) -> None:
        """Delete the preview of a pull request."""
        await self._transport.delete(f"/applications/{uuid}/previews/{pull_request}")

    async def destinations(self, uuid: str) -> tuple[Destination, ...]:
        """Return the networks that an application runs on, the main one first (4.3.0 and later)."""
        (await self._capabilities()).require(Feature.FURTHER_SERVERS)
        return _DESTINATIONS.validate_python(await self._transport.get(f"/applications/{uuid}/destinations"))

    async def add_destination(self, uuid: str, destination_uuid: str) -> None:
        """Run an application on a further server too, from its next deployment on (4.3.0 and later)."""
        if all(one.uuid != destination_uuid for one in await self.destinations(uuid)):
            await self._transport.post(f"/applications/{uuid}/destinations", {"destination_uuid": destination_uuid})

    async def remove_destination(self, uuid: str, destination_uuid: str) -> None:
        """Run an application on a further server no more (4.3.0 and later)."""
        (await self._capabilities()).require(Feature.FURTHER_SERVERS)
        await self._transport.delete(f"/applications/{uuid}/destinations/{destination_uuid}")

    async def logs(self, uuid: str, lines: int = 100, *, times: bool = False) -> str:
        """Return the last lines of the running container.

        Args:
            uuid: The application.
            lines: How many, 10,000 at most.
            times: Whether each begins with its time (RFC 3339), where the server can tell it (4.2.0).
        """
        query: dict[str, int | bool] = {"lines": lines}
        if times and (await self._capabilities()).supports(Feature.LOG_TIMES):
            query["show_timestamps"] = True
        answer = await self._transport.get(f"/applications/{uuid}/logs", query)
        return str(answer.get("logs") or "")

    async def rollback_images(self, uuid: str) -> RollbackImages:
        """Return the images that are still on the server.

        Raises:
            UnsupportedVersionError: The server cannot list them.
        """
        (await self._capabilities()).require(Feature.ROLLBACK)
        return RollbackImages.model_validate(await self._transport.get(f"/applications/{uuid}/rollback-images"))


class Variables:
    """`/applications/{uuid}/envs` (reference 2.4)."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def list(self, application_uuid: str) -> tuple[Variable, ...]:
        """Return production and preview variables mixed, as Coolify lists them (trap 10)."""
        return _VARIABLES.validate_python(await self._transport.get(f"/applications/{application_uuid}/envs"))

    async def upsert(self, application_uuid: str, variables: Sequence[VariableWrite]) -> None:
        """Create or replace variables; nothing is deleted.

        The bulk endpoint is not transactional: after an error some may be written. Repeating is harmless.
        """
        if variables:
            body = {"data": [variable.body() for variable in variables]}
            await self._transport.patch(f"/applications/{application_uuid}/envs/bulk", body)

    async def delete(self, application_uuid: str, variable_uuid: str) -> None:
        """Delete one variable; its twin of the other scope stays."""
        await self._transport.delete(f"/applications/{application_uuid}/envs/{variable_uuid}")


def _read(raw: dict[str, Any]) -> Application:
    """Read an application; from 4.2.0 some settings are in a block of their own."""
    settings = raw.get("settings")
    flat = {**raw, **(settings if isinstance(settings, dict) else {})}
    labels = raw.get("custom_labels")
    decoded = {"custom_labels": plain_text(labels)} if isinstance(labels, str) else {}
    return Application.model_validate({**raw, **decoded, "raw": {**flat, **decoded, "uuid": raw.get("uuid")}})
