"""The receiver as a process: socket, log, what runs in the background, and an orderly end."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import uvicorn

from coolify.errors import OperatorError
from deployments.webhooks.app import BODY_LIMIT, Receiver
from deployments.webhooks.forwarder import EventSink, Forwarder, PrefectSink
from deployments.webhooks.settings import ReceiverSettings
from deployments.webhooks.spool import Spool
from deployments.webhooks.vault import Vault

__all__ = ["AddressTakenError", "ServiceOptions", "serve"]

_log = logging.getLogger("coolify_flows.webhooks")
_READ_SECRETS_EVERY: Final = 60.0
_READ_MISSING_EVERY: Final = 5.0
_FORGET_EVERY: Final = 3600.0
_CONNECTIONS: Final = 256
_BACKLOG: Final = 1024


class AddressTakenError(OperatorError):
    """The address cannot be listened on."""

    is_usage = True


@dataclass(frozen=True, slots=True)
class ServiceOptions:
    """Where the receiver listens, and where it keeps what it accepts."""

    host: str
    port: int
    spool: Path
    body_limit: int = BODY_LIMIT


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to us: uvicorn would end with the signal itself, before the spool is closed."""
        yield


async def serve(
    settings: ReceiverSettings,
    options: ServiceOptions,
    listening: Callable[[str], None],
    sink: EventSink | None = None,
) -> None:
    """Receive webhooks until the process is told to end.

    Args:
        settings: The sources.
        options: Where.
        listening: Called with the address once deliveries are taken.
        sink: Where events go; the Prefect server of the settings when None.

    Raises:
        OperatorError: A secret is missing, the spool or the address is taken.
    """
    _write_log()
    vault = Vault(settings)
    for problem in await vault.read_first():
        _log.warning("%s Its deliveries are refused until it can be read.", problem)
    if sink is None:
        sink = PrefectSink()
        await sink.prepare()
    listener = _listen(options.host, options.port)
    host, port = listener.getsockname()[:2]
    try:
        spool = Spool(options.spool)
    except BaseException:
        listener.close()
        raise
    forwarder = Forwarder(spool, sink)

    defects: list[BaseException] = []

    def ended(task: asyncio.Task[None]) -> None:
        """End the process with what nobody has foreseen: it is started anew, and nothing is lost meanwhile."""
        if not task.cancelled() and (error := task.exception()) is not None:
            defects.append(error)
            server.should_exit = True

    async def background() -> AsyncIterator[None]:
        tasks = [asyncio.create_task(one) for one in (forwarder.run(), _refresh(vault, settings), _forget(spool))]
        for task in tasks:
            task.add_done_callback(ended)
        # What was imported lives as long as we do: no answer is to wait until it was searched for garbage.
        gc.freeze()
        # The socket listens already: whoever connects from now on is answered.
        listening(f"http://{host}:{port}")
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    receiver = Receiver(settings, vault, spool, forwarder.wake, body_limit=options.body_limit)
    config = uvicorn.Config(
        receiver.app(background),
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=_CONNECTIONS,
        timeout_graceful_shutdown=10,
    )
    server = _Server(config)
    loop = asyncio.get_running_loop()
    for one in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(one, server.handle_exit, one, None)
    try:
        await server.serve(sockets=[listener])
    finally:
        await spool.close()
        listener.close()
    if defects:
        raise defects[0]


async def _refresh(vault: Vault, settings: ReceiverSettings) -> None:
    """Read the secrets again, more often while one is missing."""
    told: tuple[str, ...] = ()
    while True:
        missing = not all(vault.of(name) for name in settings.sources)
        await asyncio.sleep(_READ_MISSING_EVERY if missing else _READ_SECRETS_EVERY)
        problems = await vault.read()
        for problem in problems if problems != told else ():
            _log.warning("%s", problem)
        told = problems


async def _forget(spool: Spool) -> None:
    while True:
        with contextlib.suppress(OperatorError):
            await spool.forget_old()
        await asyncio.sleep(_FORGET_EVERY)


def _listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens.

    Raises:
        AddressTakenError: The address is taken, or not ours.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        # With the protocol named asyncio switches Nagle's algorithm off.
        listener = socket.socket(family, kind, protocol or socket.IPPROTO_TCP)
    except OSError as error:
        raise AddressTakenError(f"{host} is no address to listen on: {error.strerror}.") from None
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        raise AddressTakenError(f"{host} port {port} cannot be listened on: {error.strerror}.") from None
    return listener


def _write_log() -> None:
    """Send our log to standard error, one line each; nothing in it is a secret."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    _log.handlers = [handler]
    _log.setLevel(logging.INFO)
    _log.propagate = False
