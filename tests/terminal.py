"""A command at a terminal of its own, as somebody types at it."""

import asyncio
import contextlib
import fcntl
import os
import pty
import re
import signal
import termios
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal:
    """What the process shows, and a keyboard."""

    def __init__(self, process: asyncio.subprocess.Process, master: int) -> None:
        self.process = process
        self.shown = ""
        self._master = master
        self._changed = asyncio.Event()
        os.set_blocking(master, False)
        asyncio.get_running_loop().add_reader(master, self._read)

    def _read(self) -> None:
        # Linux answers EIO when the process has closed its side.
        try:
            data = os.read(self._master, 65536)
        except OSError:
            data = b""
        if not data:
            asyncio.get_running_loop().remove_reader(self._master)
        self.shown += _ESCAPES.sub("", data.decode(errors="replace")).replace("\r", "")
        self._changed.set()

    async def sees(self, text: str, seconds: float = 90) -> None:
        """Wait until a text is shown, line breaks counted as blanks."""
        async with asyncio.timeout(seconds):
            while text not in " ".join(self.shown.split()):
                assert self.process.returncode is None, f"ended with {self.process.returncode}: {self.shown}"
                self._changed.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._changed.wait(), 0.5)

    def types(self, line: str) -> None:
        """Type a line and Enter."""
        os.write(self._master, line.encode() + b"\n")

    def presses(self, keys: str) -> None:
        """Press keys."""
        os.write(self._master, keys.encode())

    def interrupts(self) -> None:
        """Press Ctrl-C."""
        os.write(self._master, b"\x03")

    async def ends(self, seconds: float = 90) -> int:
        """Wait for the end and return the exit code."""
        async with asyncio.timeout(seconds):
            code = await self.process.wait()
        self._read_rest()
        return code

    async def ends_when_interrupted(self) -> int:
        """Press Ctrl-C until it ends, as people do, and return the exit code.

        A signal that arrives in the moment in which Python begins to read a line is heeded at the next key only.
        """
        while True:
            self.interrupts()
            try:
                return await self.ends(seconds=3)
            except TimeoutError:
                continue

    def _read_rest(self) -> None:
        before = None
        while before != self.shown:
            before = self.shown
            self._read()


@contextlib.asynccontextmanager
async def at_terminal(command: Sequence[str], cwd: Path, env: dict[str, str]) -> AsyncIterator[Terminal]:
    """Run a command at a new terminal; a process that is still there at the end is killed."""
    master, slave = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        *command, cwd=cwd, env=env | {"TERM": "xterm-256color", "COLUMNS": "200", "LINES": "50"},
        stdin=slave, stdout=slave, stderr=slave, start_new_session=True, preexec_fn=_take_terminal,
    )  # fmt: skip
    os.close(slave)
    terminal = Terminal(process, master)
    try:
        yield terminal
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        asyncio.get_running_loop().remove_reader(master)
        os.close(master)


def _take_terminal() -> None:
    """Make the terminal the controlling one, so that Ctrl-C reaches the process as a signal and is not ignored.

    A shell that starts tests in the background lets all their children ignore it.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
