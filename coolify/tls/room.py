"""How many connections of checks are open at the same time."""

from __future__ import annotations

import asyncio
from typing import Final
from weakref import WeakKeyDictionary

__all__ = ["room"]

_CONCURRENT: Final = 64
_ROOMS: Final[WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore]] = WeakKeyDictionary()


def room() -> asyncio.Semaphore:
    """Return what every connection of a check waits for before its time-out begins.

    A thousand at once would exhaust file descriptors, and their time-outs would measure this machine and not theirs.
    """
    return _ROOMS.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(_CONCURRENT))
