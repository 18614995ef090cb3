"""Which instance and which token apply to a configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import SecretStr

from coolify.api.client import CoolifyClient
from coolify.api.token import TokenError, TokenSource
from coolify.config.coordinates import Coordinates
from coolify.config.errors import ConfigError
from coolify.contexts.model import Context
from coolify.contexts.store import ContextStore
from coolify.contexts.tokens import token_source

__all__ = ["CONTEXT_VARIABLE", "ConfiguredToken", "Connection", "connection_for", "context_for"]

CONTEXT_VARIABLE = "COOLIFY_CONTEXT"
"""Environment variable that names the context to use, as `--context` does."""


@dataclass(frozen=True, slots=True)
class ConfiguredToken:
    """The token that `auth.token` of a configuration refers to; read anew whenever it is asked for."""

    config: Coordinates
    environ: Mapping[str, str]

    async def read(self) -> SecretStr:
        """Return the token.

        Raises:
            ConfigError: The variable that it refers to is not set.
        """
        return SecretStr(self.config.auth.token.resolve(self.environ).strip())


@dataclass(frozen=True, slots=True)
class Connection:
    """An instance, how to get in, and what is known about the token."""

    server: str
    token: TokenSource
    ca_file: Path | None
    expires: datetime | None
    context: Context | None
    """The context that the token comes from, None when it is the configuration's own."""

    @property
    def identity(self) -> tuple[str, ...]:
        """Equal for connections that can share a client: the same instance, authority, and source of the token."""
        if isinstance(self.token, ConfiguredToken):
            source = self.token.config.auth.token.text
        else:
            source = self.context.name if self.context else ""
        return (self.server, str(self.ca_file or ""), source)

    def client(self) -> CoolifyClient:
        """Return a client for the instance; it opens its connections when it is entered."""
        return CoolifyClient(self.server, self.token, ca_file=self.ca_file)


def context_for(config: Coordinates, store: ContextStore, environ: Mapping[str, str]) -> Context | None:
    """Return the context that applies to a configuration: the named one, else the one with its address.

    Raises:
        ContextError: The named context does not exist.
    """
    named = environ.get(CONTEXT_VARIABLE)
    return store.get(named) if named else store.for_server(config.server)


def connection_for(config: Coordinates, store: ContextStore, environ: Mapping[str, str]) -> Connection:
    """Return how the instance of a configuration is reached.

    A context that `COOLIFY_CONTEXT` names goes before everything. Otherwise the token that the configuration refers to
    is used, and where that variable is not set, the one of the context with the same address.

    Raises:
        ContextError: The named context does not exist.
        TokenError: There is neither the configured token nor a context for this server.
    """
    if named := environ.get(CONTEXT_VARIABLE):
        return _of_context(store.get(named), store, config.ca_path)
    try:
        config.auth.token.resolve(environ)
    except ConfigError as error:
        context = store.for_server(config.server)
        if context is None:
            missing = " and ".join(config.auth.token.variables)
            raise TokenError(
                f"There is no API token for {config.server}: run `coolify auth login {config.server}`, or "
                f"`export {missing}=...`, to which auth.token of {config.path} refers."
            ) from error
        return _of_context(context, store, config.ca_path)
    return Connection(config.server, ConfiguredToken(config, environ), config.ca_path, config.auth.expires, None)


def _of_context(context: Context, store: ContextStore, configured: Path | None) -> Connection:
    ca_file = Path(context.ca_file) if context.ca_file else configured
    return Connection(context.server, token_source(context, store.directory), ca_file, context.expires, context)
