"""What a dump is, told by its first bytes and never by its name: Coolify calls a gzipped MongoDB archive `.tar.gz`."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, Final, cast

from coolify.errors import OperatorError

__all__ = ["Dump", "DumpFormat", "DumpRefusedError", "format_of", "recognise", "refuse_encrypted"]

_GZIP: Final = b"\x1f\x8b"
_ENCRYPTED: Final = {
    b"age-encryption.org/": "age",
    b"-----BEGIN PGP MESSAGE": "GnuPG",
    b"-----BEGIN AGE ENCRYPTED": "age",
    b"Salted__": "openssl enc",
    b"\x85\x02": "GnuPG",
    b"\x84\x5e": "GnuPG",
    b"\x8c\x0d": "GnuPG",
}
_SQL: Final = (b"--", b"/*", b"\n--", b"SET ", b"CREATE ", b"\\restrict", b"/*M!", b"DROP ", b"BEGIN")


class DumpRefusedError(OperatorError):
    """A dump cannot be restored."""


class DumpFormat(StrEnum):
    """How a dump is written."""

    POSTGRESQL_CUSTOM = "PostgreSQL custom format"
    SQL = "SQL text"
    REDIS = "Redis RDB"
    MONGODB = "MongoDB archive"
    ZIP = "ZIP archive"
    UNKNOWN = "unknown format"


@dataclass(frozen=True, slots=True)
class Dump:
    """A dump on disk."""

    path: Path
    format: DumpFormat
    gzipped: bool
    size: int

    def open(self) -> BinaryIO:
        """Open its content, unpacked as it is read."""
        return cast("BinaryIO", gzip.open(self.path, "rb")) if self.gzipped else self.path.open("rb")


def recognise(path: Path) -> Dump:
    """Return what a file is.

    Raises:
        DumpRefusedError: It is empty, encrypted, or its compression is damaged at the very beginning.
    """
    size = path.stat().st_size
    if size == 0:
        raise DumpRefusedError("The dump is empty: it has no byte.")
    with path.open("rb") as file:
        head = file.read(64)
    gzipped = head.startswith(_GZIP)
    if gzipped:
        try:
            with gzip.open(path, "rb") as unpacked:
                head = unpacked.read(64)
        except (OSError, EOFError):
            raise DumpRefusedError("The dump is damaged: its compression does not even begin properly.") from None
        if not head:
            raise DumpRefusedError("The dump is empty: it is a compressed file of nothing.")
    refuse_encrypted(head)
    return Dump(path, format_of(head), gzipped, size)


def refuse_encrypted(head: bytes) -> None:
    """Refuse what begins like the work of a tool that encrypts.

    Raises:
        DumpRefusedError: It does.
    """
    for magic, tool in _ENCRYPTED.items():
        if head.startswith(magic):
            raise DumpRefusedError(
                f"The dump is encrypted with {tool}. Coolify does not encrypt dumps: let a command decrypt it "
                "(`decrypt` in `backups.proofs`) with the key of whoever did."
            )


def format_of(head: bytes) -> DumpFormat:
    """Return what begins like this."""
    if head.startswith(b"PGDMP"):
        return DumpFormat.POSTGRESQL_CUSTOM
    if head.startswith(b"REDIS"):
        return DumpFormat.REDIS
    if head.startswith(b"\x6d\xe2\x99\x81"):
        return DumpFormat.MONGODB
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return DumpFormat.ZIP
    return DumpFormat.SQL if head.lstrip(b"\xef\xbb\xbf\r\n\t ").startswith(_SQL) else DumpFormat.UNKNOWN
