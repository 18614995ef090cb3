"""The tables of databases: commands that run once in the application's container, whatever dies or is lost."""

import asyncio

import pytest

from coolify.release import Outcome
from coolify_sandbox.sandbox import Sandbox
from coolify_sandbox.server.faults import Fault, FaultKind
from coolify_sandbox.server.settings import ServerSettings
from flows.apply_schemas import apply_schemas
from tasks.session import Target
from tests.integration.conftest import SampleRepository, Shop
from tests.integration.robustness.bare import bare_flows, current_records
from tests.integration.robustness.interrupted import QUICK_HEALTH, Story


@pytest.fixture
async def one(tmp_path, monkeypatch):
    """A shop whose schema is to be made; its database is of an engine that costs nothing to start."""
    async with Sandbox(settings=ServerSettings(rate_limit=10**6)) as sandbox:
        monkeypatch.setenv("COOLIFY_TOKEN", sandbox.token)
        shop = Shop(sandbox, SampleRepository(tmp_path / "repository"), tmp_path / "work")
        shop.repository.commit("1.0.0")
        shop.configure(health=QUICK_HEALTH, env={"GREETING": "one"})
        with bare_flows():
            yield Story(shop)


def schema(one: Story, *commands: str) -> None:
    one.shop.configure(databases={"main": {"engine": "redis", "schema": {"commands": list(commands)}}})


async def applied(one: Story) -> int:
    (application,) = one.shop.sandbox.state.all("application")
    mark = current_records.set(one.records)
    try:
        return await apply_schemas(Target(config=str(one.shop.config)), str(application.uuid))
    finally:
        current_records.reset(mark)


async def test_the_tables_are_made_once_in_the_container_of_the_application(one) -> None:
    made = one.shop.directory / "made"
    schema(one, f"echo $GREETING >> {made}", f"echo two >> {made}")
    report = await one.release()
    assert report.outcome is Outcome.COMPLETED, report.reason
    assert made.read_text() == "one\ntwo\n"
    (task,) = one.shop.sandbox.state.all("task")
    assert task["enabled"] is False
    report = await one.release()
    assert report.outcome is Outcome.COMPLETED, report.reason
    assert made.read_text() == "one\ntwo\n"
    # A changed list is another one, and what fails there ends the release.
    schema(one, f"echo three >> {made} && test -e /nowhere")
    report = await one.release()
    assert report.outcome is Outcome.ABORTED
    assert "The schema of main failed in the container" in report.reason
    assert made.read_text() == "one\ntwo\nthree\n"


@pytest.mark.parametrize("path", ["scheduled-tasks", "scheduled-tasks/[^/]+/execute"])
async def test_a_schema_whose_answer_is_lost_is_not_applied_twice(one, path) -> None:
    assert (await one.release()).outcome is Outcome.COMPLETED
    made = one.shop.directory / "made"
    schema(one, f"echo once >> {made}")
    one.faults.add(Fault(FaultKind.RESET_AFTER, "POST", f"/applications/[^/]+/{path}", 1))
    assert await applied(one) == 1
    assert await applied(one) == 0
    assert made.read_text() == "once\n"


async def test_a_schema_that_a_dead_process_has_begun_is_followed_and_not_begun_again(one) -> None:
    assert (await one.release()).outcome is Outcome.COMPLETED
    made, go = one.shop.directory / "made", one.shop.directory / "go"
    schema(one, f"echo once >> {made}; until test -e {go}; do sleep 0.05; done")
    first = asyncio.create_task(applied(one))
    while not made.exists():
        await asyncio.sleep(0.02)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    second = asyncio.create_task(applied(one))
    executions = one.faults.requests
    seen = len(executions)
    while not any(request.path.endswith("/executions") for request in executions[seen:]):
        await asyncio.sleep(0.02)
    go.touch()
    assert await second == 1
    assert made.read_text() == "once\n"
    assert len(one.shop.sandbox.state.all("task_execution")) == 1
