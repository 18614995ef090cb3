"""What is there on the Coolify server, as far as a configuration is concerned. Reads, never writes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from coolify.api import Application, CoolifyClient, Variable
from coolify.api.databases import Database
from coolify.api.extras import Volume
from coolify.api.models import Project
from coolify.config import Config
from coolify.databases import find_databases
from coolify.locating import application_in

__all__ = ["Actual", "read_actual"]


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
    application = await application_in(client, config, project)
    if application is None:
        return Actual(project, environments, databases=databases)
    variables, volumes = await asyncio.gather(
        client.variables.list(application.uuid), client.storages.volumes(application.uuid)
    )
    return Actual(project, environments, application, variables, volumes, databases)
