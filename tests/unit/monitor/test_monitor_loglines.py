"""Lines of logs: each is shown once, however the tails overlap."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coolify.api.models import LogLine
from coolify.monitor.logs import (
    ContainerLine,
    crashed_lines,
    new_lines,
    parse_duration,
    read_lines,
    since,
)


def lines(*texts: str) -> tuple[ContainerLine, ...]:
    return tuple(ContainerLine(text) for text in texts)


@given(
    st.lists(st.integers(0, 3), min_size=1, max_size=60),
    st.integers(1, 20),
    st.lists(st.integers(0, 12), min_size=1, max_size=12),
)
def test_with_times_every_line_is_shown_once_as_long_as_tails_overlap(texts, size, steps) -> None:
    """The same few texts again and again, told apart by their times."""
    log = [ContainerLine(str(text), stamp=f"2026-11-25T12:00:{place}Z") for place, text in enumerate(texts)]
    shown, tail, end = [], (), 0
    for step in steps:
        # A tail that moves by more than its length loses lines, and nobody could show them.
        end = min(len(log), end + min(step, size))
        now = tuple(log[max(0, end - size) : end])
        shown += new_lines(tail, now)
        tail = now
    assert shown == log[:end]


@pytest.mark.parametrize(
    ("before", "after", "new"),
    [
        ("", "abc", "abc"),
        ("abc", "abc", ""),
        ("abc", "bcd", "d"),
        ("abc", "xyz", "xyz"),
        ("abc", "", ""),
        ("aaa", "aaab", "b"),
        ("xab", "abab", "ab"),
    ],
)
def test_what_was_seen_is_left_out(before, after, new) -> None:
    assert [one.text for one in new_lines(lines(*before), lines(*after))] == list(new)


def test_times_are_read_to_the_nanosecond_and_those_of_the_application_stay() -> None:
    (line,) = read_lines("2026-11-25T14:00:00.123456789Z GET / 200", timed=True)
    assert (line.text, line.at) == ("GET / 200", datetime(2026, 11, 25, 14, 0, 0, 123456, tzinfo=UTC))
    assert line.stamp.endswith("123456789Z")
    assert read_lines("2026-11-25T14:00:00Z own", timed=False) == lines("2026-11-25T14:00:00Z own")
    assert read_lines("no time at all", timed=True) == lines("no time at all")


def test_lines_without_a_time_belong_to_the_one_before() -> None:
    text = "2026-11-25T14:00:00Z old\n  of it\n2026-11-25T14:10:00Z new\n  trace"
    moment = datetime(2026, 11, 25, 14, 5, tzinfo=UTC)
    assert [one.text for one in since(read_lines(text, timed=True), moment)] == ["new", "  trace"]


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("2h", 7200), ("1d", 86400), ("10", None), ("m", None)])
def test_durations(text, seconds) -> None:
    found = parse_duration(text)
    assert (found.total_seconds() if found else None) == seconds


def test_the_last_words_of_a_container_are_in_the_log_of_its_deployment() -> None:
    log = [LogLine(output=one) for one in ("Building", "Container logs:", "Traceback\nKeyError: 'DATABASE_URL'")]
    assert [one.text for one in crashed_lines(log)] == ["Traceback", "KeyError: 'DATABASE_URL'"]
    assert crashed_lines(log[:1]) == ()
