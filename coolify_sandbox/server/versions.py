"""Comparing the versions that the sandbox can be."""

from __future__ import annotations

__all__ = ["at_least_version"]


def at_least_version(version: str, wanted: str) -> bool:
    """Return whether `version` is `wanted` or later; both are plain `MAJOR.MINOR.PATCH`."""
    return _key(version) >= _key(wanted)


def _key(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("-", maxsplit=1)[0].split("."))
