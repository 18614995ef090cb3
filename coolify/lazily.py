"""Packages that load what they export when it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

__all__ = ["exported_by"]


def exported_by(package: str) -> Callable[[str], object]:
    """Return the `__getattr__` (PEP 562) of a package whose names are in its module `exports`.

    Commands that only look at something import the few modules that they need, and never load the others.
    """

    def export(name: str) -> object:
        exports = import_module(f"{package}.exports")
        if name in exports.__all__:
            return getattr(exports, name)
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return export
