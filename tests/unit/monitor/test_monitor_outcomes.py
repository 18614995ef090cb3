"""How deployments and releases ended, as numbers that never lie about what is not known."""

from datetime import UTC, datetime, timedelta

from coolify.api.models import Deployment
from coolify.config.monitoring import Aspect
from coolify.monitor.counting import Counted
from coolify.monitor.metrics import Exposed
from coolify.monitor.model import Ended, Look, Measure, Metric, Observation
from coolify.monitor.outcomes import ended_of, measure_recent
from coolify.monitor.recorded import measure_releases, measure_waiting
from coolify.release import Outcome, ReleaseRecord
from coolify.release.record import History
from tests.unit.monitor.conftest import SHOP
from tests.unit.monitor.test_monitor_metrics import samples

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


def by_detail(measures: tuple[Measure, ...], metric: Metric) -> dict[str, float]:
    return {one.detail: one.value for one in measures if one.metric is metric}


def record(number: int, outcome: Outcome | None, kind: str = "release", minutes: float = 2) -> ReleaseRecord:
    return ReleaseRecord(
        number=number,
        kind=kind,
        application_uuid="abc",
        application_name="shop",
        environment="production",
        started_at=NOW - timedelta(hours=1),
        finished_at=None if outcome is None else NOW - timedelta(minutes=60 - minutes),
        outcome=outcome,
    )


def deployment(uuid: str, status: str, seconds: float | None = 42) -> Deployment:
    ended = None if seconds is None else NOW + timedelta(seconds=seconds)
    return Deployment(deployment_uuid=uuid, status=status, created_at=NOW, finished_at=ended)


def ended(uuid: str, result: str = "finished", seconds: float | None = 42) -> Ended:
    return Ended(uuid=uuid, result=result, seconds=seconds)


def listed(*deployments: Ended, requests: int = 10) -> Look:
    sent = Measure(metric=Metric.API_REQUESTS, value=float(requests))
    seen = Observation(aspect=Aspect.DEPLOYMENT, at=NOW, ended=deployments, measures=(sent,))
    return Look(subject=SHOP, observations=(seen,))


def counted(*looks: Look) -> dict[tuple[str, str], float]:
    counting = Counted()
    for look in looks:
        counting.add((look,))
    return samples(Exposed(counted=counting))


def test_only_deployments_that_have_ended_are_told_with_what_coolify_knows_of_their_duration() -> None:
    ends = ended_of(
        [
            deployment("d", "in_progress"),
            deployment("c", "cancelled-by-user", None),
            deployment("b", "failed"),
            deployment("a", "finished", -3),
        ]
    )
    assert [(one.uuid, one.result, one.seconds) for one in ends] == [
        ("c", "cancelled", None),
        ("b", "failed", 42.0),
        # Clocks of servers differ; a duration below nothing would break every sum.
        ("a", "finished", 0.0),
    ]
    recent = by_detail(measure_recent(ends), Metric.RECENT_DEPLOYMENTS)
    assert recent == {"finished": 1, "failed": 1, "cancelled": 1}
    assert set(by_detail(measure_recent(()), Metric.RECENT_DEPLOYMENTS).values()) == {0}


def test_a_process_counts_what_it_sees_end_once_and_not_what_was_there_before() -> None:
    name = "coolify_app_deployments_total"
    old, new, failed = ended("old"), ended("new", seconds=45), ended("bad", "failed", 4000)
    assert counted(listed(old))[(name, "finished")] == 0
    seen = counted(listed(old), listed(new, old), listed(new, old), listed(failed, new))
    assert (seen[(name, "finished")], seen[(name, "failed")], seen[(name, "cancelled")]) == (1, 1, 0)
    buckets = {label: value for (sample, label), value in seen.items() if sample.endswith("duration_seconds_bucket")}
    assert (buckets["30.0"], buckets["60.0"], buckets["1800.0"], buckets["+Inf"]) == (0, 1, 1, 2)
    assert seen[("coolify_app_deployment_duration_seconds_sum", "")] == 4045
    assert seen[("coolify_app_deployment_duration_seconds_count", "")] == 2
    assert seen[("coolify_api_calls_total", "")] == 40


def test_a_look_without_a_list_changes_nothing_and_an_application_that_is_gone_is_forgotten() -> None:
    name = "coolify_app_deployments_total"
    assert counted(listed(), Look(subject=SHOP), listed(ended("new")))[(name, "finished")] == 1
    assert (name, "finished") not in counted(Look(subject=SHOP))
    other = Look(subject=SHOP.model_copy(update={"key": "other"}))
    assert (name, "finished") not in counted(listed(), other)


def test_releases_are_counted_with_those_whose_records_are_gone() -> None:
    records = (
        record(50, Outcome.COMPLETED),
        record(51, Outcome.ROLLED_BACK),
        record(52, Outcome.ROLLBACK_FAILED),
        record(53, Outcome.COMPLETED, "rollback", minutes=3),
        record(54, None),
    )
    dropped = {"release completed": 40, "rollback aborted": 9}
    measures = measure_releases(History(records=records, dropped=dropped), NOW)
    assert by_detail(measures, Metric.RELEASES) == {
        "completed": 41,
        "rolled_back": 1,
        "rollback_failed": 1,
        "aborted": 0,
    }
    assert by_detail(measures, Metric.ROLLBACKS) == {"completed": 2, "failed": 1, "aborted": 9}
    # The open one is not the latest that has ended.
    assert by_detail(measures, Metric.RELEASE_OUTCOME)["completed"] == 1
    assert sum(by_detail(measures, Metric.RELEASE_OUTCOME).values()) == 1
    assert by_detail(measures, Metric.RELEASE_SECONDS) == {"": 180}
    assert by_detail(measures, Metric.RELEASE_OPEN) == {"": 3600}


def test_an_application_that_was_never_released_has_zeros_and_no_latest_release() -> None:
    measures = measure_releases(History(), NOW)
    assert set(by_detail(measures, Metric.RELEASES).values()) == {0}
    assert by_detail(measures, Metric.RELEASE_OPEN) == {"": 0}
    assert not by_detail(measures, Metric.RELEASE_OUTCOME)
    assert not by_detail(measures, Metric.RELEASE_TIME)


def test_every_decision_is_told_also_when_nothing_waits_and_nothing_else_is() -> None:
    waiting = {"build-failed": [NOW - timedelta(seconds=90), NOW - timedelta(seconds=30)], "unheard-of": [NOW]}
    measures = measure_waiting(waiting, NOW)
    numbers, seconds = (by_detail(measures, one) for one in (Metric.DECISIONS_WAITING, Metric.DECISIONS_SECONDS))
    assert (numbers["build-failed"], seconds["build-failed"]) == (2, 90)
    assert (numbers["health-gate-failed"], seconds["health-gate-failed"]) == (0, 0)
    # Labels that anybody who names a run could invent would have no bound.
    assert "unheard-of" not in numbers
