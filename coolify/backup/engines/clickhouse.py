"""ClickHouse archives: every file of the ZIP read and compared with its checksum and the list in `.backup`.

`BACKUP DATABASE ... TO Disk(...)` writes a ZIP whose member `.backup` is XML with the name and size of every file.
There is no ClickHouse to restore into: structure and completeness only.
"""

from __future__ import annotations

import asyncio
import re
import zipfile
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Final
from urllib.parse import unquote

from coolify.backup.dumps import Dump, DumpFormat, DumpRefusedError
from coolify.backup.engines.base import CannotAskError, Connection, NotProvableHereError, Restored, refuse_format

__all__ = ["restore"]

_MANIFEST: Final = ".backup"
_LARGEST_MANIFEST: Final = 256 * 1024 * 1024
_FILE: Final = re.compile(rb"<file>(.*?)</file>", re.DOTALL)
_FIELD: Final = re.compile(rb"<(name|size|base_size|data_file|use_base)>([^<]*)</")
_TABLE: Final = re.compile(r"metadata/([^/]+)/([^/]+)\.sql")
_BLOCK: Final = 1024 * 1024


class _Asked:
    def __init__(self, tables: frozenset[str]) -> None:
        self._tables = tables

    async def count(self, table: str) -> int | None:
        if not any(table in {one, one.partition(".")[2]} for one in self._tables):
            return None
        raise CannotAskError(f"The rows of {table} cannot be counted: a ClickHouse archive is read, not restored.")

    async def newest(self, table: str, column: str) -> datetime | None:
        raise CannotAskError(f"{table}.{column} cannot be asked: a ClickHouse archive is read, not restored.")

    async def value(self, sql: str) -> str:
        raise CannotAskError(f"A ClickHouse archive is read, not restored: `{sql[:60]}` cannot be asked.")


@asynccontextmanager
async def restore(dump: Dump, server: Connection | None, seconds: float) -> AsyncIterator[Restored]:  # noqa: ARG001 - RestoreFunction
    """Read an archive to its end; structure and completeness, no restore (`RestoreFunction`)."""
    if dump.format is not DumpFormat.ZIP:
        raise refuse_format(dump, "ClickHouse")
    if server is not None:
        raise NotProvableHereError("A ClickHouse archive is only read, never restored: remove `server` from the proof.")
    tables, files = await asyncio.to_thread(_read_whole, dump)
    facts = (
        f"archive of ClickHouse: {len(tables)} tables, {files} files, all with their checksums",
        "structure and completeness only: nothing was restored",
    )
    yield Restored(_Asked(frozenset(tables)), tuple(sorted(tables)), whole=False, facts=facts)


def _read_whole(dump: Dump) -> tuple[set[str], int]:
    try:
        with zipfile.ZipFile(dump.path) as archive:
            sizes = {one.filename: _length(archive, one) for one in archive.infolist()}
            if _MANIFEST not in sizes:
                raise DumpRefusedError("The archive has no list of its files (`.backup`): it was never finished.")
            if sizes[_MANIFEST] > _LARGEST_MANIFEST:
                raise DumpRefusedError("The archive's list of files is larger than 256 MiB.")
            manifest = archive.read(_MANIFEST)
    except (zipfile.BadZipFile, EOFError, OSError, zlib.error):
        raise DumpRefusedError("The archive is cut off or damaged: a file in it does not fit its checksum.") from None
    tables: set[str] = set()
    for entry in _FILE.findall(manifest):
        fields = {name.decode(): value.decode(errors="replace") for name, value in _FIELD.findall(entry)}
        name, size = fields.get("name", ""), int(fields.get("size", "0") or 0)
        if fields.get("use_base") == "true":
            raise NotProvableHereError("The archive is incremental: without its base nothing is proved.")
        # A file without content is not stored.
        if size and sizes.get(fields.get("data_file", name)) != size:
            raise DumpRefusedError(f"The archive is not complete: {name} is missing or has another size.")
        if match := _TABLE.search(name):
            tables.add(f"{unquote(match[1])}.{unquote(match[2])}")
    return tables, len(sizes)


def _length(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> int:
    """Read a file of the archive to its end, which compares its checksum, and return its length."""
    length = 0
    with archive.open(member) as source:
        while block := source.read(_BLOCK):
            length += len(block)
    return length
