"""Deployments that do not get on: stuck, cancelled elsewhere, behind a dead one, in a full queue."""

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from coolify.deployment import StageLimits
from coolify.progress import StepDone, observe
from coolify.release import Outcome, Step, StepStatus
from coolify_sandbox.sandbox import Sandbox
from coolify_sandbox.server.settings import ServerSettings
from coolify_sandbox.server.state import timestamp
from tasks.following import follow_deployment
from tests.integration.conftest import SampleRepository, Shop
from tests.integration.robustness.bare import bare_flows
from tests.integration.robustness.interrupted import QUICK_HEALTH, Story

FOREVER = {"start_command": SampleRepository.START_COMMAND, "build_command": "sleep 600"}


@asynccontextmanager
async def story(tmp_path, monkeypatch, **settings):
    async with Sandbox(settings=ServerSettings(rate_limit=10**6, **settings)) as sandbox:
        monkeypatch.setenv("COOLIFY_TOKEN", sandbox.token)
        shop = Shop(sandbox, SampleRepository(tmp_path / "repository"), tmp_path / "work")
        shop.repository.commit("1.0.0")
        shop.configure(health=QUICK_HEALTH)
        with bare_flows():
            yield Story(shop)


@pytest.fixture
async def released(tmp_path, monkeypatch):
    """A shop that serves 1.0.0 and whose repository has moved on."""
    async with story(tmp_path, monkeypatch) as one:
        assert (await one.release()).outcome is Outcome.COMPLETED
        one.shop.repository.commit("1.1.0")
        yield one


@pytest.fixture
async def one_at_a_time(tmp_path, monkeypatch):
    """The same where the server builds one deployment at a time and lets one wait."""
    async with story(tmp_path, monkeypatch, concurrent_builds=1, deployment_queue_limit=1) as one:
        assert (await one.release()).outcome is Outcome.COMPLETED
        one.shop.repository.commit("1.1.0")
        yield one


def leave_dead(one: Story, *, status="in_progress", age=timedelta(hours=2), **changes):
    """Leave a deployment as a worker does that dies: in progress, and nobody works on it."""
    state = one.shop.sandbox.state
    pattern = state.all("deployment")[0]
    uuid = f"dead{len(state.all('deployment')):020}"
    when = timestamp(datetime.now(UTC) - age)
    data = {**pattern.data, "deployment_uuid": uuid, "status": status, "logs": None, "finished_at": None, **changes}
    row = state.insert("deployment", data, uuid=uuid)
    return state.update(row, created_at=when, updated_at=when)


def statuses(one: Story) -> list[str]:
    return [row["status"] for row in one.shop.sandbox.state.all("deployment")]


def names(report) -> list[str]:
    return [finding.name for finding in report.findings]


async def until(condition) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.02)


async def test_a_build_that_hangs_is_cancelled_and_the_configuration_restored(released) -> None:
    released.shop.configure(
        build=FOREVER, release={"stage_timeouts": {"building": 0.5}}, decisions={"build-failed": "abort"}
    )
    report = await released.release()
    assert report.outcome is Outcome.ROLLED_BACK
    assert "'building'" in report.reason
    assert "was cancelled" in report.reason
    assert "deployment-stuck" in names(report)
    assert statuses(released) == ["finished", "cancelled-by-user"]
    assert await released.shop.version() == "1.0.0"
    async with released.shop.client() as client:
        (application,) = await client.applications.list()
    assert not application.raw["build_command"]


async def test_a_build_that_hangs_gets_twice_the_time_once(released) -> None:
    released.shop.configure(build=FOREVER, release={"stage_timeouts": {"building": 0.5}})
    report = await released.release()
    assert report.outcome is Outcome.ROLLED_BACK
    assert "took longer than 1 s" in report.reason
    assert [one.choice for one in report.decisions] == ["Adjust and retry once"]
    assert "took longer than 0.5 s" in report.decisions[0].evidence
    assert statuses(released) == ["finished", "cancelled-by-user", "cancelled-by-user"]
    assert await released.shop.version() == "1.0.0"


async def test_a_build_that_only_needed_longer_is_released_with_twice_the_time(released) -> None:
    slow = {"start_command": SampleRepository.START_COMMAND, "build_command": "sleep 6"}
    released.shop.configure(build=slow, release={"stage_timeouts": {"building": 5}})
    report = await released.release()
    assert report.outcome is Outcome.COMPLETED, report.reason
    assert [one.choice for one in report.decisions] == ["Adjust and retry once"]
    assert statuses(released) == ["finished", "cancelled-by-user", "finished"]
    assert await released.shop.version() == "1.1.0"


async def test_a_deployment_that_somebody_cancels_in_coolify_is_told_so(released) -> None:
    released.shop.configure(build=FOREVER)
    releasing = asyncio.create_task(released.release())
    await until(lambda: statuses(released)[-1] == "in_progress")
    async with released.shop.client() as client:
        (running,) = await client.deployments.running()
        assert await client.deployments.cancel(running.deployment_uuid)
    report = await releasing
    assert report.outcome is Outcome.ROLLED_BACK
    assert "cancelled in Coolify, not by this run" in report.reason
    assert await released.shop.version() == "1.0.0"


