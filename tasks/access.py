"""Who we are on the Coolify server, and whether that is enough."""

from __future__ import annotations

from typing import Final

from coolify.api import Ability, Access, CoolifyClient, Server
from coolify.errors import OperatorError
from coolify.locating import find_server
from tasks.phases import step_done
from tasks.steps import step

__all__ = ["MissingAbilitiesError", "ServerNotReadyError", "authenticate", "choose_server"]

_FRESH_SECONDS: Final = 60.0
"""After this time a run looks at a server again; phases and applications that follow each other share a look."""
_NEEDED = (Ability.READ, Ability.READ_SENSITIVE, Ability.WRITE, Ability.DEPLOY)


class MissingAbilitiesError(OperatorError):
    """The token is valid but may not do what a release needs."""


class ServerNotReadyError(OperatorError):
    """The server to deploy to cannot be used."""


@step("authenticate")
async def authenticate(client: CoolifyClient) -> Access:
    """Check token, version, team and abilities before anything is changed.

    Raises:
        CoolifyError: The server cannot be reached, refuses the token or is too old.
        MissingAbilitiesError: The token lacks an ability that a release needs.
    """
    access = await client.access()
    missing = [ability.value for ability in _NEEDED if access.lacks(ability)]
    if missing:
        raise MissingAbilitiesError(
            f"The API token of team '{access.team.name}' lacks {', '.join(missing)}: create one in Coolify under "
            f"Keys & Tokens with {', '.join(ability.value for ability in _NEEDED)}."
        )
    step_done(f"Coolify {access.version}, team {access.team.name}")
    return access


@step("choose server")
async def choose_server(client: CoolifyClient, wanted: str | None) -> Server:
    """Return the server to deploy to: the wanted one by name or UUID, or the only one.

    Raises:
        ServerNotFoundError: There is no such server, or several fit.
        ServerNotReadyError: It cannot be used.
    """
    server = await client.memory.once(("server", wanted), lambda: find_server(client, wanted), _FRESH_SECONDS)
    if not (server.settings.is_reachable and server.settings.is_usable):
        state = "reachable but not usable" if server.settings.is_reachable else "not reachable"
        raise ServerNotReadyError(
            f"Coolify calls its server {server.name} {state}: open it in Coolify and validate it, then run again."
        )
    step_done(f"server {server.name} is reachable and usable")
    return server
