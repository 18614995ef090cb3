"""Run a command that the configuration declares, on this machine."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = ["CommandResult", "plain_line", "run_here"]

_STOP_GRACE: Final = 5.0
"""Seconds that a command has between SIGTERM and SIGKILL."""
_AFTER_END: Final = 5.0
"""Seconds in which what a command has printed is read after its end: a child in the background may keep the pipe."""
_LINE_LIMIT: Final = 500
_TAIL: Final = 10
_LINES: Final = 2000
"""A command that prints more is not followed line by line any more."""
_CHUNK: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class CommandResult:
    """How a command ended."""

    problem: str = ""
    """In words, empty where all went well."""
    tail: tuple[str, ...] = ()
    """The last lines that it printed."""

    @property
    def ok(self) -> bool:
        """Whether it succeeded."""
        return not self.problem


def plain_line(text: str) -> str:
    """Return a line without what would steer a terminal, and not longer than a log can bear."""
    printable = "".join(character for character in text.expandtabs() if character.isprintable())
    return printable if len(printable) <= _LINE_LIMIT else f"{printable[:_LINE_LIMIT]}..."


async def run_here(
    command: str,
    directory: Path,
    environ: Mapping[str, str],
    limit: float,
    on_line: Callable[[str], None],
    redact: Callable[[str], str] = str,
) -> CommandResult:
    """Run a command in a shell and tell its output line by line, standard error included.

    It has no standard input. What it leaves running in its process group ends with it, as does all of it when this
    coroutine is cancelled.

    Args:
        command: For `/bin/sh -c`.
        directory: Where it starts.
        environ: Its whole environment.
        limit: Seconds that it may take.
        on_line: Told of every line.
        redact: Takes secrets out of a line before anybody sees it.
    """
    tail: deque[str] = deque(maxlen=_TAIL)
    told = 0

    def tell(raw: bytes) -> None:
        nonlocal told
        # Redacted before it is shortened: half a secret would not be recognized.
        line = plain_line(redact(raw.decode(errors="replace")))
        if not line.strip():
            return
        tail.append(line)
        told += 1
        if told <= _LINES:
            on_line(line if told < _LINES else f"(more than {_LINES} lines: the rest is not shown)")

    try:
        process, output, pipe = await _spawn(command, directory, environ)
    except OSError as error:
        return CommandResult(f"cannot be started in {directory}: {error.strerror}")
    reading = asyncio.create_task(_read_lines(output, tell))
    try:
        async with asyncio.timeout(limit):
            await process.wait()
        problem = _ending(process.returncode or 0)
    except TimeoutError:
        problem = f"took longer than {limit:g} s"
    finally:
        await _stop(process)
        await asyncio.wait({reading}, timeout=_AFTER_END)
        reading.cancel()
        pipe.close()
    return CommandResult(problem, tuple(tail))


async def _spawn(
    command: str, directory: Path, environ: Mapping[str, str]
) -> tuple[asyncio.subprocess.Process, asyncio.StreamReader, asyncio.ReadTransport]:
    # With a pipe of asyncio's the process would count as running for as long as anybody holds the other end.
    reading, writing = os.pipe()
    stream = asyncio.StreamReader()
    try:
        pipe, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(stream), os.fdopen(reading, "rb", buffering=0)
        )
        process = await asyncio.create_subprocess_exec(
            "/bin/sh",
            "-c",
            command,
            cwd=directory,
            env=dict(environ),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=writing,
            stderr=writing,
            start_new_session=True,
        )
    finally:
        os.close(writing)
    return process, stream, pipe


def _ending(code: int) -> str:
    if code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"ended with {code}" if code else ""


async def _read_lines(stream: asyncio.StreamReader, tell: Callable[[bytes], None]) -> None:
    """Hand over line by line; of a line without an end the beginning is kept."""
    rest = b""
    while chunk := await stream.read(_CHUNK):
        *lines, rest = (rest + chunk).replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        for line in lines:
            tell(line)
        rest = rest[:_CHUNK]
    if rest:
        tell(rest)


async def _stop(process: asyncio.subprocess.Process) -> None:
    """End the process and everything of its group."""
    if process.returncode is None:
        _signal_group(process, signal.SIGTERM)
        with suppress(TimeoutError):
            async with asyncio.timeout(_STOP_GRACE):
                await process.wait()
    _signal_group(process, signal.SIGKILL)
    await process.wait()


def _signal_group(process: asyncio.subprocess.Process, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