async def test_a_release_that_is_cancelled_takes_its_deployment_along_and_the_next_one_takes_over(released) -> None:
    released.shop.configure(build=FOREVER)
    releasing = asyncio.create_task(released.release())
    await until(lambda: statuses(released)[-1] == "in_progress")
    releasing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await releasing
    assert statuses(released)[-1] == "cancelled-by-user"
    assert await released.shop.version() == "1.0.0"
    released.shop.configure(build={"start_command": SampleRepository.START_COMMAND, "build_command": "true"})
    report = await released.release()
    assert (report.outcome, report.number) == (Outcome.COMPLETED, 2)
    assert await released.shop.version() == "1.1.0"


@pytest.mark.parametrize(
    ("changes", "force", "deployments"), [({}, False, 2), ({"env": {"GREETING": "Hi"}}, False, 3), ({}, True, 3)]
)
async def test_a_release_that_dies_in_its_health_gate_is_proved_and_deployed_anew_only_where_that_changes_something(
    released, changes, force, deployments
) -> None:
    released.shop.configure(health=QUICK_HEALTH | {"successes": 1000, "deadline": 600})
    releasing = asyncio.create_task(released.release())

    def proving() -> bool:
        (records,) = released.records.records.values()
        last = records[2].journal[-1:] if 2 in records else ()
        return [(one.step, one.status) for one in last] == [(Step.DEPLOY, StepStatus.DONE)]

    await until(proving)
    releasing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await releasing
    released.shop.configure(health=QUICK_HEALTH, **changes)
    report = await released.release(force=force)
    assert (report.outcome, report.number) == (Outcome.COMPLETED, 2)
    assert statuses(released) == ["finished"] * deployments
    assert await released.shop.version() == "1.1.0"


async def test_a_dead_deployment_of_another_application_is_named_and_ours_does_not_stay_behind_it(
    one_at_a_time,
) -> None:
    leave_dead(one_at_a_time, application_name="billing", application_id="77")
    one_at_a_time.shop.configure(release={"stage_timeouts": {"queued": 0.5}})
    report = await one_at_a_time.release()
    assert report.outcome is Outcome.ROLLED_BACK
    assert "deployment-blocked" in names(report)
    (finding,) = (one for one in report.findings if one.name == "deployment-blocked")
    assert "billing" in finding.summary
    assert statuses(one_at_a_time) == ["finished", "in_progress", "cancelled-by-user"]
    assert await one_at_a_time.shop.version() == "1.0.0"


async def test_a_dead_deployment_of_the_same_application_is_cancelled_and_the_release_goes_on(released) -> None:
    dead = leave_dead(released, commit="HEAD")
    report = await released.release()
    assert report.outcome is Outcome.COMPLETED, report.reason
    assert "deployment-blocked" in names(report)
    assert statuses(released) == ["finished", "cancelled-by-user", "finished"]
    assert report.deployment_uuid != dead["deployment_uuid"]
    assert await released.shop.version() == "1.1.0"


async def test_a_full_queue_is_waited_for(one_at_a_time) -> None:
    state = one_at_a_time.shop.sandbox.state
    running = leave_dead(one_at_a_time, age=timedelta(), application_name="billing", application_id="77")
    waiting = leave_dead(one_at_a_time, age=timedelta(), status="queued", application_id="78")
    releasing = asyncio.create_task(one_at_a_time.release())
    await until(lambda: ("POST", "/deploy", 429) in [(r.method, r.path, r.status) for r in one_at_a_time.seen()])
    state.update(waiting, status="cancelled-by-user")
    state.update(running, status="failed")
    report = await releasing
    assert report.outcome is Outcome.COMPLETED, report.reason
    assert "deployment-queue-full" in names(report)
    assert await one_at_a_time.shop.version() == "1.1.0"


async def test_a_queue_that_stays_full_ends_the_release_with_nothing_changed(one_at_a_time) -> None:
    leave_dead(one_at_a_time, age=timedelta(), application_id="77")
    leave_dead(one_at_a_time, age=timedelta(), status="queued", application_id="78")
    one_at_a_time.shop.configure(env={"GREETING": "Ahoy"}, release={"stage_timeouts": {"queued": 0.5}})
    report = await one_at_a_time.release()
    assert report.outcome is Outcome.ROLLED_BACK
    assert "queue is full" in report.reason
    assert "Hello from version 1.0.0" in (await one_at_a_time.shop.visit()).text
    async with one_at_a_time.shop.client() as client:
        (application,) = await client.applications.list()
        (greeting,) = (
            one for one in await client.variables.list(application.uuid) if one.key == "GREETING" and not one.is_preview
        )
    assert greeting.value.get_secret_value() == "Hello"


async def test_no_time_is_told_of_a_deployment_that_had_ended_before_anybody_looked(released) -> None:
    (ended,) = released.shop.sandbox.state.all("deployment")
    told = []
    async with released.shop.client() as client:
        with observe(lambda event: told.append(event.text) if isinstance(event, StepDone) else None):
            await follow_deployment(client, ended["deployment_uuid"], StageLimits({}, 60))
    assert told == ["deployment finished"]
