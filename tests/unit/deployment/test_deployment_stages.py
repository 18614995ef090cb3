"""What a deployment is doing, as its status, its log and the queue show."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from coolify.api.models import Deployment, LogLine
from coolify.deployment import Queue, Stage, StageLimits, StageWatch, queue_before, stage_after

RECORDING = Path(__file__).parents[2] / "contract" / "recordings" / "deploy_with_ssh.jsonl"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def line(text: str) -> LogLine:
    return LogLine(output=text)


def deployment(uuid: str, status: str = "queued", **further) -> Deployment:
    fields = {"deployment_uuid": uuid, "status": status, "server_name": "one", "application_name": f"app-{uuid}"}
    return Deployment.model_validate(fields | further)


def recorded(name: str) -> list[LogLine]:
    """Return the log of a deployment of a real Coolify."""
    for text in RECORDING.read_text().splitlines():
        exchange = json.loads(text)
        if exchange["name"] == name:
            body = exchange["response_body"]
            logs = (json.loads(body) if isinstance(body, str) else body)["logs"]
            return [LogLine.model_validate(one) for one in json.loads(logs)]
    raise LookupError(name)


def stages_of(lines: list[LogLine]) -> list[Stage]:
    """Return the stages that a log goes through, each turn once."""
    stage, passed = Stage.PREPARING, [Stage.PREPARING]
    for one in lines:
        stage = stage_after([one], stage)
        if stage is not passed[-1]:
            passed.append(stage)
    return passed


@pytest.mark.parametrize(
    ("name", "stages"),
    [
        ("nohealth_finished", ["preparing", "starting", "finishing"]),
        ("sick_failed", ["preparing", "starting", "health", "finishing"]),
        ("dockerfile_finished", ["preparing", "building", "starting", "finishing"]),
    ],
)
def test_the_log_of_a_real_deployment_tells_its_stages_in_order(name, stages) -> None:
    assert stages_of(recorded(name)) == stages


def test_a_built_image_is_cloned_built_pushed_and_started() -> None:
    lines = [
        "Importing acme/shop:main (commit sha HEAD) to /artifacts/x.",
        "Building docker image started.",
        "Building docker image completed.",
        "Pushing image to docker registry (ghcr.io/acme/shop:1).",
        "Rolling update started.",
        "Waiting for healthcheck to pass on the new container.",
        "New container is healthy.",
    ]
    passed = stages_of([line(text) for text in lines])
    assert passed[1:] == ["cloning", "building", "pushing", "starting", "health", "finishing"]


def test_lines_that_announce_nothing_leave_the_stage_as_it_is() -> None:
    assert stage_after([line("npm warn deprecated")], Stage.BUILDING) is Stage.BUILDING


def test_running_ones_and_earlier_ones_of_the_same_server_are_before_a_queued_one() -> None:
    ours = deployment("ours", created_at=NOON, id=5)
    running = deployment("r", "in_progress", created_at=NOON - timedelta(hours=1), id=1)
    earlier = deployment("e", created_at=NOON, id=4)
    later = deployment("l", created_at=NOON, id=6)
    elsewhere = deployment("x", server_name="two", created_at=NOON - timedelta(hours=1), id=2)
    queue = queue_before(ours, [later, earlier, elsewhere, ours, running])
    assert [one.deployment_uuid for one in queue.ahead] == ["r", "e"]
    assert queue.position == 2
    assert queue.names == ("app-r", "app-e")


def test_only_running_deployments_that_write_nothing_are_dead() -> None:
    hour_ago = NOON - timedelta(hours=1)
    dead = deployment("dead", "in_progress", created_at=hour_ago, updated_at=hour_ago)
    slow = deployment("slow", "in_progress", created_at=hour_ago, updated_at=NOON - timedelta(seconds=5))
    waiting = deployment("waiting", created_at=hour_ago, updated_at=hour_ago)
    unknown = deployment("unknown", "in_progress")
    silent = Queue((dead, slow, waiting, unknown)).silent(NOON, 600)
    assert [one.deployment_uuid for one in silent] == ["dead"]


LIMITS = StageLimits({Stage.QUEUED: 10, Stage.BUILDING: 30}, total=100)
WAITING = deployment("ours")
RUNNING = deployment("ours", "in_progress")


def test_a_deployment_that_stays_in_one_stage_is_overdue() -> None:
    watch = StageWatch(LIMITS)
    watch.feed(0, RUNNING, Queue(), [line("Building docker image started.")])
    assert watch.overdue(30) is None
    overdue = watch.overdue(31)
    assert overdue is not None
    assert (overdue.stage, overdue.limit, overdue.is_total) == (Stage.BUILDING, 30, False)


def test_a_queue_that_moves_is_not_stuck() -> None:
    watch = StageWatch(LIMITS)
    two, one = Queue((deployment("a"), deployment("b"))), Queue((deployment("b"),))
    assert watch.feed(0, WAITING, two)
    assert not watch.feed(9, WAITING, two)
    assert watch.feed(9.5, WAITING, one)
    assert watch.overdue(19) is None
    assert watch.overdue(20) is not None


def test_the_queue_does_not_count_for_the_whole() -> None:
    watch = StageWatch(StageLimits(total=100))
    watch.feed(0, WAITING, Queue())
    watch.feed(1000, RUNNING, Queue())
    assert watch.overdue(1100) is None
    overdue = watch.overdue(1101)
    assert overdue is not None
    assert overdue.is_total


def test_a_stage_that_is_left_does_not_count_any_more() -> None:
    watch = StageWatch(LIMITS)
    watch.feed(0, RUNNING, Queue(), [line("Building docker image started.")])
    watch.feed(29, RUNNING, Queue(), [line("Rolling update started.")])
    assert watch.overdue(60) is None
    assert watch.stage is Stage.STARTING


def test_a_waiting_deployment_says_behind_whom() -> None:
    watch = StageWatch(LIMITS)
    watch.feed(0, WAITING, Queue((deployment("a", "in_progress"), deployment("b"))))
    assert str(watch) == "queued at position 2, behind app-a, app-b"
