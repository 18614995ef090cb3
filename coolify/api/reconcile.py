"""Find out whether a lost request happened, instead of sending it again (trap 20)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from coolify.api.errors import AnswerLostError

__all__ = ["Ensured", "create_once"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Ensured(Generic[T]):
    """An object that exists now, and whether this call created it."""

    value: T
    created: bool


async def create_once(send: Callable[[], Awaitable[T]], find: Callable[[], Awaitable[T | None]]) -> T:
    """Create an object; when the answer is lost, look for it, and send again only if it is not there.

    Args:
        send: Sends the request, see `Transport.post_once`.
        find: Looks for the object that the request would have created.

    Raises:
        AnswerLostError: The answer was lost twice and nothing is to be found.
    """
    try:
        return await send()
    except AnswerLostError:
        found = await find()
        if found is not None:
            return found
    try:
        return await send()
    except AnswerLostError:
        found = await find()
        if found is None:
            raise
        return found
