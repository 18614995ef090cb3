"""What Coolify's words mean for whoever watches."""

from datetime import UTC, datetime, timedelta

import pytest

from coolify.api.models import Application, Deployment, Server
from coolify.config.monitoring import Thresholds
from coolify.exhaustion import DiskUse
from coolify.finding import Severity
from coolify.health import ProbeResult
from coolify.monitor.judge import (
    judge_answers,
    judge_container,
    judge_deployment,
    judge_restarts,
    judge_server,
)

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "name", "severity"),
    [
        ("running:healthy", "watch-container-runs", "ok"),
        ("running:unknown", "watch-container-runs", "ok"),
        ("running (healthy)", "watch-container-runs", "ok"),
        ("running:unhealthy", "watch-container-unhealthy", "error"),
        ("restarting:unhealthy", "watch-container-starting", "warning"),
        ("exited:unhealthy", "watch-container-stopped", "error"),
        ("degraded:unhealthy", "watch-container-stopped", "error"),
    ],
)
def test_a_container_is_judged_by_its_state(status, name, severity) -> None:
    found = judge_container(Application(uuid="a", name="shop", status=status))
    assert (found.name, found.severity.value) == (name, severity)


@pytest.mark.parametrize(
    ("counts", "told"),
    [((0, 1, 2), False), ((0, 1, 3), True), ((7, 0, 2), False), ((7, 0, 3), True), ((9,), False), ((), False)],
)
def test_restarts_are_counted_also_when_the_count_begins_anew(counts, told) -> None:
    history = [(NOW - timedelta(minutes=50 - place), count) for place, count in enumerate(counts)]
    assert bool(judge_restarts("shop", history, 3, NOW)) is told


def test_restarts_of_yesterday_do_not_count() -> None:
    history = [(NOW - timedelta(hours=20), 0), (NOW - timedelta(hours=19), 9)]
    assert judge_restarts("shop", history, 3, NOW) == ()


@pytest.mark.parametrize(
    ("status", "minutes", "name"),
    [
        ("failed", 10, "watch-deployment-failed"),
        ("in_progress", 200, "watch-deployment-stuck"),
        ("in_progress", 5, "watch-deployment-ended"),
        ("finished", 200, "watch-deployment-ended"),
        ("cancelled-by-user", 200, "watch-deployment-ended"),
    ],
)
def test_the_latest_deployment_is_judged(status, minutes, name) -> None:
    newest = Deployment(deployment_uuid="d", status=status, created_at=NOW - timedelta(minutes=minutes))
    assert [one.name for one in judge_deployment("shop", newest, NOW, 2700.0)] == [name]


def test_an_application_that_was_never_deployed_is_no_problem_of_deployments() -> None:
    assert judge_deployment("shop", None, NOW, 2700.0) == ()


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"is_reachable": False}, "watch-server-unreachable"),
        ({"is_reachable": True}, "watch-server-unusable"),
        ({"is_reachable": True, "is_usable": True}, "watch-server-usable"),
    ],
)
def test_a_server_is_judged(settings, name) -> None:
    server = Server.model_validate({"uuid": "s", "name": "one", "ip": "192.0.2.1", "settings": settings})
    assert judge_server(server, None, Thresholds())[0].name == name


def test_a_full_disk_is_told_by_the_servers_threshold_or_by_ones_own() -> None:
    settings = {"is_reachable": True, "is_usable": True, "server_disk_usage_notification_threshold": 80}
    server = Server.model_validate({"uuid": "s", "name": "one", "ip": "192.0.2.1", "settings": settings})
    use = DiskUse(85, NOW)
    assert judge_server(server, use, Thresholds())[1].severity is Severity.WARNING
    assert judge_server(server, use, Thresholds(disk_percent=90))[1].severity is Severity.OK


def test_an_answer_is_too_slow_only_where_a_bound_is_set() -> None:
    answer = ProbeResult("https://a.test", ok=True, reason="answered 200", status=200, seconds=3.0)
    assert [one.name for one in judge_answers([answer], Thresholds())] == ["watch-healthy"]
    assert [one.name for one in judge_answers([answer], Thresholds(latency=2))] == ["watch-slow"]
