"""From the options of a command to a configuration and a connection, without Prefect."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from coolify.config.coordinates import DEFAULT_PATH, Coordinates
from coolify.config.errors import ConfigError
from coolify.config.finding import find_config, load_coordinates
from coolify.contexts import CONTEXT_VARIABLE, Connection, ContextError, ContextStore, connection_for, token_source
from coolify.locating import ApplicationMissingError, find_server, names_of
from coolify.locating import existing_application as find_application
from coolify_cli.sparing import load_http_client

if TYPE_CHECKING:
    from coolify.config import Config

__all__ = [
    "ApplicationMissingError",
    "connection_of",
    "coordinates",
    "find_application",
    "load",
    "reachable",
    "server_names",
]

# Before a client does it.
load_http_client()


def load(config: str, environment: str) -> Config:
    """Return the configuration that a command is about.

    Raises:
        ConfigError: The file is missing or wrong.
    """
    from coolify.config.load import load_config

    return load_config(find_config(Path(config)), environment=environment or None)


def coordinates(config: str, environment: str) -> Coordinates:
    """Return which application a command looks at, without reading how it shall be.

    Raises:
        ConfigError: The file is missing, or wrong where it says that.
    """
    return load_coordinates(find_config(Path(config)), environment=environment or None)


def connection_of(config: Coordinates) -> Connection:
    """Return how the instance of a configuration is reached.

    Raises:
        OperatorError: There is no token for it.
    """
    return connection_for(config, ContextStore.open(os.environ), os.environ)


def reachable(config: str) -> Connection:
    """Return the instance that a command without need of a configuration talks to.

    The named context, the one of the configuration where there is one, else the current context.

    Raises:
        OperatorError: There is none of them, or the configuration is wrong.
    """
    store = ContextStore.open(os.environ)
    named = os.environ.get(CONTEXT_VARIABLE)
    if not named:
        try:
            path = find_config(Path(config))
        except ConfigError:
            if Path(config) != DEFAULT_PATH:
                raise
        else:
            return connection_for(load_coordinates(path), store, os.environ)
    context = store.get(named) if named else store.current
    if context is None:
        raise ContextError("There is no Coolify instance to talk to: run `coolify auth login` first.")
    ca_file = Path(context.ca_file) if context.ca_file else None
    return Connection(context.server, token_source(context, store.directory), ca_file, context.expires, context)


async def server_names(config: Coordinates) -> tuple[str, ...]:
    """Return the addresses and names under which the server of a configuration's application is reached.

    Raises:
        ServerNotFoundError: It is not there, or several fit.
    """
    async with connection_of(config).client() as client:
        return names_of(await find_server(client, config.application.server), client.base_url)
