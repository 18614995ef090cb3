"""Lines of containers' logs: read with their times, and told apart from those that were seen before; pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from coolify.api.models import LogLine

__all__ = ["ContainerLine", "crashed_lines", "new_lines", "parse_duration", "read_lines", "since"]

_TIMED: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d) ?(.*)", re.DOTALL)
_DURATION: Final = re.compile(r"(\d+)([smhd])")
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_CRASHED: Final = "Container logs:"
"""What stands before the last words of a container that did not become healthy, in the log of its deployment."""


@dataclass(frozen=True, slots=True)
class ContainerLine:
    """One line."""

    text: str
    at: datetime | None = None
    """When it was printed, None where Coolify does not tell."""
    stamp: str = ""
    """The time as it was written, to the nanosecond: it tells equal lines apart."""


def read_lines(log: str, *, timed: bool) -> tuple[ContainerLine, ...]:
    """Return the lines of a log.

    Args:
        log: Its text.
        timed: Whether the server wrote a time before each line; otherwise a time there is the application's own.
    """
    return tuple(_read(line) if timed else ContainerLine(line) for line in log.splitlines())


def _read(line: str) -> ContainerLine:
    found = _TIMED.match(line)
    if found is None:
        return ContainerLine(line)
    moment, fraction, zone, text = found.groups()
    # Docker writes nanoseconds, which Python does not read.
    at = datetime.fromisoformat(f"{moment}{(fraction or '.0')[:7]}{'+00:00' if zone == 'Z' else zone}")
    return ContainerLine(text, at.astimezone(UTC), f"{moment}{fraction or ''}{zone}")


def new_lines(before: Sequence[ContainerLine], after: Sequence[ContainerLine]) -> tuple[ContainerLine, ...]:
    """Return what a tail holds that an earlier tail of the same log did not.

    The longest end of the earlier one with which the later one begins was seen before. Equal lines without times could
    have been printed again: then fewer are called new than there may be.

    >>> lines = [ContainerLine(text) for text in "abcd"]
    >>> [one.text for one in new_lines(lines[:3], lines[1:])]
    ['d']
    """
    # The prefix function of Knuth, Morris and Pratt over `after`, a stop, and the end of `before`.
    joined: list[ContainerLine | None] = [*after, None, *before[-len(after) :]] if after else []
    borders = [0] * len(joined)
    for place in range(1, len(joined)):
        length = borders[place - 1]
        while length and joined[place] != joined[length]:
            length = borders[length - 1]
        borders[place] = length + (joined[place] == joined[length])
    seen = borders[-1] if before and borders else 0
    return tuple(after[seen:])


def since(lines: Sequence[ContainerLine], moment: datetime) -> tuple[ContainerLine, ...]:
    """Return the lines from a moment on; one without a time belongs to the one before it."""
    kept, is_late = [], True
    for line in lines:
        is_late = line.at >= moment if line.at is not None else is_late
        if is_late:
            kept.append(line)
    return tuple(kept)


def parse_duration(text: str) -> timedelta | None:
    """Return a duration written like `90s`, `10m`, `2h` or `1d`; None for anything else.

    >>> parse_duration("10m").total_seconds()
    600.0
    """
    found = _DURATION.fullmatch(text.strip())
    return timedelta(**{_UNITS[found[2]]: int(found[1])}) if found else None


def crashed_lines(log: Sequence[LogLine]) -> tuple[ContainerLine, ...]:
    """Return the last words of a container that did not become healthy, from the log of its deployment."""
    place = next((place for place, line in enumerate(log) if line.output.strip() == _CRASHED), None)
    if place is None:
        return ()
    return tuple(ContainerLine(text, one.timestamp) for one in log[place + 1 :] for text in one.output.splitlines())
