"""SQL text on its way into a server: block by block, with the few lines changed that hold back a scratch server."""

from __future__ import annotations

import asyncio
import io
import re
import zlib
from typing import BinaryIO, Final

from coolify.backup.dumps import Dump, DumpFormat, DumpRefusedError

__all__ = ["feed_sql"]

_BLOCK: Final = 1024 * 1024
_TAIL: Final = 2048
_CREATE_DATABASE: Final = re.compile(rb"(CREATE DATABASE .+? WITH TEMPLATE = template0) .*?(ENCODING = '[^']+').*;")
_MYSQL_COLLATION: Final = re.compile(rb"utf8mb4_0900_\w+")
_MYSQL_SKIPPED: Final = (b"SET @@GLOBAL.GTID_PURGED",)
_SYSTEM: Final = re.compile(rb"`(mysql|sys)`")
_DATA_LINES: Final = (b"INSERT ", b"REPLACE ")


async def feed_sql(
    dump: Dump,
    writer: asyncio.StreamWriter,
    *,
    portable_databases: bool = False,
    mysql: bool = False,
    end: re.Pattern[bytes] | None = None,
) -> bool:
    """Write the unpacked content of a dump, and return whether its end was seen.

    Args:
        dump: The dump; other formats than SQL text pass unchanged.
        writer: Input of the server's client.
        portable_databases: Drop locales from PostgreSQL's `CREATE DATABASE`: the scratch server need not have them.
        mysql: Give tables of MySQL 8 a collation that MariaDB has, and leave out what only MySQL knows.
        end: What stands at the end of a whole dump.

    Raises:
        DumpRefusedError: The compression is damaged or cut off.
    """
    lines_of = _PostgresLines() if portable_databases else _MySQLLines()
    by_line = dump.format is DumpFormat.SQL and (portable_databases or mysql)
    tail = b""
    with dump.open() as source:
        while True:
            block = await asyncio.to_thread(_read, source, by_line)
            if not block:
                break
            tail = (tail + block[-_TAIL:])[-_TAIL:]
            if by_line:
                # A line ends with a line feed here, and nowhere else.
                block = b"".join(lines_of.changed(line) for line in io.BytesIO(block))
            writer.write(block)
            await writer.drain()
    return end is None or end.search(tail) is not None


def _read(source: BinaryIO, by_line: bool) -> bytes:
    try:
        block = source.read(_BLOCK)
        # To the end of the line: a row may be as large as a packet, and that is the most it holds in memory.
        return block + source.readline() if by_line and block and not block.endswith(b"\n") else block
    except (EOFError, OSError, zlib.error):
        raise DumpRefusedError("The dump is cut off or damaged: its compression does not end properly.") from None


class _PostgresLines:
    """Rows between COPY and its end are nobody's to change."""

    def __init__(self) -> None:
        self._copying = False

    def changed(self, line: bytes) -> bytes:
        if self._copying:
            self._copying = line.rstrip(b"\r\n") != b"\\."
        elif line.startswith(b"COPY ") and b" FROM stdin;" in line:
            self._copying = True
        elif line.startswith(b"CREATE DATABASE "):
            return _CREATE_DATABASE.sub(rb"\1 \2;", line)
        return line


class _MySQLLines:
    """Rows stand in statements of their own, on one line or several; no value holds a line feed as such."""

    def __init__(self) -> None:
        self._skipping = False
        self._rows = False

    def changed(self, line: bytes) -> bytes:
        if self._rows or line.startswith(_DATA_LINES):
            self._rows = not line.rstrip(b"\r\n").endswith(b";")
            return b"\n" if self._skipping else line
        if line.startswith((b"CREATE DATABASE ", b"USE `")):
            self._skipping = _SYSTEM.search(line) is not None
        if self._skipping or line.startswith(_MYSQL_SKIPPED):
            return b"\n"
        return _MYSQL_COLLATION.sub(b"utf8mb4_unicode_520_ci", line) if b"utf8mb4_0900_" in line else line
