"""The server that runs an application, and the names and addresses it is reached by. Reads, never writes."""

from __future__ import annotations

from urllib.parse import urlsplit

from coolify.api import CoolifyClient, Server
from coolify.errors import OperatorError

__all__ = ["ServerNotFoundError", "find_server", "names_of"]


class ServerNotFoundError(OperatorError):
    """No server fits the configuration, or several do."""

    is_usage = True


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
