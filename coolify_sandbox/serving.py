"""uvicorn on a loopback port within the running event loop."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from coolify.errors import OperatorError

__all__ = ["PortTakenError", "serve_forever"]


class PortTakenError(OperatorError):
    """Somebody else listens on the port."""

    is_usage = True


class _Server(uvicorn.Server):
    """uvicorn's server without its fixed pauses, which take as long as everything else that ends a sandbox."""

    _HEADER_SECONDS: Final = 1.0
    """How often the header with the date is renewed."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._ended = asyncio.Event()

    def end(self) -> None:
        """Stop serving: what is being answered is still answered."""
        self.should_exit = True
        self._ended.set()

    async def main_loop(self) -> None:
        """Serve until the end is told; uvicorn itself looks ten times a second whether it was."""
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), self._HEADER_SECONDS)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close what is open; as uvicorn's, but who waits for nobody does not wait."""
        for server in self.servers:
            server.close()
        for one in sockets or ():
            one.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        try:
            async with asyncio.timeout(self.config.timeout_graceful_shutdown):
                while self.server_state.connections or self.server_state.tasks:  # noqa: ASYNC110 - nobody tells
                    await asyncio.sleep(0.01)
                for server in self.servers:
                    await server.wait_closed()
        except TimeoutError:
            for task in self.server_state.tasks:
                task.cancel()
        await self.lifespan.shutdown()

    def install_signal_handlers(self) -> None:
        """Leave signals to the program that runs us."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the program that runs us."""
        yield


@contextlib.asynccontextmanager
async def serve_forever(app: ASGIApp, context: ssl.SSLContext | None = None, port: int = 0) -> AsyncIterator[int]:
    """Serve an application until the context is left; yields the port.

    Args:
        app: ASGI application.
        context: TLS context, None for plain HTTP.
        port: Port on 127.0.0.1, 0 for a free one.

    Raises:
        PortTakenError: The port is in use.
    """
    # With the protocol named asyncio switches Nagle's algorithm off; otherwise every answer waits 40 ms for an ACK.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError:
        listener.close()
        raise PortTakenError(
            f"Port {port} on 127.0.0.1 is taken: choose another one with --port, or end what listens there."
        ) from None
    config = uvicorn.Config(
        app, log_config=None, access_log=False, lifespan="auto", timeout_graceful_shutdown=3, server_header=False
    )
    config.load()
    config.ssl = context
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        while not server.started:
            if task.done():
                await task
                raise RuntimeError("the server ended before it began to serve")
            await asyncio.sleep(0.01)
        yield listener.getsockname()[1]
    finally:
        server.end()
        await task
        listener.close()
