"""MariaDB and MySQL: read into a scratch MariaDB, or into a database of its own on a given server.

Coolify dumps with `mariadb-dump` or `mysqldump` one database as SQL text, all of them gzipped. MySQL's dumps are read
by MariaDB too, with the collations of MySQL 8 replaced by MariaDB's nearest: what is proved is the data, not its sort
order. The system's own tables in a dump of everything, users among them, are left out.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Final

from coolify.backup.dumps import Dump, DumpFormat, DumpRefusedError
from coolify.backup.engines.base import CannotAskError, Connection, NotProvableHereError, Restored, refuse_format
from coolify.backup.engines.sql_text import feed_sql
from coolify.backup.scratch import Finished, ScratchServer, find_tool, run_tool
from coolify.errors import OperatorError

__all__ = ["ScratchMariaDB", "restore", "restore_into"]

_PACKAGE: Final = "mariadb-server"
_DATABASE: Final = "proof"
_END_OF_DUMP: Final = re.compile(rb"-- Dump completed[^\n]*\s*$")
_SYSTEM: Final = "('mysql', 'sys', 'performance_schema', 'information_schema')"
_PACKET: Final = "1073741824"


class ScratchMariaDB(ScratchServer):
    """A MariaDB of our own: no network, nothing durable."""

    async def start(self) -> None:
        """Initialise and start it."""
        server, install = find_tool("mariadbd", _PACKAGE), find_tool("mariadb-install-db", _PACKAGE)
        self.client = find_tool("mariadb", _PACKAGE)
        data, temporary = self.own_directory("data"), self.own_directory("tmp")
        made = await run_tool(
            [
                install,
                "--no-defaults",
                f"--datadir={data}",
                f"--tmpdir={temporary}",
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
                "--skip-name-resolve",
            ],
            user=self.user,
        )
        if made.code != 0:
            raise OperatorError(f"A scratch MariaDB cannot be prepared: {made.reason}")
        self.socket = data / "s"
        await self.launch(
            [
                server,
                "--no-defaults",
                f"--datadir={data}",
                f"--tmpdir={temporary}",
                f"--socket={self.socket}",
                f"--pid-file={data / 'pid'}",
                "--skip-networking",
                "--skip-log-bin",
                "--innodb-flush-log-at-trx-commit=0",
                "--innodb-doublewrite=0",
                "--innodb-fast-shutdown=2",
                "--innodb-buffer-pool-size=256M",
                f"--max-allowed-packet={_PACKET}",
                "--default-time-zone=+00:00",
                "--local-infile=0",
                # A dump may hold routines of owners that are not here.
                "--log-bin-trust-function-creators=1",
            ]
        )
        asked = _Asked(self.client, self.connection, "")

        async def ready() -> bool:
            return self.socket.exists() and (await asked.run(["-e", "SELECT 1"])).code == 0

        await self.wait_until(ready, "MariaDB")

    @property
    def connection(self) -> Connection:
        """How it is reached."""
        return Connection("mysql", str(self.socket), None, "root", "", "")


class _Asked:
    """One database, asked through the client."""

    def __init__(self, client: str, connection: Connection, database: str) -> None:
        self._client = client
        self._connection = connection
        self._database = database

    async def count(self, table: str) -> int | None:
        database, name = _split(table, self._database)
        known = (
            "SELECT count(*) FROM information_schema.tables WHERE table_schema = "  # noqa: S608 - literals
            f"{_literal(database)} AND table_name = {_literal(name)}"
        )
        if await self.value(known) == "0":
            return None
        return int(await self.value(f"SELECT count(*) FROM {_quoted(database)}.{_quoted(name)}"))  # noqa: S608 - quoted

    async def newest(self, table: str, column: str) -> datetime | None:
        database, name = _split(table, self._database)
        where = f"{_quoted(database)}.{_quoted(name)}"
        # The session's zone is UTC.
        text = await self.value(f"SELECT UNIX_TIMESTAMP(MAX({_quoted(column)})) FROM {where}")  # noqa: S608 - quoted
        return datetime.fromtimestamp(float(text), UTC) if text not in {"", "NULL"} else None

    async def value(self, sql: str) -> str:
        finished = await self.run(["-e", sql])
        if finished.code != 0:
            raise CannotAskError(f"The restored database does not answer `{sql[:120]}`: {finished.reason}")
        return finished.output.strip()

    async def run(self, arguments: list[str]) -> Finished:
        """Run the client: plain values, no column names."""
        return await run_tool(
            [*_command(self._client, self._connection, self._database), "-N", "-B", *arguments],
            environment=_variables(self._connection),
        )


@asynccontextmanager
async def restore(dump: Dump, server: Connection | None, seconds: float) -> AsyncIterator[Restored]:
    """Restore a dump for as long as the context lasts (`RestoreFunction`)."""
    if dump.format is not DumpFormat.SQL:
        raise refuse_format(dump, "MariaDB or MySQL")
    if server is None:
        async with ScratchMariaDB(seconds + 60) as scratch:
            await _Asked(scratch.client, scratch.connection, "").value(f"CREATE DATABASE {_DATABASE}")
            yield await _restored(scratch.client, scratch.connection, _DATABASE, dump, scratch.user)
        return
    if await asyncio.to_thread(_makes_databases, dump):
        raise NotProvableHereError(
            "The dump makes databases of its own and is never read into a given server: remove `server` from the proof."
        )
    client = find_tool("mariadb", _PACKAGE)
    database = f"coolify_proof_{secrets.token_hex(6)}"
    given = _Asked(client, server, "")
    await _demand_reachable(given, server)
    await given.value(f"CREATE DATABASE {database}")
    try:
        yield await _restored(client, server, database, dump, "")
    finally:
        await asyncio.shield(given.value(f"DROP DATABASE IF EXISTS {database}"))


async def restore_into(dump: Dump, server: Connection, *, clean: bool) -> Restored:
    """Restore SQL text of one database into a database that is to be used (`RestoreIntoFunction`).

    MariaDB and MySQL have no transaction around tables: what fails half-way stays half-way, and is told.
    """
    if dump.format is not DumpFormat.SQL:
        raise refuse_format(dump, "MariaDB or MySQL")
    if await asyncio.to_thread(_makes_databases, dump):
        raise DumpRefusedError(
            "The dump makes databases of its own and would write into others: see `coolify backup restore-plan`."
        )
    client = find_tool("mariadb", _PACKAGE)
    asked = _Asked(client, server, server.database)
    await _demand_reachable(asked, server)
    tables = f"SELECT count(*) FROM information_schema.tables WHERE table_schema = {_literal(server.database)}"  # noqa: S608 - literal
    if not clean and await asked.value(tables) != "0":
        raise OperatorError(
            f"The database {server.database} holds tables: name an empty one, or let the dump replace its tables with "
            "--clean."
        )
    return await _restored(client, server, server.database, dump, "")


async def _demand_reachable(asked: _Asked, server: Connection) -> None:
    reached = await asked.run(["-e", "SELECT 1"])
    if reached.code == 0:
        return
    if "Access denied" in reached.errors:
        raise OperatorError(f"The server at {server.host} refuses the password of '{server.user}'.")
    raise OperatorError(f"The server at {server.host} cannot be used: {reached.reason}")


async def _restored(client: str, server: Connection, database: str, dump: Dump, user: str) -> Restored:
    ended = False

    async def feed(writer: asyncio.StreamWriter) -> None:
        nonlocal ended
        ended = await feed_sql(dump, writer, mysql=True, end=_END_OF_DUMP)

    # In binary mode the client takes no commands of its own from the text.
    command = [*_command(client, server, database), "--binary-mode", f"--max-allowed-packet={_PACKET}"]
    finished = await run_tool(command, environment=_variables(server), feed=feed, user=user)
    if finished.code != 0:
        if "Unknown collation" in finished.errors or "Unknown storage engine" in finished.errors:
            raise NotProvableHereError(
                f"The dump cannot be restored here: {finished.reason} Name a server of its kind in `backups.proofs`."
            )
        raise DumpRefusedError(f"The dump does not restore: {finished.reason}")
    if not ended:
        raise DumpRefusedError("The dump is cut off: its last line (`Dump completed`) is missing.")
    asked = _Asked(client, server, database)
    only = "" if database == _DATABASE else f"AND table_schema = {_literal(database)} "
    listing = (
        "SELECT concat(table_schema, '.', table_name) FROM information_schema.tables "  # noqa: S608 - literals
        f"WHERE table_type = 'BASE TABLE' AND table_schema NOT IN {_SYSTEM} {only}ORDER BY 1 LIMIT 1000"
    )
    tables = tuple((await asked.value(listing)).splitlines())
    if tables and not any(one.startswith(f"{database}.") for one in tables):
        # Everything was dumped: questions without a database go to the only one there is.
        names = {one.partition(".")[0] for one in tables}
        asked = _Asked(client, server, names.pop()) if len(names) == 1 else asked
    version = await asked.value("SELECT version()")
    return Restored(asked, tables, facts=(f"SQL text read into {version}",))


def _makes_databases(dump: Dump) -> bool:
    with dump.open() as source:
        head = source.read(1024 * 1024)
    return b"\nCREATE DATABASE " in head or b"\nUSE `" in head


def _command(client: str, server: Connection, database: str) -> list[str]:
    place = (
        [f"--socket={server.host}"]
        if server.host.startswith("/")
        else [f"--host={server.host}", f"--port={server.port or 3306}", "--protocol=tcp", "--connect-timeout=10"]
    )
    return [
        client,
        "--no-defaults",
        *place,
        f"--user={server.user}",
        "--default-character-set=utf8mb4",
        "--init-command=SET time_zone = '+00:00'",
        *([database] if database else []),
    ]


def _variables(server: Connection) -> dict[str, str]:
    return {"MYSQL_PWD": server.password} if server.password else {}


def _split(table: str, database: str) -> tuple[str, str]:
    first, dot, second = table.partition(".")
    return (first, second) if dot else (database, first)


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _literal(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"
