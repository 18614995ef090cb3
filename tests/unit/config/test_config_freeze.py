"""When a freeze is in force."""

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from coolify.config.freeze import Freeze, active_freeze

WEEKEND = {"from": "fri 16:00", "until": "mon 08:00", "timezone": "Europe/Rome", "reason": "weekend"}
NIGHTS = {"days": ["mon", "Tuesday"], "from": "22:00", "until": "6:00", "reason": "night"}
HOLIDAYS = {"from": "2026-12-24", "until": "2027-01-02", "reason": "holidays"}


def at(text: str) -> datetime:
    """Return a moment in UTC; 2026-03-02 is a Monday."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("window", "moment", "covered"),
    [
        (WEEKEND, "2026-03-06 14:59", False),
        (WEEKEND, "2026-03-06 15:00", True),
        (WEEKEND, "2026-03-08 12:00", True),
        (WEEKEND, "2026-03-09 06:59", True),
        (WEEKEND, "2026-03-09 07:00", False),
        # In summer the clocks of Rome are two hours ahead.
        (WEEKEND, "2026-07-03 14:00", True),
        (WEEKEND, "2026-07-06 06:00", False),
        (NIGHTS, "2026-03-02 21:59", False),
        (NIGHTS, "2026-03-02 22:00", True),
        (NIGHTS, "2026-03-04 05:59", True),
        (NIGHTS, "2026-03-04 06:00", False),
        (NIGHTS, "2026-03-04 22:30", False),
        (HOLIDAYS, "2026-12-23 23:59", False),
        (HOLIDAYS, "2026-12-24 00:00", True),
        (HOLIDAYS, "2027-01-02 23:59", True),
        (HOLIDAYS, "2027-01-03 00:00", False),
        ({"days": ["sun"], "reason": "rest"}, "2026-03-08 23:59", True),
        ({"days": ["sun"], "reason": "rest"}, "2026-03-09 00:00", False),
        ({"from": "2026-12-24 18:00", "until": "2026-12-24 20:00", "reason": "x"}, "2026-12-24 19:59", True),
        ({"from": "2026-12-24 18:00", "until": "2026-12-24 20:00", "reason": "x"}, "2026-12-24 20:00", False),
    ],
)
def test_a_freeze_covers_its_time_and_no_other(window, moment, covered) -> None:
    assert Freeze.model_validate(window).covers(at(moment)) is covered


def test_the_first_window_in_force_is_the_one_that_is_told() -> None:
    windows = [Freeze.model_validate(one) for one in (NIGHTS, WEEKEND, HOLIDAYS)]
    assert active_freeze(windows, at("2026-12-27 12:00")) == windows[1]
    assert active_freeze(windows, at("2026-03-05 12:00")) is None


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"reason": None}, "reason"),
        ({"until": None}, "needs `days`, or `from` and `until`"),
        ({"until": "2026-12-24"}, "must both be dates"),
        ({"from": "payday 16:00"}, "neither a day with a time"),
        ({"from": "2026-12-24", "until": "2026-12-20"}, "must be after"),
        ({"from": "2026-12-24T10:00+01:00", "until": "2026-12-25"}, "stands in `timezone`"),
        ({"timezone": "Europe/Nowhere"}, "is no time zone"),
        ({"days": ["fri"]}, "are times as in 16:00"),
        ({"days": ["someday"], "from": "10:00", "until": "11:00"}, "days"),
    ],
)
def test_what_is_no_window_is_refused_with_the_reason(changes, told) -> None:
    written = {key: value for key, value in (WEEKEND | changes).items() if value is not None}
    with pytest.raises(ValidationError) as refused:
        Freeze.model_validate(written)
    assert told in str(refused.value)
