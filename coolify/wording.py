"""Words for numbers, and names that machines take."""

from __future__ import annotations

import re

__all__ = ["counted", "slug"]


def counted(number: int, noun: str) -> str:
    """Return the number with its noun, regular plural: `1 domain`, `2 domains`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def slug(text: str) -> str:
    """Return a text as keys of artifacts take it: lower-case letters, digits and hyphens only."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "unnamed"
