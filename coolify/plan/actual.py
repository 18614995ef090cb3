"""What is there on the Coolify server, as far as a configuration is concerned. Reads, never writes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from coolify.api import Application, CoolifyClient, Placement, Variable
from coolify.api.databases import Database
from coolify.api.extras import Volume
from coolify.api.models import Project
from coolify.config import Config
from coolify.databases import find_databases
from coolify.errors import OperatorError

__all__ = ["Actual", "ApplicationMissingError", "existing_application", "find_application", "read_actual"]


class ApplicationMissingError(OperatorError):
    """There is no such application in Coolify yet."""


@dataclass(frozen=True, slots=True)
class Actual:
    """What was found for one configuration."""

    project: Project | None = None
    environments: tuple[str, ...] = ()
    """Names of the project's environments."""
    application: Application | None = None
    variables: tuple[Variable, ...] = ()
    volumes: tuple[Volume, ...] = ()
    databases: Mapping[str, Database] = field(default_factory=dict)
    """Key in the configuration -> database."""


async def read_actual(client: CoolifyClient, config: Config) -> Actual:
    """Find project, environment and application of a configuration, by UUID where it has one, else by name.

    Raises:
        CoolifyError: The server cannot be read, or a name is not unique.
    """
    project = await client.projects.locate(config.project.name, config.project.uuid)
    if project is None:
        return Actual()
    environments = tuple(one.name for one in await client.environments.list(project.uuid))
    if config.environment not in environments:
        return Actual(project, environments)
    databases = await find_databases(client, config)
    application = await _application(client, config, project)
    if application is None:
        return Actual(project, environments, databases=databases)
    variables, volumes = await asyncio.gather(
        client.variables.list(application.uuid), client.storages.volumes(application.uuid)
    )
    return Actual(project, environments, application, variables, volumes, databases)


async def find_application(client: CoolifyClient, config: Config) -> Application | None:
    """Return the application of a configuration, None where it, its project or its environment does not exist.

    Raises:
        CoolifyError: The server cannot be read, or a name is not unique.
    """
    project = await client.projects.locate(config.project.name, config.project.uuid)
    if project is None or config.environment not in {one.name for one in project.environments}:
        return None
    return await _application(client, config, project)


async def existing_application(client: CoolifyClient, config: Config) -> Application:
    """Return the application of a configuration, which is expected to be there.

    Raises:
        ApplicationMissingError: It, its project or its environment does not exist.
        CoolifyError: The server cannot be read, or a name is not unique.
    """
    application = await find_application(client, config)
    if application is not None:
        return application
    raise ApplicationMissingError(
        f"There is no application '{config.application_name}' in project '{config.project.name}', environment "
        f"'{config.environment}': run `coolify release` to create it."
    )


async def _application(client: CoolifyClient, config: Config, project: Project) -> Application | None:
    placement = Placement(project_uuid=project.uuid, environment_name=config.environment, server_uuid="")
    return await client.applications.locate(placement, config.application_name, config.application.uuid)
