"""Section `release.freeze`: when nothing is released."""

import re
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Annotated, Any, Final, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from coolify.config.base import Section, as_list
from coolify.config.fields import Line

__all__ = ["Freeze", "Weekday", "active_freeze"]

_CLOCK: Final = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_DAY_MINUTES: Final = 24 * 60
_WEEK_MINUTES: Final = 7 * _DAY_MINUTES


class Weekday(StrEnum):
    """A day of the week."""

    MONDAY = "mon"
    TUESDAY = "tue"
    WEDNESDAY = "wed"
    THURSDAY = "thu"
    FRIDAY = "fri"
    SATURDAY = "sat"
    SUNDAY = "sun"

    @property
    def number(self) -> int:
        """Number in the week, Monday is 0."""
        return list(Weekday).index(self)


def _short(value: Any) -> Any:  # noqa: ANN401 - pydantic hands over whatever was written
    """Accept `Friday` for `fri`."""
    return (
        [one.strip().lower()[:3] if isinstance(one, str) else one for one in value]
        if isinstance(value, list)
        else (value)
    )


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise ValueError("is no time zone, as in Europe/Rome.") from None
    return name


class Freeze(Section):
    """A time in which nothing is released: every week, or once."""

    days: Annotated[tuple[Weekday, ...], BeforeValidator(_short), BeforeValidator(as_list)] = ()
    """Days of the week on which it begins, as in [fri, sat]."""
    start: Line | None = Field(default=None, alias="from")
    """`16:00` on each of the days, `fri 16:00` every week, or a date with or without time, as in 2026-12-24 18:00."""
    until: Line | None = None
    """When it ends, written like `from`; a time that is not after `from` is on the next day, a date counts whole."""
    timezone: Annotated[str, AfterValidator(_zone)] = "UTC"
    """Time zone of these times, as in Europe/Rome."""
    reason: Line
    """What a refused release is told."""

    @model_validator(mode="after")
    def _is_understood(self) -> Self:
        if not self.days and (self.start is None or self.until is None):
            raise ValueError("needs `days`, or `from` and `until`.")
        if self.days:
            if any(text is not None and not _CLOCK.fullmatch(text) for text in (self.start, self.until)):
                raise ValueError("with `days`, `from` and `until` are times as in 16:00.")
            return self
        start, until = _moment(self.start or "", end=False), _moment(self.until or "", end=True)
        if isinstance(start, datetime) != isinstance(until, datetime):
            raise ValueError("`from` and `until` must both be dates, or both be days of the week with a time.")
        if isinstance(start, datetime) and isinstance(until, datetime) and until <= start:
            raise ValueError("`until` must be after `from`.")
        return self

    def covers(self, now: datetime) -> bool:
        """Return whether a moment, with its time zone, lies in it; wall-clock times count, also when clocks change."""
        local = now.astimezone(ZoneInfo(self.timezone)).replace(tzinfo=None)
        if self.days:
            begin, end = _minutes(self.start or "0:00"), _minutes(self.until or "0:00")
            length = (end - begin) % _DAY_MINUTES or _DAY_MINUTES
            return any(_within(local, day.number * _DAY_MINUTES + begin, length) for day in self.days)
        start, until = _moment(self.start or "", end=False), _moment(self.until or "", end=True)
        if isinstance(start, datetime) and isinstance(until, datetime):
            return start <= local < until
        if isinstance(start, int) and isinstance(until, int):
            return _within(local, start, (until - start) % _WEEK_MINUTES or _WEEK_MINUTES)
        return False


def active_freeze(windows: Iterable[Freeze], now: datetime) -> Freeze | None:
    """Return the first freeze that covers a moment, None if none does.

    Args:
        windows: What is configured.
        now: The moment, with its time zone.
    """
    return next((window for window in windows if window.covers(now)), None)


def _within(local: datetime, begin: int, length: int) -> bool:
    minute = local.weekday() * _DAY_MINUTES + local.hour * 60 + local.minute
    return (minute - begin) % _WEEK_MINUTES < length


def _minutes(clock: str) -> int:
    hours, _, minutes = clock.partition(":")
    return int(hours) * 60 + int(minutes)


def _moment(text: str, *, end: bool) -> datetime | int:
    """Return a moment of the calendar, or the minute of the week.

    Args:
        text: As it was written.
        end: Whether a date alone means the end of that day.
    """
    day, _, clock = text.partition(" ")
    if day.lower()[:3] in set(Weekday) and _CLOCK.fullmatch(clock):
        return Weekday(day.lower()[:3]).number * _DAY_MINUTES + _minutes(clock)
    try:
        whole = date.fromisoformat(text)
    except ValueError:
        pass
    else:
        return datetime.combine(whole + timedelta(days=int(end)), time())
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"'{text}' is neither a day with a time (fri 16:00) nor a date (2026-12-24 18:00).") from None
    if moment.tzinfo is not None:
        raise ValueError("the time zone stands in `timezone`, not in `from` and `until`.")
    return moment
