"""What is known of disk, memory and queue, and which ways out there are."""

from datetime import UTC, datetime, timedelta

import pytest

from coolify.api.models import Deployment, Server
from coolify.api.server_administration import CleanupRun
from coolify.api.servers import DockerCleanup
from coolify.config.resources import Resources
from coolify.exhaustion import (
    DiskUse,
    Shortage,
    cleaning_obstacle,
    disk_use,
    judge_disk,
    judge_queue,
    obstacles,
    raised_limits,
)
from coolify.finding import Severity

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
SERVER = Server(uuid="s1", name="paris", ip="192.0.2.1")
CLEANUP = DockerCleanup(docker_cleanup_frequency="0 0 * * *", docker_cleanup_threshold=80)


def run(message: str | None, status: str = "success") -> CleanupRun:
    return CleanupRun(uuid="r", status=status, message=message, created_at=NOW)


@pytest.mark.parametrize(
    ("message", "percent"),
    [
        ("Manual Docker cleanup job executed successfully. Disk usage before: 8%, Disk usage after: 7%.", 7),
        ("Saved 12% disk space. Disk usage before: 95%, Disk usage after: 83%.", 83),
        ("Forced Docker cleanup job executed successfully. Disk usage before: 100%, Disk usage after: 100%.", 100),
    ],
)
def test_a_cleaning_tells_how_full_the_disk_is_afterwards(message: str, percent: int) -> None:
    assert disk_use([run(message)], NOW) == DiskUse(percent, NOW)


def test_a_cleaning_that_measured_nothing_is_passed_over() -> None:
    measured = run("Saved 1% disk space. Disk usage before: 50%, Disk usage after: 49%.")
    silent = [run(None, "running"), run("No cleanup needed for paris")]
    assert disk_use([*silent, measured], NOW) == DiskUse(49, NOW)
    assert disk_use(silent, NOW) is None


@pytest.mark.parametrize(
    ("percent", "name"),
    [(0, "ready"), (79, "ready"), (80, "low"), (94, "low"), (95, "full"), (100, "full")],
)
def test_the_servers_own_threshold_warns_and_a_full_disk_stops(percent: int, name: str) -> None:
    finding = judge_disk(SERVER, DiskUse(percent, NOW))
    assert finding.name == f"server-disk-{name}"
    assert finding.is_problem is (name == "full")


def test_what_was_measured_long_ago_says_nothing() -> None:
    measured = run("Saved 1% disk space. Disk usage before: 99%, Disk usage after: 98%.")
    assert disk_use([measured], NOW + timedelta(days=3)) is None
    unknown = judge_disk(SERVER, None)
    assert (unknown.name, unknown.severity, unknown.remedy) == ("server-disk-unknown", Severity.INFO, "")
    warned = SERVER.model_copy(update={"high_disk_usage_notification_sent": True})
    assert judge_disk(warned, None).name == "server-disk-low"


def waiting(count: int, server: str = "paris") -> list[Deployment]:
    return [Deployment(deployment_uuid=f"d{one}", status="queued", server_name=server) for one in range(count)]


def test_a_queue_is_long_when_most_places_of_the_server_are_taken() -> None:
    assert judge_queue(SERVER, waiting(19)) is None
    assert judge_queue(SERVER, waiting(25, "london")) is None
    finding = judge_queue(SERVER, waiting(20))
    assert finding is not None
    assert finding.name == "server-queue-long"


def test_nothing_is_cleaned_where_that_would_delete_what_is_counted_on() -> None:
    assert cleaning_obstacle(CLEANUP) == ""
    assert "images" in cleaning_obstacle(CLEANUP.model_copy(update={"disable_application_image_retention": True}))
    assert "volumes" in cleaning_obstacle(CLEANUP.model_copy(update={"delete_unused_volumes": True}))


@pytest.mark.parametrize(
    ("shortage", "memory", "cleaning", "writing", "left"),
    [
        (Shortage.DISK, "1Gi", "", "", {"optimize"}),
        (Shortage.DISK, "1Gi", "not here", "", set()),
        (Shortage.MEMORY, "1Gi", "", "", {"scale"}),
        (Shortage.MEMORY, "1Gi", "", "read-only", set()),
        (Shortage.MEMORY, None, "", "", set()),
    ],
)
def test_disk_is_made_by_cleaning_and_memory_by_a_higher_limit_of_ours(
    shortage, memory, cleaning, writing, left
) -> None:
    resources = Resources(memory=memory)
    assert {"scale", "optimize"} - obstacles(shortage, resources, cleaning=cleaning, writing=writing).keys() == left


@pytest.mark.parametrize(
    ("before", "after"),
    [("512Mi", "1Gi"), ("64Mi", "128Mi"), ("1500M", "3G"), ("0.75Gi", "1536Mi"), ("7000001", "14000002")],
)
def test_a_limit_is_doubled_in_the_notation_of_the_file(before: str, after: str) -> None:
    assert raised_limits(Resources(memory=before)) == {"memory": after}
    assert Resources(memory=after).memory_bytes == 2 * (Resources(memory=before).memory_bytes or 0)


def test_memory_and_swap_grow_together() -> None:
    assert raised_limits(Resources(memory="1Gi", memory_swap="2Gi")) == {"memory": "2Gi", "memory_swap": "4Gi"}
    assert raised_limits(Resources()) == {}
