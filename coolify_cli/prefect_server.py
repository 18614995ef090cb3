"""A Prefect server of our own on loopback, for the demo: database, API and UI in one directory."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from coolify.errors import OperatorError

__all__ = ["PrefectServer", "PrefectServerError", "run_prefect_server"]

_START_LIMIT: Final = 90.0
"""Seconds; an empty database needs about ten for its migrations, a busy machine several times that."""
_STOP_GRACE: Final = 10.0


class PrefectServerError(OperatorError):
    """The Prefect server did not come up."""


@dataclass(frozen=True, slots=True)
class PrefectServer:
    """Where a running Prefect server is."""

    api_url: str
    ui_url: str
    environment: Mapping[str, str]
    """What a process needs in its environment to use this server."""


@asynccontextmanager
async def run_prefect_server(directory: Path) -> AsyncIterator[PrefectServer]:
    """Run a Prefect server whose state lives in `directory` until the context is left.

    Raises:
        PrefectServerError: It did not answer in time, or ended at once.
    """
    directory.mkdir(parents=True, exist_ok=True)
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    shared = {
        "PREFECT_HOME": str(directory),
        "PREFECT_API_URL": f"{url}/api",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
    }
    log = directory / "server.log"
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**os.environ, **shared, "PREFECT_LOGGING_SERVER_LEVEL": "WARNING"},
            # A group of its own: Ctrl-C reaches us first, and we end it in order.
            start_new_session=True,
        )  # fmt: skip
    try:
        await _until_healthy(process, f"{url}/api/health", log)
        yield PrefectServer(api_url=f"{url}/api", ui_url=url, environment=shared)
    finally:
        await _stop(process)


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


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    os.killpg(process.pid, signal.SIGTERM)
    try:
        async with asyncio.timeout(_STOP_GRACE):
            await process.wait()
    except TimeoutError:
        os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
