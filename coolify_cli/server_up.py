"""A whole installation on one machine: Prefect server, worker and webhook receiver, started and ended together."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from coolify.errors import OperatorError
from coolify_cli.prefect_server import BATCHED, PrefectServer, run_prefect_server, stop_process

__all__ = ["SERVER_SETTINGS", "WORKER_SETTINGS", "Installation", "OpenToTheNetworkError", "run_installation"]

SERVER_SETTINGS: Final = {
    # What grows are events, then runs: three days and ninety are kept.
    "PREFECT_SERVER_EVENTS_RETENTION_PERIOD": "3d",
    "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    **BATCHED,
}
WORKER_SETTINGS: Final = {
    # Quick to pick up what a push has triggered.
    "PREFECT_WORKER_QUERY_SECONDS": "2",
    # A server that cannot be reached is an error, not a reason to start one that nobody sees.
    "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "false",
}
_WORKER_GRACE: Final = 40.0
"""Seconds that a worker has to end its runs, each of which Prefect gives 30."""
_KEY_FILE: Final = "encryption.key"
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_AUTH: Final = "PREFECT_SERVER_API_AUTH_STRING"
_UI: Final = "PREFECT_UI_URL"


class OpenToTheNetworkError(OperatorError):
    """The server would be open to everybody."""

    is_usage = True


class InstallationError(OperatorError):
    """A part of the installation has ended by itself."""


@dataclass(frozen=True, slots=True)
class Installation:
    """What runs."""

    server: PrefectServer
    parts: Mapping[str, asyncio.subprocess.Process]
    """The other processes, by name."""

    async def until_one_ends(self) -> None:
        """Wait for the end of any part, which nobody has asked for.

        Raises:
            InstallationError: Always; says which, and where its log is.
        """
        everything = {"server": self.server.process, **self.parts}
        waiting = {asyncio.create_task(process.wait()): name for name, process in everything.items()}
        try:
            done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()
        name = waiting[next(iter(done))]
        log = self.server.log.parent / f"{name}.log"
        raise InstallationError(f"The {name} has ended with code {everything[name].returncode}; its log is {log}.")


@contextlib.asynccontextmanager
async def run_installation(directory: Path, host: str, port: int) -> AsyncIterator[PrefectServer]:
    """Start the Prefect server with all its services, and yield it as soon as it answers.

    Args:
        directory: Where database and logs live.
        host: Address to listen on.
        port: Port of API and UI.

    Raises:
        OpenToTheNetworkError: Others could reach it, and nothing protects it.
        PrefectServerError: It did not come up.
    """
    auth = os.environ.get(_AUTH)
    if host not in _LOOPBACK and not auth:
        raise OpenToTheNetworkError(
            f"Everybody who reaches {host}:{port} could read your tokens: set {_AUTH}=user:password first, or "
            "listen on 127.0.0.1 behind a proxy that asks for a password."
        )
    directory.mkdir(parents=True, exist_ok=True)
    settings = {**SERVER_SETTINGS, **_encryption(directory)}
    chosen = {name: value for name, value in settings.items() if name not in os.environ}
    if auth:
        os.environ["PREFECT_API_AUTH_STRING"] = auth
    async with run_prefect_server(directory, chosen, host=host, port=port, ui=os.environ.get(_UI, "")) as server:
        await server.ready()
        yield server


def receives_webhooks() -> bool:
    """Return whether there is a secret by which deliveries can be believed; the receiver starts with none."""
    return bool(os.environ.get("COOLIFY_WEBHOOK_SECRET"))


@contextlib.asynccontextmanager
async def run_parts(server: PrefectServer, host: str, webhook_port: int) -> AsyncIterator[Installation]:
    """Start the worker and, where there is a secret for it, the webhook receiver; end them when the context is left.

    Args:
        server: What they work for.
        host: Address on which deliveries are received.
        webhook_port: Port of the receiver; 0 for a free one.
    """
    commands: dict[str, tuple[str, ...]] = {
        "worker": ("-m", "prefect", "worker", "start", "--pool", "coolify", "--type", "process")
    }
    if receives_webhooks():
        spool = str(server.log.parent / "webhooks")
        where = ("--host", host, "--port", str(webhook_port), "--spool", spool)
        commands["receiver"] = ("-m", "coolify_cli.main", "webhooks", "serve", *where)
    parts: dict[str, asyncio.subprocess.Process] = {}
    try:
        for name, command in commands.items():
            parts[name] = await _start(name, command, server)
        yield Installation(server, parts)
    finally:
        # All are asked at once; the receiver ends in a moment, the worker waits for its runs.
        await asyncio.gather(*(stop_process(process, _WORKER_GRACE) for process in parts.values()))


async def _start(name: str, command: tuple[str, ...], server: PrefectServer) -> asyncio.subprocess.Process:
    settings = {key: value for key, value in WORKER_SETTINGS.items() if key not in os.environ}
    with (server.log.parent / f"{name}.log").open("ab") as log:
        return await asyncio.create_subprocess_exec(
            sys.executable, *command,
            stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log,
            env={**os.environ, **settings, **server.environment},
            # A group of its own: Ctrl-C reaches us first, and we end it in order.
            start_new_session=True,
        )  # fmt: skip


def _encryption(directory: Path) -> Mapping[str, str]:
    """Return the key of the blocks: in a file beside the database, not in it, so that a copied database tells nothing.

    A database that exists has a key already, and changing it would make its blocks unreadable.
    """
    file = directory / _KEY_FILE
    if not file.exists():
        if any(directory.glob("prefect.db*")):
            return {}
        from cryptography.fernet import Fernet

        descriptor = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(Fernet.generate_key())
    return {"PREFECT_SERVER_ENCRYPTION_KEY": file.read_text().strip()}


def end_on_signals() -> None:
    """Let Ctrl-C, and SIGTERM of systemd or docker, cancel the current task, once: ending takes its time.

    Also where SIGINT was ignored when this process was started, as in the background of a shell.
    """
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    asked: list[signal.Signals] = []

    def ask(by: signal.Signals) -> None:
        if not asked and task is not None:
            task.cancel()
        asked.append(by)

    for one in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(one, ask, one)
