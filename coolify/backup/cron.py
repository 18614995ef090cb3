"""When a frequency of Coolify falls due: cron expressions of five fields and its words (reference 5.3).

Rules of crontab(5): lists, ranges, steps; where day of month and day of week are both restricted, either is enough.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice, pairwise
from typing import Final

__all__ = ["interval_of", "occurrences"]

_WORDS: Final = {
    "every_minute": "* * * * *",
    "hourly": "0 * * * *",
    "daily": "0 0 * * *",
    "weekly": "0 0 * * 0",
    "monthly": "0 0 1 * *",
    "yearly": "0 0 1 1 *",
}
_RANGES: Final = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
_FAR: Final = 366 * 5
"""Days to look ahead: 29 February is never further away."""


def occurrences(frequency: str, start: datetime) -> Iterator[datetime]:
    """Yield the moments after `start` at which a frequency falls due, in the time zone of `start`.

    Raises:
        ValueError: The frequency is neither a word nor a cron expression of numbers.
    """
    text = _WORDS.get(frequency.removeprefix("@"), frequency)
    fields = text.split()
    if len(fields) != len(_RANGES):
        raise ValueError(f"'{frequency}' is not a frequency.")
    minutes, hours, days, months, weekdays = (
        _numbers(field, low, high) for field, (low, high) in zip(fields, _RANGES, strict=True)
    )
    weekdays = {day % 7 for day in weekdays}
    either = not fields[2].startswith("*") and not fields[4].startswith("*")
    midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
    for offset in range(_FAR):
        day = midnight + timedelta(days=offset)
        by_date, by_weekday = day.day in days, day.isoweekday() % 7 in weekdays
        if day.month not in months or not (by_date or by_weekday if either else by_date and by_weekday):
            continue
        for hour in sorted(hours):
            for minute in sorted(minutes):
                moment = day.replace(hour=hour, minute=minute)
                if moment > start:
                    yield moment


def interval_of(frequency: str, start: datetime) -> timedelta | None:
    """Return the longest time between two of the next runs; None for what is not understood or never runs twice."""
    try:
        moments = list(islice(occurrences(frequency, start), 8))
    except ValueError:
        return None
    gaps = [later - earlier for earlier, later in pairwise(moments)]
    return max(gaps, default=None)


def _numbers(field: str, low: int, high: int) -> set[int]:
    chosen: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, dash, last = span.partition("-")
        if span == "*":
            begin, end = low, high
        else:
            begin = int(first)
            end = int(last) if dash else high if step else begin
        chosen |= set(range(begin, end + 1, int(step) if step else 1))
    return chosen
