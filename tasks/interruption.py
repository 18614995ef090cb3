"""How a run notices that it is being cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from prefect.exceptions import TerminationSignal

__all__ = ["INTERRUPTIONS", "interruption_alone"]

INTERRUPTIONS: Final = (asyncio.CancelledError, TerminationSignal)
"""What a step sees: Prefect raises SIGTERM where the process is at the moment, within a step or in the event loop,
which then cancels the step."""


@contextmanager
def interruption_alone() -> Iterator[None]:
    """Take an interruption out of the group that a task group has made of it.

    A connection is opened within a task group. Where the signal comes just then, a `BaseExceptionGroup` arrives, for
    which Prefect calls the run crashed instead of cancelled, and which no `except INTERRUPTIONS` catches.
    """
    try:
        yield
    except BaseExceptionGroup as group:
        interruption = _within(group)
        if interruption is None:
            raise
        raise interruption from None


def _within(group: BaseExceptionGroup[BaseException]) -> BaseException | None:
    """Return the signal, else the cancellation, of a group and of the groups within."""
    for kind in reversed(INTERRUPTIONS):
        found: BaseException | None = group.subgroup(kind)
        while isinstance(found, BaseExceptionGroup):
            found = found.exceptions[0]
        if found is not None:
            return found
    return None
