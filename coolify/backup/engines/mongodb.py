"""MongoDB archives: read from the first byte to the last, never restored: there is no MongoDB to restore into.

Format of `mongodump --archive` (mongo-tools, common/archive/README.md): a magic number; a prelude of BSON documents,
the header first and one for each collection; then segments, each a BSON header with `db`, `collection` and `EOF`, the
documents, and a terminator of four bytes 0xFF. A collection is whole when a header with `EOF: true` has closed it.
"""

from __future__ import annotations

import asyncio
import struct
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import BinaryIO, Final

from coolify.backup.dumps import Dump, DumpFormat, DumpRefusedError
from coolify.backup.engines.base import CannotAskError, Connection, NotProvableHereError, Restored, refuse_format

__all__ = ["restore"]

_TERMINATOR: Final = 0xFFFFFFFF
_LARGEST: Final = 64 * 1024 * 1024
"""Bytes; a document of MongoDB has at most 16 MiB."""


@dataclass
class _Archive:
    """What was found in an archive."""

    server: str = ""
    declared: set[str] = field(default_factory=set)
    """Collections that the prelude announces."""
    counts: dict[str, int] = field(default_factory=dict)
    closed: set[str] = field(default_factory=set)


class _Asked:
    def __init__(self, archive: _Archive) -> None:
        self._archive = archive

    async def count(self, table: str) -> int | None:
        known = [one for one in self._archive.declared if one == table or one.partition(".")[2] == table]
        return sum(self._archive.counts.get(one, 0) for one in known) if known else None

    async def newest(self, table: str, column: str) -> datetime | None:
        raise CannotAskError(f"{table}.{column} cannot be asked: a MongoDB archive is read, not restored.")

    async def value(self, sql: str) -> str:
        raise CannotAskError(f"MongoDB answers no SQL: remove the check `{sql[:60]}`.")


@asynccontextmanager
async def restore(dump: Dump, server: Connection | None, seconds: float) -> AsyncIterator[Restored]:  # noqa: ARG001 - RestoreFunction
    """Read an archive to its end; structure and completeness, no restore (`RestoreFunction`)."""
    if dump.format is not DumpFormat.MONGODB:
        raise refuse_format(dump, "MongoDB")
    if server is not None:
        raise NotProvableHereError("A MongoDB archive is only read, never restored: remove `server` from the proof.")
    archive = await asyncio.to_thread(_read_whole, dump)
    names = tuple(sorted(archive.declared))
    total = sum(archive.counts.values())
    facts = (
        f"archive of MongoDB {archive.server or 'unknown'}: {len(names)} collections, {total} documents, all closed",
        "structure and completeness only: nothing was restored",
    )
    yield Restored(_Asked(archive), names, whole=False, facts=facts)


def _read_whole(dump: Dump) -> _Archive:
    archive = _Archive()
    try:
        with dump.open() as source:
            source.read(4)
            header = _document(_exactly(source, 4), source)
            archive.server = str(_fields(header).get("server_version", ""))
            while (length := _exactly(source, 4)) != b"\xff\xff\xff\xff":
                archive.declared.add(_namespace(_fields(_document(length, source))))
            _read_segments(source, archive)
    except (EOFError, OSError, zlib.error):
        raise DumpRefusedError("The archive is cut off or damaged: it ends in the middle.") from None
    missing = sorted(archive.declared - archive.closed)
    if missing:
        raise DumpRefusedError(f"The archive is not complete: nothing closes {', '.join(missing[:5])}.")
    return archive


def _read_segments(source: BinaryIO, archive: _Archive) -> None:
    while first := source.read(4):
        if len(first) < 4:
            raise EOFError
        fields = _fields(_document(first, source))
        name = _namespace(fields)
        if fields.get("EOF"):
            archive.closed.add(name)
        while (length := _exactly(source, 4)) != b"\xff\xff\xff\xff":
            _document(length, source)
            archive.counts[name] = archive.counts.get(name, 0) + 1


def _exactly(source: BinaryIO, size: int) -> bytes:
    data = source.read(size)
    if len(data) != size:
        raise EOFError
    return data


def _document(length: bytes, source: BinaryIO) -> bytes:
    (size,) = struct.unpack("<I", length)
    if not 5 <= size <= _LARGEST:
        raise DumpRefusedError(f"The archive is damaged: a document claims to have {size} bytes.")
    content = _exactly(source, size - 4)
    if content[-1] != 0:
        raise DumpRefusedError("The archive is damaged: a document does not end where it says.")
    return length + content


def _namespace(fields: dict[str, object]) -> str:
    name = f"{fields.get('db', '')}.{fields.get('collection', '')}"
    if name == ".":
        raise DumpRefusedError("The archive is damaged: a segment belongs to no collection.")
    return name


def _fields(document: bytes) -> dict[str, object]:
    """Return texts, booleans and numbers at the top of a BSON document (bsonspec.org); others end the reading."""
    fields: dict[str, object] = {}
    at = 4
    while at < len(document) - 1:
        kind = document[at]
        end = document.index(b"\0", at + 1)
        name, at = document[at + 1 : end].decode(errors="replace"), end + 1
        if kind == 0x02:
            (size,) = struct.unpack_from("<i", document, at)
            fields[name] = document[at + 4 : at + 3 + size].decode(errors="replace")
            at += 4 + size
        elif kind == 0x08:
            fields[name] = document[at] == 1
            at += 1
        elif kind == 0x10:
            (fields[name],) = struct.unpack_from("<i", document, at)
            at += 4
        elif kind == 0x12:
            (fields[name],) = struct.unpack_from("<q", document, at)
            at += 8
        else:
            break
    return fields
