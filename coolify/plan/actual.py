"""What is there on the Coolify server, as far as a configuration is concerned. Reads, never writes."""

from __future__ import annotations

from dataclasses import dataclass

from coolify.api import Application, CoolifyClient, Placement, Variable
from coolify.api.models import Project
from coolify.config import Config

__all__ = ["Actual", "read_actual"]


@dataclass(frozen=True, slots=True)
class Actual:
    """What was found for one configuration."""

    project: Project | None = None
    environments: tuple[str, ...] = ()
    """Names of the project's environments."""
    application: Application | None = None
    variables: tuple[Variable, ...] = ()


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
    placement = Placement(project_uuid=project.uuid, environment_name=config.environment, server_uuid="")
    application = await client.applications.locate(placement, config.application_name, config.application.uuid)
    if application is None:
        return Actual(project, environments)
    return Actual(project, environments, application, await client.variables.list(application.uuid))
