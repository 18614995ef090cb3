"""What people say about alerts: read and written for commands."""

from __future__ import annotations

import getpass
import socket
from datetime import UTC, datetime, timedelta

from blocks import BlockWatchStore
from coolify.errors import OperatorError
from coolify.monitor.memory import Acknowledgement, Notes, Problem, Silence

__all__ = ["UnknownProblemError", "acknowledge", "read_alerts", "silence", "unsilence"]


class UnknownProblemError(OperatorError):
    """No active problem has this identifier."""

    is_usage = True


async def read_alerts(name: str) -> tuple[tuple[Problem, ...], Notes, datetime | None]:
    """Return the active problems of a watch, what people have said about them, and when it last looked."""
    store = BlockWatchStore(name)
    state = await store.load()
    return state.active, (await store.load_notes()).current(datetime.now(UTC), state.active), state.ended


async def acknowledge(name: str, problems: tuple[str, ...]) -> tuple[Problem, ...]:
    """Note that somebody knows of problems: they are told no more until they are over; return them.

    Args:
        name: Name of the watch.
        problems: Identifiers; the beginning of one is enough.

    Raises:
        UnknownProblemError: None fits, or several do.
    """
    active, notes, _ = await read_alerts(name)
    found = tuple(_the_one(active, one) for one in problems)
    known = {one.problem for one in notes.acknowledged}
    new = tuple(
        Acknowledgement(problem=one.id, raised=one.raised, by=_who(), at=datetime.now(UTC))
        for one in found
        if one.raised and one.id not in known
    )
    await BlockWatchStore(name).save_notes(notes.model_copy(update={"acknowledged": (*notes.acknowledged, *new)}))
    return found


async def silence(name: str, text: str, hours: float, reason: str) -> Silence:
    """Let nothing be told about what contains a text, for some hours; a silence of the same text is replaced."""
    _, notes, _ = await read_alerts(name)
    made = Silence(text=text, until=datetime.now(UTC) + timedelta(hours=hours), by=_who(), reason=reason)
    others = tuple(one for one in notes.silences if one.text != text)
    await BlockWatchStore(name).save_notes(notes.model_copy(update={"silences": (*others, made)}))
    return made


async def unsilence(name: str, text: str) -> bool:
    """End a silence; return whether there was one."""
    _, notes, _ = await read_alerts(name)
    others = tuple(one for one in notes.silences if one.text != text)
    await BlockWatchStore(name).save_notes(notes.model_copy(update={"silences": others}))
    return len(others) < len(notes.silences)


def _the_one(active: tuple[Problem, ...], wanted: str) -> Problem:
    fitting = [one for one in active if one.id.startswith(wanted)]
    if len(fitting) == 1:
        return fitting[0]
    listed = ", ".join(one.id for one in active) or "none"
    how = "Several problems begin" if fitting else "No active problem begins"
    raise UnknownProblemError(f"{how} with '{wanted}': there are {listed}.")


def _who() -> str:
    try:
        return f"{getpass.getuser()}@{socket.gethostname()}"
    except (KeyError, OSError):
        # A container may run as a number without a name.
        return f"somebody@{socket.gethostname()}"
