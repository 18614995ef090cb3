"""The disk of the sandbox's server: images and the build cache share it, and it can be too small."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

__all__ = ["Disk"]

_ROOMY: Final = 8
"""Percent that a disk without a size is used to."""


class Disk:
    """Measures what images and build cache take.

    Args:
        directory: Where the sandbox keeps its files.
        size: Bytes that there are, None for as many as are wanted.
    """

    def __init__(self, directory: Path, size: int | None) -> None:
        self._measured = (directory / "images", directory / "build-cache")
        self._cache = directory / "build-cache"
        self._size = size

    @property
    def percent(self) -> int:
        """How full it is."""
        if self._size is None:
            return _ROOMY
        files = (file for folder in self._measured for file in folder.rglob("*") if file.is_file())
        return min(100, round(100 * sum(file.stat().st_size for file in files) / self._size))

    @property
    def is_full(self) -> bool:
        """Whether nothing can be written any more."""
        return self.percent >= 100

    def drop_cache(self) -> None:
        """Remove the build cache."""
        shutil.rmtree(self._cache, ignore_errors=True)
