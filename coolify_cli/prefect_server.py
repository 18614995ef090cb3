"""A Prefect server of our own: database, API and UI in one directory."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from coolify.errors import OperatorError

__all__ = [
    "BATCHED",
    "CLIENT_RETRIES",
    "LEAN",
    "PrefectServer",
    "PrefectServerError",
    "deliver_logs",
    "run_prefect_server",
    "stop_process",
]

_START_LIMIT: Final = 90.0
"""Seconds; an empty database needs about ten for its migrations, a busy machine several times that."""
_STOP_GRACE: Final = 10.0
_DELIVERY_SECONDS: Final = 5.0
CLIENT_RETRIES: Final = "7"
"""SQLite answers a moment of much writing with "busy". Pauses double from two seconds: four minutes instead of one."""


BATCHED: Final = {
    # SQLite refuses a request that wants to write in the same moment, and Prefect's client then waits two seconds
    # before it tries again.
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "100",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "3",
    "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_BATCH_SIZE": "500",
    "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_FLUSH_INTERVAL": "3",
}
"""Settings for a server on SQLite: what is written often is written in batches."""
LEAN: Final = {
    # One program talks to it, and nothing is scheduled: these services would only compete for two cores.
    **{
        f"PREFECT_SERVER_SERVICES_{service}_ENABLED": "false"
        for service in ("SCHEDULER", "LATE_RUNS", "FOREMAN", "CANCELLATION_CLEANUP", "PAUSE_EXPIRATIONS", "TRIGGERS")
    },
    **BATCHED,
}
"""Settings for a server that one program uses, and nobody else."""


class PrefectServerError(OperatorError):
    """The Prefect server did not come up."""


@dataclass(frozen=True, slots=True)
class PrefectServer:
    """A server that has been started."""

    process: asyncio.subprocess.Process
    url: str
    environment: Mapping[str, str]
    """What a process needs in its environment to use this server."""
    log: Path

    async def ready(self) -> None:
        """Wait until it answers; on an empty database it takes several seconds to create its tables.

        Raises:
            PrefectServerError: It did not answer in time, or ended at once.
        """
        await _until_healthy(self.process, f"{self.url}/api/health", self.log)


@contextlib.asynccontextmanager
async def run_prefect_server(
    directory: Path, settings: Mapping[str, str] = LEAN, *, host: str = "127.0.0.1", port: int = 0, ui: str = ""
) -> AsyncIterator[PrefectServer]:
    """Start a Prefect server whose state lives in `directory`; end it when the context is left.

    Args:
        directory: Home of the server; its log is written there too.
        settings: Settings of Prefect for the server alone.
        host: Address that it listens on.
        port: Port of API and UI, a free one when 0.
        ui: Where browsers find the UI, for links to its pages; empty when at that port.
    """
    directory.mkdir(parents=True, exist_ok=True)
    port = port or _free_port()
    url = f"http://127.0.0.1:{port}"
    shared = {
        "PREFECT_HOME": str(directory),
        "PREFECT_API_URL": f"{url}/api",
        # Links would lead to the older UI, everything else leads to the newer one.
        "PREFECT_UI_URL": ui or f"{url}/v2",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_CLIENT_MAX_RETRIES": CLIENT_RETRIES,
    }
    log = directory / "server.log"
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "prefect", "server", "start", "--host", host, "--port", str(port),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**os.environ, **shared, **settings, "PREFECT_LOGGING_SERVER_LEVEL": "WARNING"},
            # A group of its own: Ctrl-C reaches us first, and we end it in order.
            start_new_session=True,
        )  # fmt: skip
    try:
        yield PrefectServer(process, url, shared, log)
    finally:
        await stop_process(process)


async def deliver_logs() -> None:
    """Send what Prefect has queued while its server still runs; it would try for minutes afterwards."""
    from prefect.events.worker import EventsWorker
    from prefect.logging.handlers import APILogHandler

    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_DELIVERY_SECONDS):
            await APILogHandler.aflush()
            drained = EventsWorker.drain_all()
            if inspect.isawaitable(drained):
                await drained


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def _until_healthy(process: asyncio.subprocess.Process, url: str, log: Path) -> None:
    async with httpx.AsyncClient(trust_env=False, timeout=2) as client:
        try:
            async with asyncio.timeout(_START_LIMIT):
                while process.returncode is None:
                    try:
                        if (await client.get(url)).is_success:
                            return
                    except httpx.TransportError:
                        pass
                    await asyncio.sleep(0.2)
        except TimeoutError:
            raise PrefectServerError(
                f"The embedded Prefect server did not answer within {_START_LIMIT:.0f} s; its log is {log}."
            ) from None
    raise PrefectServerError(f"The embedded Prefect server ended with code {process.returncode}; its log is {log}.")


async def stop_process(process: asyncio.subprocess.Process, grace: float = _STOP_GRACE) -> None:
    """End a process that leads a group, and its children: asked first, killed when it has not ended in time."""
    if process.returncode is not None:
        return
    os.killpg(process.pid, signal.SIGTERM)
    try:
        async with asyncio.timeout(grace):
            await process.wait()
    except TimeoutError:
        os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
