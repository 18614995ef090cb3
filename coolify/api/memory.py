"""What a run has found out and does not ask again (design section 4, rule 7)."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Hashable
from typing import TypeVar, cast

__all__ = ["Memory"]

T = TypeVar("T")


class Memory:
    """Results by key. Who asks while a result is being found out waits for it; what failed is not remembered."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._results: dict[Hashable, tuple[float, object]] = {}
        self._locks: dict[Hashable, asyncio.Lock] = {}

    async def once(self, key: Hashable, find_out: Callable[[], Awaitable[T]], seconds: float = math.inf) -> T:
        """Return the result of the key, found out now when it is not known, or not any more.

        Args:
            key: What it is about; results of one key are all of one kind.
            find_out: Asks for it, or makes it.
            seconds: How long it is good for.
        """
        async with self._locks.setdefault(key, asyncio.Lock()):
            known = self._results.get(key)
            if known is not None and self._clock() < known[0] + seconds:
                return cast("T", known[1])
            result = await find_out()
            self._results[key] = (self._clock(), result)
            return result
