"""Redis and its kin: a dump file loaded into a scratch `redis-server`, which checks the checksum in it.

Coolify has no backups of Redis, KeyDB and Dragonfly: such a dump comes from elsewhere, by `backups.proofs.*.objects` or
`coolify backup verify --file`.
"""

from __future__ import annotations

import asyncio
import gzip
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

from coolify.backup.dumps import Dump, DumpFormat, DumpRefusedError
from coolify.backup.engines.base import CannotAskError, Connection, NotProvableHereError, Restored, refuse_format
from coolify.backup.scratch import ScratchServer, find_tool
from coolify.errors import OperatorError

__all__ = ["ScratchRedis", "restore"]

_SAMPLE: Final = "1000"


class ScratchRedis(ScratchServer):
    """A Redis of our own that loads one dump at its start: no network, nothing written."""

    def __init__(self, seconds: float, dump: Dump) -> None:
        super().__init__(seconds)
        self._dump = dump
        self._patience = seconds

    async def start(self) -> None:
        """Start it and wait until the dump is loaded."""
        server = find_tool("redis-server", "redis-server")
        data = self.own_directory("data")
        await asyncio.to_thread(_unpack, self._dump, data / "dump.rdb")
        self.give(data / "dump.rdb")
        self.socket = data / "s"
        await self.launch(
            [
                server,
                *("--port", "0", "--unixsocket", str(self.socket), "--dir", str(data), "--dbfilename", "dump.rdb"),
                *("--save", "", "--appendonly", "no", "--daemonize", "no"),
            ]
        )

        async def ready() -> bool:
            try:
                return await _ask(self.socket, "PING") == "PONG"
            except (OSError, _AnswerError):
                return False

        await self.wait_until(ready, "Redis", self._patience)


class _Asked:
    """The keys of all databases."""

    def __init__(self, socket: Path, databases: dict[int, int]) -> None:
        self._socket = socket
        self._databases = databases

    async def count(self, table: str) -> int | None:
        """Return how many elements a key has; `*` is the number of all keys."""
        if table == "*":
            return sum(self._databases.values())
        for database in self._databases:
            kind = await _ask(self._socket, "TYPE", table, database=database)
            command = {"list": "LLEN", "set": "SCARD", "zset": "ZCARD", "hash": "HLEN", "stream": "XLEN"}.get(str(kind))
            if command:
                return int(str(await _ask(self._socket, command, table, database=database)))
            if kind != "none":
                return 1
        return None

    async def newest(self, table: str, column: str) -> datetime | None:
        raise CannotAskError(f"Redis has no column {column} in {table}: remove the check `newest`.")

    async def value(self, sql: str) -> str:
        raise CannotAskError(f"Redis answers no SQL: remove the check `{sql[:60]}`.")


@asynccontextmanager
async def restore(dump: Dump, server: Connection | None, seconds: float) -> AsyncIterator[Restored]:
    """Load a dump for as long as the context lasts (`RestoreFunction`)."""
    if dump.format is not DumpFormat.REDIS:
        raise refuse_format(dump, "Redis")
    if server is not None:
        raise NotProvableHereError("A dump of Redis is only ever loaded into a scratch server: remove `server`.")
    scratch = ScratchRedis(seconds + 60, dump)
    try:
        await scratch.__aenter__()
    except OperatorError as error:
        raise _refusal(error) from None
    try:
        text = str(await _ask(scratch.socket, "INFO", "keyspace"))
        databases = {
            int(line.partition(":")[0].removeprefix("db")): int(line.partition("keys=")[2].partition(",")[0])
            for line in text.splitlines()
            if line.startswith("db")
        }
        keys: list[str] = []
        for database in databases:
            scanned = await _ask(scratch.socket, "SCAN", "0", "COUNT", _SAMPLE, database=database)
            keys += [str(one) for one in scanned[1]] if isinstance(scanned, list) else []
        total = sum(databases.values())
        version = str(await _ask(scratch.socket, "INFO", "server")).partition("redis_version:")[2].split()[0]
        facts = (f"loaded by Redis {version}: {total} keys in {len(databases)} databases",)
        yield Restored(_Asked(scratch.socket, databases), tuple(sorted(keys)[:1000]), facts=facts)
    finally:
        await scratch.__aexit__(None, None, None)


def _refusal(error: OperatorError) -> OperatorError:
    text = str(error)
    if "ended at its start" not in text:
        return error
    if "handle RDB format version" in text:
        return NotProvableHereError(f"The dump was written by a newer server than the Redis here: {text}")
    return DumpRefusedError(f"The dump does not load: {text.partition(': ')[2]}")


def _unpack(dump: Dump, target: Path) -> None:
    try:
        if dump.gzipped:
            with gzip.open(dump.path, "rb") as source, target.open("wb") as file:
                shutil.copyfileobj(source, file, 1024 * 1024)
        else:
            shutil.copyfile(dump.path, target)
    except EOFError:
        raise DumpRefusedError("The dump is cut off: its compression does not end properly.") from None


class _AnswerError(Exception):
    """Redis answers with an error, for example while it loads."""


async def _ask(socket: Path, *words: str, database: int = 0) -> object:
    """Send one command (RESP2) and return its answer."""
    reader, writer = await asyncio.open_unix_connection(str(socket), limit=16 * 1024 * 1024)
    try:
        for command in (["SELECT", str(database)], list(words)):
            encoded = [one.encode() for one in command]
            parts = b"".join(b"$%d\r\n%s\r\n" % (len(one), one) for one in encoded)
            writer.write(b"*%d\r\n" % len(encoded) + parts)
        await writer.drain()
        await _answer(reader)
        return await _answer(reader)
    finally:
        writer.close()


async def _answer(reader: asyncio.StreamReader) -> object:
    line = (await reader.readline()).rstrip(b"\r\n")
    kind, rest = line[:1], line[1:].decode(errors="replace")
    match kind:
        case b"+" | b":":
            return rest
        case b"$":
            if rest == "-1":
                return None
            return (await reader.readexactly(int(rest) + 2))[:-2].decode(errors="replace")
        case b"*":
            return [await _answer(reader) for _ in range(int(rest))]
        case _:
            raise _AnswerError(rest or "no answer")
