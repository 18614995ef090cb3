"""The nearest word to one that was mistyped."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

__all__ = ["nearest"]


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the end of a message: `did you mean x?`, or the known words when none is near.

    Args:
        word: What was written.
        known: What could have been meant.
    """
    words = list(known)
    folded = {one.lower().replace("-", "_"): one for one in words}
    close = get_close_matches(word.lower().replace("-", "_"), folded, n=1)
    if close:
        return f"did you mean `{folded[close[0]]}`?"
    return f"known are {', '.join(f'`{one}`' for one in words)}."
