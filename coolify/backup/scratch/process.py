"""Programs for a proof: tools that end, servers that are ended."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pwd
import shutil
import signal
import sys
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from coolify.backup.scratch import guard
from coolify.errors import OperatorError

__all__ = ["Finished", "ScratchServer", "ToolMissingError", "find_tool", "run_tool"]

_KEPT: Final = 64 * 1024
"""Bytes of a tool's output that are kept: the end, where the reason stands."""
_SBIN: Final = "/usr/sbin:/usr/local/sbin:/sbin"
Feed = Callable[[asyncio.StreamWriter], Awaitable[None]]


class ToolMissingError(OperatorError):
    """A program that a proof needs is not installed."""


@dataclass(frozen=True, slots=True)
class Finished:
    """How a tool ended."""

    code: int
    output: str
    errors: str

    @property
    def reason(self) -> str:
        """The last line that says something about the failure."""
        lines = [line.strip() for line in self.errors.splitlines() if line.strip()]
        telling = [line for line in lines if "error" in line.lower() or "fatal" in line.lower()]
        return [*telling, *lines[-1:], f"exit code {self.code}"][0][:400]


def find_tool(name: str, package: str) -> str:
    """Return the path of a program.

    Raises:
        ToolMissingError: It is not installed.
    """
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:{_SBIN}")
    if found is None:
        raise ToolMissingError(f"'{name}' is not installed here and is needed: run `apt-get install {package}`.")
    return found


async def run_tool(
    command: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    feed: Feed | None = None,
    user: str = "",
) -> Finished:
    """Run a program to its end; it is killed when the caller is cancelled or runs out of time.

    Args:
        command: Program and arguments; never a secret among them.
        environment: Variables besides path and language: secrets belong here.
        feed: Writes standard input.
        user: User to run as, for root only.
    """
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE if feed else asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=_environment(environment),
        start_new_session=True,
        user=user or None,
        group=pwd.getpwnam(user).pw_gid if user else None,
        extra_groups=[] if user else None,
    )
    try:
        output, errors, _ = await asyncio.gather(_tail(process.stdout), _tail(process.stderr), _feed(process, feed))
        code = await process.wait()
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    return Finished(code, output.decode(errors="replace"), errors.decode(errors="replace"))


class ScratchServer(ABC):
    """An asynchronous context manager around one server in a temporary directory.

    Args:
        seconds: Time after which the server is stopped in any case.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._process: asyncio.subprocess.Process | None = None
        self.directory = Path()
        self.user = ""

    async def __aenter__(self) -> Self:
        # A short path: the name of a socket has room for about 100 characters.
        self.directory = Path(tempfile.mkdtemp(prefix="proof-"))
        try:
            if os.geteuid() == 0:
                self.user = "nobody"
                self.directory.chmod(0o711)
            await self.start()
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stop()

    @abstractmethod
    async def start(self) -> None:
        """Prepare the directory, launch the server, and wait until it answers."""

    def own_directory(self, name: str) -> Path:
        """Make a directory that belongs to the user that the server runs as."""
        path = self.directory / name
        path.mkdir(mode=0o700)
        self.give(path)
        return path

    def give(self, path: Path) -> None:
        """Let a file belong to the user that the server runs as."""
        if self.user:
            account = pwd.getpwnam(self.user)
            os.chown(path, account.pw_uid, account.pw_gid)

    async def launch(self, command: Sequence[str]) -> None:
        """Start the server under its guard; what it prints goes into `log`."""
        with (self.directory / "log").open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-I",
                guard.__file__,
                str(self._seconds),
                str(self.directory),
                self.user,
                *command,
                stdin=asyncio.subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=_environment(None),
                start_new_session=True,
            )

    async def wait_until(self, ready: Callable[[], Awaitable[bool]], what: str, seconds: float = 60) -> None:
        """Wait until the server answers.

        Raises:
            OperatorError: It ended, or does not answer in time; the sentence holds the end of its log.
        """
        try:
            async with asyncio.timeout(seconds):
                while not await ready():
                    if self._process is None or self._process.returncode is not None:
                        raise OperatorError(f"The scratch {what} ended at its start: {self.log_end()}")
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise OperatorError(f"The scratch {what} does not answer after {seconds:.0f} s: {self.log_end()}") from None

    def log_end(self) -> str:
        """Return the last telling line of what the server printed."""
        try:
            text = (self.directory / "log").read_bytes()[-_KEPT:].decode(errors="replace")
        except OSError:
            return "no log"
        return Finished(1, "", text).reason

    @property
    def pid(self) -> int | None:
        """Process of the guard, None when it has ended."""
        running = self._process is not None and self._process.returncode is None
        return self._process.pid if running and self._process else None

    async def _stop(self) -> None:
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            if process.stdin is not None:
                process.stdin.close()
            try:
                async with asyncio.timeout(15):
                    await process.wait()
            except TimeoutError:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)


def _environment(more: Mapping[str, str] | None) -> dict[str, str]:
    """Return what a tool may know: the path and no secret of ours."""
    kept = {name: os.environ[name] for name in ("PATH", "TMPDIR", "HOME") if name in os.environ}
    return kept | {"LC_ALL": "C.UTF-8", "TZ": "UTC"} | dict(more or {})


async def _feed(process: asyncio.subprocess.Process, feed: Feed | None) -> None:
    if feed is None or process.stdin is None:
        return
    # A tool that gives up closes its input: its own message says why.
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        try:
            await feed(process.stdin)
        finally:
            process.stdin.close()
        await process.stdin.wait_closed()


async def _tail(stream: asyncio.StreamReader | None) -> bytes:
    kept = b""
    while stream is not None and (block := await stream.read(_KEPT)):
        kept = (kept + block)[-_KEPT:]
    return kept
