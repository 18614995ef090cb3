"""The file in which counts outlive the process that counts."""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import IO

from pydantic import ValidationError

from coolify.errors import OperatorError
from coolify.files import write_whole
from coolify.monitor.counting import BOUNDS, Counted, Kept

__all__ = ["CountsFile", "CountsFileError"]


class CountsFileError(OperatorError):
    """The file cannot be used."""

    is_usage = True


class CountsFile:
    """Counts, and what they were counted from, written in one step: what dies in between has counted nothing.

    Args:
        path: The file; made where it is missing. It belongs to one process at a time.

    Raises:
        CountsFileError: It cannot be read or written, is no such file, or belongs to another process.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # Of its own, because the file is replaced whenever it is written; the lock ends with the process.
            self._lock: IO[str] = path.with_name(f".{path.name}.lock").open("w")
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._kept = _read(path)
            # What cannot be written is told before anything is counted.
            self._write(self._kept)
        except BlockingIOError:
            raise CountsFileError(f"{path} is in use by another process: name another file with --state.") from None
        except OSError as error:
            raise CountsFileError(f"{path} cannot keep counts: {error.strerror}.") from None

    @property
    def counted(self) -> Counted:
        """What was counted until now."""
        return Counted(self._kept)

    def keep(self, counted: Counted) -> None:
        """Write what was counted, where it differs.

        Raises:
            OSError: It cannot be written; then the file is as it was.
        """
        kept = counted.kept
        if kept != self._kept:
            self._write(kept)
            self._kept = kept

    def _write(self, kept: Kept) -> None:
        write_whole(self._path, kept.model_dump_json(), mode=0o600)


def _read(path: Path) -> Kept:
    try:
        kept = Kept.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return Kept()
    except ValidationError:
        raise CountsFileError(
            f"{path} is no file with counts of `coolify monitor serve`: name another one with --state."
        ) from None
    if kept.bounds != BOUNDS or any(len(one.classes) != len(BOUNDS) + 1 for one in kept.applications):
        raise CountsFileError(f"{path} was written by another version: remove it to count from 0.")
    return kept
