"""What many hosts need is found out once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

__all__ = ["Once"]

T = TypeVar("T")


class Once(Generic[T]):
    """Starts what is asked for the first time; whoever asks again waits for the same result."""

    def __init__(self) -> None:
        self._tasks: dict[Hashable, asyncio.Task[T]] = {}

    async def get(self, key: Hashable, find: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Return the result for a key, and find it out where nobody has."""
        task = self._tasks.get(key)
        if task is None:
            task = self._tasks[key] = asyncio.create_task(find())
        # Who gives up waiting must not take the result from the others.
        return await asyncio.shield(task)

    def close(self) -> None:
        """End what is still under way."""
        for task in self._tasks.values():
            task.cancel()
