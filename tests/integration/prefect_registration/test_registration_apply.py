"""`coolify server apply` against a real Prefect server."""

import pytest
from prefect.blocks.notifications import CustomWebhookNotificationBlock
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import DeploymentUpdate, WorkPoolCreate, WorkPoolUpdate
from prefect.client.schemas.schedules import CronSchedule
from prefect.events.schemas.automations import AutomationCore
from prefect.workers.process import ProcessWorker

from coolify.plan import Kind
from deployments.apply import apply
from deployments.automations import ALERTS, ALERTS_BLOCK, REPAIRS
from deployments.declared import read_declarations
from tests.integration.command import documented_json
from tests.integration.command.conftest import run

VERIFY = "verify backups/verify backups"


@pytest.fixture(autouse=True)
async def untouched(in_prefect) -> None:
    """A server on which nobody has applied anything yet, whatever other tests have left there."""
    async with get_client() as client:
        for deployment in await client.read_deployments():
            await client.delete_deployment(deployment.id)
        for automation in await client.read_automations():
            await client.delete_automation(automation.id)
        for block in await client.read_block_documents():
            if block.name == ALERTS_BLOCK:
                await client.delete_block_document(block.id)


async def test_applying_twice_changes_nothing_and_keeps_what_operators_have_set(in_prefect) -> None:
    planned = await apply(dry_run=True)
    declared = {one.name for one in read_declarations()}
    assert {one.name.partition("/")[2] for one in planned.changes if one.resource == "deployment"} == declared
    async with get_client() as client:
        assert not await client.read_deployments()
    assert [str(one) for one in (await apply()).changes] == [str(one) for one in planned.changes]
    again = await apply()
    assert not again.changes
    assert ALERTS_BLOCK in again.notes[0]

    async with get_client() as client:
        there = await client.read_deployment_by_name(VERIFY)
        (weekly,) = there.schedules
        assert (weekly.slug, weekly.active, weekly.schedule.timezone) == ("weekly", False, "UTC")
        theirs = {"request": {"target": {"config": "/srv/shop/.coolify/config.yml", "environment": "staging"}}}
        await client.update_deployment(there.id, DeploymentUpdate(parameters=theirs, paused=True, version="0.0.1"))
        mine = CronSchedule(cron="0 5 * * *", timezone="Europe/Rome")
        await client.update_deployment_schedule(there.id, weekly.id, active=True, schedule=mine)
        zombies = next(one for one in await client.read_automations() if one.name == REPAIRS[0].name)
        await client.pause_automation(zombies.id)
        changed = zombies.model_copy(update={"description": "changed", "enabled": False})
        fields = changed.model_dump(exclude={"id", "owner_resource"})
        await client.update_automation(zombies.id, AutomationCore.model_validate(fields))

        changes = (await apply()).changes
        assert {(one.kind, one.resource, one.name, one.after) for one in changes} == {
            (Kind.UPDATE, "deployment", VERIFY, "version"),
            (Kind.UPDATE, "automation", REPAIRS[0].name, "description"),
        }
        there = await client.read_deployment_by_name(VERIFY)
        (weekly,) = there.schedules
        assert (weekly.schedule.cron, weekly.schedule.timezone, weekly.active) == ("0 5 * * *", "Europe/Rome", True)
        assert there.parameters == theirs
        assert there.paused
        assert not (await client.read_automation(zombies.id)).enabled

        await client.delete_deployment_schedule(there.id, weekly.id)
        (change,) = (await apply()).changes
        assert change.after == "schedule weekly"
        assert [one.slug for one in await client.read_deployment_schedules(there.id)] == ["weekly"]
    assert not (await apply()).changes


async def test_a_pool_that_a_worker_has_made_lets_its_runs_say_that_they_live(in_prefect) -> None:
    """The compose file starts workers before anything is registered."""
    await apply()
    async with get_client() as client:
        await client.delete_work_pool("coolify")
        template = ProcessWorker.get_default_base_job_template()
        template["variables"]["properties"]["env"]["default"] = {"TZ": "Europe/Rome"}
        pool = WorkPoolCreate(name="coolify", type="process", base_job_template=template, concurrency_limit=7)
        await client.create_work_pool(pool)
        changes = (await apply()).changes
        assert ("work pool", "coolify", "heartbeats") in {(one.resource, one.name, one.after) for one in changes}
        there = await client.read_work_pool("coolify")
        env = there.base_job_template["variables"]["properties"]["env"]["default"]
        assert env == {"TZ": "Europe/Rome", "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "60"}
        assert there.concurrency_limit == 7
        # More often is as good, and somebody's own.
        env["PREFECT_FLOWS_HEARTBEAT_FREQUENCY"] = "30"
        await client.update_work_pool("coolify", WorkPoolUpdate(base_job_template=there.base_job_template))
    assert not (await apply()).changes


async def test_operators_are_told_through_the_block_that_they_have_saved(in_prefect) -> None:
    await apply()
    await CustomWebhookNotificationBlock(name="alerts", url="http://127.0.0.1:9/").asave(ALERTS_BLOCK, overwrite=True)
    changes = (await apply()).changes
    assert {one.name for one in changes} == {one.name for one in ALERTS}
    again = await apply()
    assert not again.changes
    assert not again.notes


async def test_the_command_shows_its_plan_before_it_does_anything(prefect_server, home, tmp_path) -> None:
    told = await run("server", "apply", cwd=tmp_path, **home)
    assert told.code == 2
    assert "No Prefect server is named" in told.stderr
    server = home | dict(prefect_server.environment)
    told = await run("server", "apply", "--dry-run", "--json", cwd=tmp_path, **server)
    assert told.code == 0, told.text
    assert told.json["dry_run"] is True
    documented_json.check(("server", "apply"), told.json)
    done = await run("server", "apply", "--yes", "--json", cwd=tmp_path, **server)
    assert done.code == 0, done.text
    shown = await run("server", "apply", cwd=tmp_path, **server)
    assert shown.code == 0
    assert "unchanged" in shown.stdout
