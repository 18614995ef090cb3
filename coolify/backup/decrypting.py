"""Dumps that somebody else has encrypted: decrypted by a command of the configuration, which has the key."""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from coolify.errors import OperatorError

__all__ = ["DecryptionError", "decrypted"]


class DecryptionError(OperatorError):
    """The command did not decrypt the dump; that says nothing about the dump."""


@asynccontextmanager
async def decrypted(path: Path, command: str | None) -> AsyncIterator[Path]:
    """Yield a dump in clear: the file itself where there is no command, else one that is removed afterwards.

    Args:
        path: The dump.
        command: Command of a shell that reads the dump and writes it in clear.

    Raises:
        DecryptionError: It failed; the sentence holds the last line that it said.
    """
    if command is None:
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="coolify-clear-") as folder:
        clear = Path(folder) / "dump"
        await _run(command, path, clear)
        yield clear


async def _run(command: str, path: Path, clear: Path) -> None:
    with path.open("rb") as source, clear.open("wb") as target:
        process = await asyncio.create_subprocess_exec(
            "/bin/sh",
            "-c",
            command,
            stdin=source,
            stdout=target,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        try:
            _, errors = await process.communicate()
        except BaseException:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
            raise
    if process.returncode != 0:
        lines = [line.strip() for line in errors.decode(errors="replace").splitlines() if line.strip()]
        said = lines[-1][:200] if lines else f"exit code {process.returncode}"
        raise DecryptionError(f"The command `decrypt` of `backups.proofs` does not decrypt the dump: {said}")
