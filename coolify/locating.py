"""The application that a configuration describes, and the server that runs it, in Coolify. Reads, never writes."""

from __future__ import annotations

from urllib.parse import urlsplit

from coolify.api.client import CoolifyClient
from coolify.api.models import Application, Project, Server
from coolify.api.placement import Placement
from coolify.config.coordinates import Coordinates
from coolify.errors import OperatorError

__all__ = [
    "ApplicationMissingError",
    "ServerNotFoundError",
    "application_in",
    "existing_application",
    "find_application",
    "find_server",
    "names_of",
]


class ApplicationMissingError(OperatorError):
    """There is no such application in Coolify yet."""


class ServerNotFoundError(OperatorError):
    """No server fits the configuration, or several do."""

    is_usage = True


async def find_application(client: CoolifyClient, config: Coordinates) -> Application | None:
    """Return the application of a configuration, None where it, its project or its environment does not exist.

    Raises:
        CoolifyError: The server cannot be read, or a name is not unique.
    """
    project = await client.projects.locate(config.project.name, config.project.uuid)
    if project is None or config.environment not in {one.name for one in project.environments}:
        return None
    return await application_in(client, config, project)


async def existing_application(client: CoolifyClient, config: Coordinates) -> Application:
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


async def application_in(client: CoolifyClient, config: Coordinates, project: Project) -> Application | None:
    """Return the application of a configuration in its project and environment, which exist; None without one."""
    placement = Placement(project_uuid=project.uuid, environment_name=config.environment, server_uuid="")
    return await client.applications.locate(placement, config.application_name, config.application.uuid)


async def find_server(client: CoolifyClient, wanted: str | None) -> Server:
    """Return the server to deploy to: the wanted one by name or UUID, or the only one.

    Raises:
        ServerNotFoundError: There is no such server, or several fit.
    """
    servers = await client.servers.list()
    names = ", ".join(sorted(f"{server.name} ({server.uuid})" for server in servers)) or "none"
    fitting = [server for server in servers if wanted is None or wanted in {server.name, server.uuid}]
    if not fitting:
        raise ServerNotFoundError(f"There is no server '{wanted}': correct application.server; there are: {names}.")
    if len(fitting) > 1:
        raise ServerNotFoundError(f"Several servers fit: choose one with application.server; there are: {names}.")
    return await client.servers.get(fitting[0].uuid)


def names_of(server: Server, coolify_url: str) -> tuple[str, ...]:
    """Return where a server is reached; the one that runs Coolify calls itself by a name that only containers know."""
    own = (urlsplit(coolify_url).hostname or "",) if server.is_coolify_host else ()
    return (server.ip, *own)
