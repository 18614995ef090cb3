"""Run a program for a build: its output goes to the log, cancelling ends it and everything it started."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

__all__ = ["Finished", "base_environment", "kill", "launched", "run"]

_PIPE_SECONDS: Final = 1.0
_LAUNCHER: Final = Path(__file__).with_name("launch.py")


class Finished:
    """Exit code and output of a program."""

    def __init__(self, code: int, output: str) -> None:
        self.code = code
        self.output = output


def base_environment(home: Path) -> dict[str, str]:
    """Return what every program of the sandbox starts with: nothing of the operator's but the search path."""
    return {
        "PATH": os.environ.get("PATH", "/usr/local/bin:/usr/bin:/bin"),
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def launched(command: str) -> tuple[str, ...]:
    """Return how to run a shell command so that it ends with its standard input, at the latest with the sandbox."""
    return sys.executable, "-I", "-S", str(_LAUNCHER), command


async def kill(process: asyncio.subprocess.Process) -> None:
    """Kill a program that leads a process group, and read what is left in its pipes.

    A pipe that is open when the event loop ends is an error.
    """
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()
    # Somebody who has left the group may hold them open.
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_PIPE_SECONDS):
            await process.communicate()


async def run(command: Sequence[str], directory: Path, environment: Mapping[str, str]) -> Finished:
    """Run a program to its end and return its output, standard error included."""
    # A pipe of our own: `communicate` would close one that asyncio has made.
    reading, writing = os.pipe()
    try:
        process = await asyncio.create_subprocess_exec(
            *launched(f"exec {shlex.join(command)}"),
            cwd=directory,
            env=dict(environment),
            stdin=reading,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            output, _ = await process.communicate()
        except asyncio.CancelledError:
            await kill(process)
            raise
    finally:
        os.close(reading)
        os.close(writing)
    return Finished(process.returncode or 0, output.decode(errors="replace").strip())
