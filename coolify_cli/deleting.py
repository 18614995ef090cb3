"""Delete a project with everything in it, in the order that Coolify demands."""

from __future__ import annotations

import asyncio
from typing import Final

from coolify.api import CoolifyClient, NotFoundError
from coolify.api.errors import BadRequestError
from coolify.api.models import Project
from coolify.api.team import Resource
from coolify.errors import OperatorError

__all__ = ["delete_project", "find_project", "resources_of"]

_DELETION_SECONDS: Final = 120.0
_POLL_SECONDS: Final = 0.5


class DeletionError(OperatorError):
    """Something could not be deleted, or there is nothing to delete."""


async def find_project(client: CoolifyClient, name_or_uuid: str) -> Project:
    """Return a project.

    Raises:
        DeletionError: There is none with this name or UUID.
    """
    project = await client.projects.find(name_or_uuid)
    if project is not None:
        return project
    try:
        return await client.projects.get(name_or_uuid)
    except NotFoundError:
        raise DeletionError(
            f"There is no project '{name_or_uuid}': see `coolify project list`. Nothing was deleted."
        ) from None


async def resources_of(client: CoolifyClient, project: Project) -> tuple[Resource, ...]:
    """Return what lives in a project."""
    environments = {one.id for one in project.environments}
    return tuple(one for one in await client.instance.resources() if one.environment_id in environments)


async def delete_project(
    client: CoolifyClient, project: Project, resources: tuple[Resource, ...], *, delete_volumes: bool
) -> None:
    """Delete resources first, wait until Coolify has done so in the background, then delete the project.

    Raises:
        DeletionError: The resources are still there after two minutes.
    """
    for one in resources:
        await _delete(client, one, delete_volumes=delete_volumes)
    try:
        async with asyncio.timeout(_DELETION_SECONDS):
            while True:
                try:
                    await client.projects.delete(project.uuid)
                except BadRequestError:
                    # It has resources as long as they are being removed.
                    await asyncio.sleep(_POLL_SECONDS)
                else:
                    return
    except TimeoutError:
        left = ", ".join(f"{one.type} {one.name}" for one in await resources_of(client, project))
        raise DeletionError(
            f"After {_DELETION_SECONDS:.0f} s the project {project.name} still has {left or 'resources'}: look at them "
            "in Coolify and run this again."
        ) from None


async def _delete(client: CoolifyClient, resource: Resource, *, delete_volumes: bool) -> None:
    if resource.type == "application":
        await client.applications.delete(resource.uuid, delete_volumes=delete_volumes)
    elif resource.type == "service":
        await client.services.delete(resource.uuid, delete_volumes=delete_volumes)
    else:
        await client.databases.delete(resource.uuid, delete_volumes=delete_volumes)
