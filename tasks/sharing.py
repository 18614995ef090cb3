"""What the applications of a set share while they are released: clients, and the run that they belong to.

Every application has a session of its own, whose configuration and secrets are nobody else's; their sessions use one
client for each Coolify instance and token, and so one connection pool, one request budget and one deployment watcher.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Hashable
from contextlib import AsyncExitStack, asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from coolify.api import CoolifyClient

__all__ = ["connected", "current_set_run", "sharing"]


@dataclass(frozen=True)
class _Shared:
    run: str
    stack: AsyncExitStack
    clients: dict[Hashable, CoolifyClient] = field(default_factory=dict)


_shared: ContextVar[_Shared | None] = ContextVar("coolify_shared", default=None)


@asynccontextmanager
async def sharing(run: str) -> AsyncIterator[None]:
    """Let all sessions that are opened within share clients, and belong to a run over a set.

    Args:
        run: What the run is called in the records of its releases.
    """
    async with AsyncExitStack() as stack:
        mark = _shared.set(_Shared(run, stack))
        try:
            yield
        finally:
            _shared.reset(mark)


@asynccontextmanager
async def connected(key: Hashable, connect: Callable[[], CoolifyClient]) -> AsyncIterator[CoolifyClient]:
    """Yield the client that is shared under a key, or one of our own where nothing is shared."""
    shared = _shared.get()
    if shared is None:
        async with connect() as client:
            yield client
        return
    if key not in shared.clients:
        # Nothing is awaited in between: two sessions that open at the same time get the same client.
        shared.clients[key] = connect()
        shared.stack.push_async_exit(shared.clients[key])
    yield shared.clients[key]


def current_set_run() -> str | None:
    """Return the run over a set that this release belongs to, None for a release alone."""
    shared = _shared.get()
    return shared.run if shared else None
