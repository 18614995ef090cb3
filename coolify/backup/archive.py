"""Archives of volumes: every byte of a packed tar read once, in one pass, with flat memory and nothing on the disk.

Coolify makes them with `tar -czf - -C /volume .` (its volume backup job, 4.3). `tarfile` takes an archive that breaks
off for one that ends: here the end must be the mark that tar writes, and the checksum of the compression must fit.
"""

from __future__ import annotations

import gzip
import io
import tarfile
import zlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import IO, Any, Final, cast

from coolify.backup.dumps import DumpFormat, DumpRefusedError, format_of, refuse_encrypted

__all__ = ["Contents", "plain_path", "read_archive"]

_GZIP: Final = b"\x1f\x8b"
_BLOCK: Final = 1024 * 1024
_END: Final = bytes(tarfile.BLOCKSIZE)
_HEAD: Final = 64


@dataclass(slots=True)
class Contents:
    """What is in an archive."""

    files: int = 0
    directories: int = 0
    size: int = 0
    """Bytes of all files together."""
    newest: datetime | None = None
    """When the file that was changed last was changed."""
    found: frozenset[str] = frozenset()
    """Those of the wanted paths that are there."""

    def add(self, member: tarfile.TarInfo, wanted: Collection[str]) -> None:
        """Count a member.

        Raises:
            DumpRefusedError: It would be written outside of the volume.
        """
        path = PurePosixPath(member.name)
        if path.is_absolute() or ".." in path.parts:
            raise DumpRefusedError(
                f"This is no archive of a volume: it holds {member.name[:100]!r}, which lies outside of it."
            )
        if member.isdir():
            self.directories += 1
        else:
            self.files += 1
            self.size += member.size
            changed = datetime.fromtimestamp(max(0.0, min(float(member.mtime), 32503680000.0)), UTC)
            self.newest = max(self.newest or changed, changed)
        if (name := str(path)) in wanted:
            self.found |= {name}


def plain_path(path: str) -> str:
    """Return a path as it is compared: below the volume, without slashes around it."""
    return str(PurePosixPath(path.strip("/")))


def read_archive(stream: io.BufferedReader, wanted: Collection[str] = ()) -> Contents:
    """Read an archive to its end and return what is in it.

    Args:
        stream: The archive; it is read once and needs no `seek`.
        wanted: Paths below the volume, without a leading slash, that are looked for.

    Raises:
        DumpRefusedError: It is empty, encrypted, cut off, damaged, or no archive of a volume.
    """
    head = stream.peek(_HEAD)[:_HEAD]
    if not head:
        raise DumpRefusedError("The archive is empty: it has no byte.")
    refuse_encrypted(head)
    if not head.startswith(_GZIP):
        raise _foreign(head, "the file")
    contents = Contents()
    try:
        with gzip.GzipFile(fileobj=stream, mode="rb") as unpacked:
            packed = cast("io.BufferedReader", io.BufferedReader(cast("io.RawIOBase", unpacked), _BLOCK))
            _read(packed, contents, frozenset(plain_path(one) for one in wanted))
    except EOFError:
        raise _cut_off(contents) from None
    except (gzip.BadGzipFile, zlib.error):
        raise DumpRefusedError(
            f"The archive is damaged after {contents.files} files: the checksum of its compression does not fit."
        ) from None
    return contents


def _read(packed: io.BufferedReader, contents: Contents, wanted: Collection[str]) -> None:
    head = packed.peek(_HEAD)[:_HEAD]
    source = _Forward(packed)
    try:
        archive: Any = tarfile.TarFile(fileobj=cast("IO[bytes]", source), mode="r")
        while (member := archive.next()) is not None:
            # It keeps all of them otherwise: a volume may hold millions of files.
            archive.members.clear()
            contents.add(member, wanted)
    except tarfile.TarError:
        if contents.files or contents.directories:
            raise _cut_off(contents) from None
        if not head:
            raise DumpRefusedError("The archive is empty: it is a compressed file of nothing.") from None
        raise _foreign(head, "what is packed in it") from None
    if source.last != _END:
        raise _cut_off(contents)
    # What follows the mark is padding; reading it lets the checksum be compared.
    while packed.read(_BLOCK):
        pass


class _Forward:
    """Lets `tarfile` skip without going back, and remembers what it read last."""

    def __init__(self, stream: io.BufferedReader) -> None:
        self._stream = stream
        self._position = 0
        self.last = b""

    def read(self, size: int) -> bytes:
        self.last = self._stream.read(size)
        self._position += len(self.last)
        return self.last

    def tell(self) -> int:
        return self._position

    def seek(self, position: int) -> None:
        while (left := position - self._position) > 0:
            if not self.read(min(left, _BLOCK)):
                raise tarfile.ReadError("unexpected end of data")


def _cut_off(contents: Contents) -> DumpRefusedError:
    return DumpRefusedError(f"The archive is cut off or damaged: it breaks off after {contents.files} files.")


def _foreign(head: bytes, what: str) -> DumpRefusedError:
    found = format_of(head)
    told = "no tar archive" if found is DumpFormat.UNKNOWN else found.value
    return DumpRefusedError(f"This is no archive of a volume: {what} begins like {told}.")
