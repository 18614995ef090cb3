"""A running version of an application: one process group, its port and its last words."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from coolify_sandbox.runtime.memory import kill_if_too_large
from coolify_sandbox.runtime.shell import Finished, launched, run

__all__ = ["AppProcess", "free_port"]

_STOP_GRACE: Final = 5.0
_LOG_LIMIT: Final = 512_000
_MEMORY_LOOK_SECONDS: Final = 0.1
_MARK_SECONDS: Final = 0.5
_RESTART_DELAYS: Final = (0.2, 0.5, 1.0, 2.0, 5.0)


def free_port() -> int:
    """Return a loopback port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class AppProcess:
    """Runs a shell command with `PORT`, restarts it when it crashes, ends it with everything that it started.

    A container would be reached at its exposed port; here the process is told a free loopback port in `PORT`, the
    sandbox's deliberate difference.
    """

    def __init__(
        self, command: str, directory: Path, environment: Mapping[str, str], log: Path, memory: int | None = None
    ) -> None:
        self.port = free_port()
        self.restarts = 0
        self._command = command
        self._directory = directory
        self._environment = environment
        self._log = log
        self._memory = memory
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._clock: asyncio.Task[None] | None = None
        self._marks: list[tuple[int, datetime]] = []
        """How long the log was when."""

    @property
    def is_running(self) -> bool:
        """Whether the process lives right now."""
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Start the process; from now on it is started again when it ends by itself."""
        await self._spawn()
        self._keeper = asyncio.create_task(self._keep_alive())
        self._clock = asyncio.create_task(self._note_times())

    async def wait_until_listening(self, seconds: float) -> bool:
        """Wait until the port accepts connections; return False when the process ends or time is up first."""
        try:
            async with asyncio.timeout(seconds):
                while self.is_running:
                    with contextlib.suppress(OSError):
                        _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                        writer.close()
                        return True
                    await asyncio.sleep(0.05)
        except TimeoutError:
            pass
        return False

    async def stop(self) -> None:
        """End the process group: SIGTERM, after a grace period SIGKILL."""
        for task in (self._clock, self._keeper):
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
        process = self._process
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            async with asyncio.timeout(_STOP_GRACE):
                await process.wait()
        except TimeoutError:
            pass
        finally:
            _kill_group(process)
        await process.wait()

    async def execute(self, command: str) -> Finished:
        """Run a command beside the process, as `docker exec` does: same directory, same environment."""
        return await run(["/bin/sh", "-c", command], self._directory, {**self._environment, "PORT": str(self.port)})

    def tail(self, lines: int) -> str:
        """Return the last lines of what the process printed."""
        if not self._log.exists():
            return ""
        text = self._log.read_bytes()[-_LOG_LIMIT:].decode(errors="replace")
        return "\n".join(text.splitlines()[-lines:])

    def timed_tail(self, lines: int) -> str:
        """Return the last lines, each with the time at which it was seen (RFC 3339), as `docker logs -t` shows them."""
        self._mark()
        timed, end = [], 0
        for line in self._log.read_bytes().splitlines(keepends=True) if self._log.exists() else ():
            end += len(line)
            at = next((moment for length, moment in self._marks if length >= end), datetime.now(UTC))
            timed.append(f"{at:%Y-%m-%dT%H:%M:%S.%f}000Z {line.decode(errors='replace').rstrip()}")
        return "\n".join(timed[-lines:])

    async def _note_times(self) -> None:
        while True:
            self._mark()
            await asyncio.sleep(_MARK_SECONDS)

    def _mark(self) -> None:
        length = self._log.stat().st_size if self._log.exists() else 0
        if not self._marks or length > self._marks[-1][0]:
            self._marks.append((length, datetime.now(UTC)))

    async def _spawn(self) -> None:
        with self._log.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                *launched(self._command),
                cwd=self._directory,
                env={**self._environment, "PORT": str(self.port)},
                stdin=asyncio.subprocess.PIPE,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )  # fmt: skip

    async def _keep_alive(self) -> None:
        """Start the process again after a crash, like Docker's `unless-stopped`."""
        while True:
            assert self._process is not None  # noqa: S101 - set by start
            try:
                await self._until_it_ends(self._process)
            finally:
                if self._process.returncode is not None:
                    _kill_group(self._process)
            await asyncio.sleep(_RESTART_DELAYS[min(self.restarts, len(_RESTART_DELAYS) - 1)])
            self.restarts += 1
            await self._spawn()

    async def _until_it_ends(self, process: asyncio.subprocess.Process) -> None:
        if self._memory is None:
            await process.wait()
        while process.returncode is None:
            kill_if_too_large(process.pid, self._memory or 0)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), _MEMORY_LOOK_SECONDS)


def _kill_group(process: asyncio.subprocess.Process) -> None:
    """Kill what is left of a process group: the leader may be gone while a child of it stays."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
