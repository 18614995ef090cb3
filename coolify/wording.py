"""Words for numbers."""

from __future__ import annotations

__all__ = ["counted"]


def counted(number: int, noun: str) -> str:
    """Return the number with its noun, regular plural: `1 domain`, `2 domains`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
