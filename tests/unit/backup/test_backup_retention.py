"""What retention deletes, and what it must not."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from coolify.backup.retention import Point, plan_retention, retention_findings
from coolify.config.backups import Retention

NOW = datetime(2026, 11, 25, tzinfo=UTC)
GIB = 1024**3


def points(*ages: float, size: int = GIB) -> list[Point]:
    return [Point(f"p{age:g}", NOW - timedelta(days=age), size) for age in ages]


def kept(ages, **limits) -> list[str]:
    return [one.id for one in plan_retention(points(*ages), Retention(**limits)).keep]


def test_each_limit_counts_for_itself() -> None:
    ages = (0, 1, 2, 3, 4)
    assert kept(ages) == ["p0", "p1", "p2", "p3", "p4"]
    assert kept(ages, amount=2) == ["p0", "p1"]
    assert kept(ages, days=3) == ["p0", "p1", "p2", "p3"]
    assert kept(ages, gigabytes=2.5) == ["p0", "p1"]
    assert kept(ages, amount=4, days=1) == ["p0", "p1"]


def test_a_schedule_that_has_stopped_loses_nothing_by_age() -> None:
    assert kept((100, 101), days=3) == ["p100", "p101"]


def test_the_only_proved_restore_point_is_never_given_up() -> None:
    plan = plan_retention(points(0, 1, 2), Retention(amount=1))
    (refused,) = retention_findings("main", plan, {"p2"})
    assert refused.name == "backup-retention-deletes-proof"
    assert refused.is_problem
    assert retention_findings("main", plan, {"p0", "p2"}) == ()
    assert retention_findings("main", plan, set()) == ()


@given(
    st.lists(st.tuples(st.floats(0, 400), st.integers(0, 5 * GIB)), max_size=30),
    st.integers(0, 5),
    st.integers(0, 90),
    st.floats(0, 8, allow_nan=False),
)
def test_everything_is_kept_or_deleted_once_and_the_newest_always_stays(made, amount, days, gigabytes) -> None:
    given_points = [Point(str(n), NOW - timedelta(days=age), size) for n, (age, size) in enumerate(made)]
    plan = plan_retention(given_points, Retention(amount=amount, days=days, gigabytes=gigabytes))
    assert sorted(one.id for one in (*plan.keep, *plan.delete)) == sorted(one.id for one in given_points)
    if given_points:
        assert plan.keep[0].made == max(one.made for one in given_points)
    if amount:
        assert len(plan.keep) <= amount
