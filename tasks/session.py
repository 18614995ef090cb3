"""What every flow about one application needs: its configuration, a client, a resolver, its records.

A phase that is called by `release` shares the session of its caller, so that one run has one connection pool, one
rate budget and one deployment watcher. A phase that runs alone opens its own. The session travels in a context
variable and not as a parameter, because Prefect stores parameters.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from blocks import BlockRecordStore, CoolifyServer
from coolify.api import CoolifyClient
from coolify.config import Config, Edit, ResolvedVariable, resolve_variables
from coolify.contexts import ContextStore, connection_for
from coolify.dns import Resolver, resolver_of
from coolify.redaction import Redaction, secrets_of
from coolify.release import DecisionRecord, RecordStore
from coolify.security import WantedSecurity, resolve_security
from tasks.interruption import interruption_alone
from tasks.journal import Journal
from tasks.sharing import connected
from tasks.target import Target, located

__all__ = ["Session", "Target", "open_session", "redaction_of"]


@dataclass
class Session:
    """Everything that the phases of one run share; holds secrets, never leaves the process."""

    target: Target
    config: Config
    variables: tuple[ResolvedVariable, ...]
    client: CoolifyClient
    resolver: Resolver
    records: RecordStore
    environ: Mapping[str, str]
    """Where `${NAME}` of the configuration is looked up."""
    security: WantedSecurity = field(default_factory=WantedSecurity)
    """The section `security`, secrets resolved."""
    journal: Journal = field(default_factory=Journal)
    """Journal of the release that the phases belong to; one that notes nothing where a phase runs alone."""
    decisions: list[DecisionRecord] = field(default_factory=list)
    """The decisions that were taken so far, also before the release has a record."""
    adjusted: bool = False
    """Whether something was adjusted for a second attempt; that is done once."""
    raised: tuple[Edit, ...] = ()
    """Limits that were raised in the configuration file."""


_current: ContextVar[Session | None] = ContextVar("coolify_session", default=None)


@asynccontextmanager
async def open_session(
    target: Target, server: CoolifyServer | None = None, adjust: Callable[[Config], Config] | None = None
) -> AsyncIterator[Session]:
    """Yield the session of the enclosing flow for the same target, or a new one.

    Args:
        target: The application.
        server: Connection to use instead of the `server` and `auth` sections of the configuration file.
        adjust: What to make of the configuration before anything is done with it.

    Raises:
        ConfigError: The file is missing or wrong, or a variable that it refers to is not set.
        TokenError: There is no API token.
    """
    enclosing = _current.get()
    if enclosing is not None and enclosing.target == target:
        yield enclosing
        return
    with interruption_alone():
        async with _new_session(target, server, adjust) as session:
            yield session


@asynccontextmanager
async def _new_session(
    target: Target, server: CoolifyServer | None, adjust: Callable[[Config], Config] | None
) -> AsyncIterator[Session]:
    async with located(target) as found:
        config, environ = found.config, found.environ
        if adjust is not None:
            config = adjust(config)
        variables = resolve_variables(config, environ)
        security = resolve_security(config, environ)
        async with _connect(config, environ, server) as client:
            session = Session(
                target, config, variables, client, resolver_of(config), BlockRecordStore(), environ, security
            )
            mark = _current.set(session)
            try:
                yield session
            finally:
                _current.reset(mark)


def _connect(
    config: Config, environ: Mapping[str, str], server: CoolifyServer | None
) -> AbstractAsyncContextManager[CoolifyClient]:
    if server is not None:
        return connected((server.base_url, server.token), server.get_client)
    connection = connection_for(config, ContextStore.open(environ), environ)
    return connected(connection.identity, connection.client)


def redaction_of(session: Session) -> Redaction:
    """Return what takes the application's and this process's secrets out of text."""
    return Redaction(secrets_of(session.config, session.variables, session.environ))
