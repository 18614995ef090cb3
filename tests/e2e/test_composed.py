"""The installation that grows, as deployments/compose.yaml starts it, and a worker that dies in a release."""

import asyncio
import contextlib
import secrets
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import DeploymentUpdate
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterName,
    FlowRunFilterStateType,
    TaskRunFilter,
    TaskRunFilterStateType,
)
from prefect.client.schemas.objects import StateType
from prefect.events import ResourceSpecification
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings
from prefect.states import Scheduled

from blocks import Application
from coolify_sandbox.samples import SampleRepository
from coolify_sandbox.sandbox import Sandbox
from deployments.automations import REPAIRS
from tests.e2e.composed import Composed, composed
from tests.e2e.prefect_runs import PATIENCE, ended, start, until
from tests.e2e.processes import descendants
from tests.integration.command.conftest import run
from tests.integration.conftest import Shop
from tests.integration.webhooks.serving_webhooks import Serving

pytestmark = [
    pytest.mark.component("git"),
    pytest.mark.component("redis-server"),
    pytest.mark.component("pg_ctlcluster"),
    pytest.mark.timeout(900),
]

SECRETS = {
    "POSTGRES_PASSWORD": "canary5a1d07postgres",
    "PREFECT_AUTH": "admin:canary-5a1d07-login",
    "PREFECT_ENCRYPTION_KEY": Fernet.generate_key().decode(),
    "PREFECT_PUBLIC_URL": "https://prefect.example.com",
    "COOLIFY_WEBHOOK_SECRET": "canary-5a1d07-webhooks",
    "COOLIFY_WEBHOOK_SECRET_OLD": "",
}
APPLICATION = "shop-production"
GREETING = f"canary-5a1d07-{secrets.token_hex(8)}"
SILENCE = timedelta(seconds=60)
"""How long a run may be silent here: longer than the shortest time between two signs of life that Prefect allows."""


class Stage:
    """The installation, and somebody who works with it."""

    def __init__(self, services: Composed, shop: Shop) -> None:
        self.services, self.shop = services, shop
        self.operator = {"PREFECT_API_URL": f"{services.url}/api", "PREFECT_API_AUTH_STRING": SECRETS["PREFECT_AUTH"]}
        self.operator |= {"HOME": str(services.directory), "PREFECT_HOME": str(services.directory / "operator")}

    async def coolify(self, *arguments: str, cwd: Path, **env: str):
        done = await run(*arguments, cwd=cwd, seconds=PATIENCE, **self.operator, **env)
        assert done.code == 0, done.text
        return done

    async def start_everything(self) -> None:
        """In the order of the operator's page: everything comes up, then what is ours is registered."""
        await self.services.start("migrate")
        # Only how often the server looks: who holds a slot and is dead.
        often = {"PREFECT_SERVER_SERVICES_REPOSSESSOR_LOOP_SECONDS": "2"}
        await self.services.start("server", **often)
        quick = {"PREFECT_WORKER_QUERY_SECONDS": "1"}
        await asyncio.gather(
            self.services.start("services", **often),
            self.services.start("worker", "worker-1", **quick),
            self.services.start("worker", "worker-2", **quick),
            self.services.start("receiver"),
        )
        await self.services.start("apply")

    async def push_config(self) -> None:
        """Save the application on the Prefect server, with its secrets."""
        self.shop.configure(env={"GREETING": "${GREETING_TODAY}"})
        values = {"COOLIFY_TOKEN": self.shop.sandbox.token, "GREETING_TODAY": GREETING}
        await self.coolify("project", "config", "push", "--values", cwd=self.shop.directory, **values)
        # No worker has the file.
        self.shop.config.unlink()

    async def edit_config(self, **sections) -> None:
        """Change the saved application, as one does on the page of its block."""
        saved = await Application.aload(APPLICATION)
        saved.configuration = self.shop.configure(**sections).read_text()
        await saved.asave(overwrite=True)
        self.shop.config.unlink()

    async def push(self, commit: str, message: str) -> None:
        receiver = Serving(
            self.services.processes["receiver"],
            f"http://127.0.0.1:{self.services.ports['receiver']}",
            self.services.directory / "receiver.log",
        )
        address = str(self.shop.repository.path)
        secret = SECRETS["COOLIFY_WEBHOOK_SECRET"]
        answer = await receiver.push(secret=secret, address=address, commit=commit, message=message)
        assert answer.status_code == 202

    def worker_of(self, flow_run) -> str:
        """Return which worker runs a run, by the process of it."""
        process = int(flow_run.infrastructure_pid.rpartition(":")[2])
        (found,) = (
            name
            for name, one in self.services.processes.items()
            if name.startswith("worker") and process in descendants(one.pid)
        )
        return found


@contextlib.asynccontextmanager
async def staged(directory: Path):
    async with Sandbox() as sandbox, composed(directory / "services", SECRETS) as services:
        stage = Stage(services, Shop(sandbox, SampleRepository(directory / "repository"), directory / "work"))
        settings = {
            PREFECT_API_URL: stage.operator["PREFECT_API_URL"],
            PREFECT_API_AUTH_STRING: stage.operator["PREFECT_API_AUTH_STRING"],
        }
        await stage.start_everything()
        with temporary_settings(settings):
            async with get_client() as client:
                yield stage, client


async def start_watched(client: PrefectClient, deployment: str, **parameters):
    """Start a run that is found to be dead as every other one, only sooner."""
    found = await client.read_deployment_by_name(deployment)
    soon = Scheduled(scheduled_time=datetime.now(UTC) + timedelta(seconds=5))
    alive = {"env": {"PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30"}}
    made = await client.create_flow_run_from_deployment(
        found.id, parameters=parameters, state=soon, job_variables=alive
    )
    repair = replace(REPAIRS[0], name="crash it sooner", within=SILENCE).automation()
    repair.trigger.match = ResourceSpecification({"prefect.resource.id": f"prefect.flow-run.{made.id}"})
    await client.create_automation(repair)
    return made


async def redeployed(client: PrefectClient, commit: str):
    """Return the run that a push has started, once it is there."""

    async def look():
        runs = await client.read_flow_runs()
        return [one for one in runs if one.parameters.get("push", {}).get("commit") == commit]

    (made,) = await until(look, "a run of redeploy")
    return made


async def test_a_worker_dies_in_the_middle_of_a_release_and_a_push_at_another_one_ends_it(tmp_path, table) -> None:
    async with staged(tmp_path) as (stage, client):
        shop, deployments = stage.shop, stage.shop.sandbox.state
        shop.repository.commit("1.0.0")
        await stage.push_config()
        block = await client.read_block_document_by_name(APPLICATION, "coolify-application")
        target = {"application": {"$ref": {"block_document_id": str(block.id)}}}
        pushes = await client.read_deployment_by_name("redeploy/redeploy")
        await client.update_deployment(pushes.id, DeploymentUpdate(parameters={"request": {"targets": [target]}}))

        first = await start(client, "release/release", request={"target": target})
        applied = await stage.coolify("server", "apply", "--yes", "--json", cwd=tmp_path)
        assert applied.json["changes"] == 0, applied.text
        assert await ended(client, first) == "Completed"
        assert await shop.version() == "1.0.0"
        assert GREETING in (await shop.visit()).text

        # Everything of the worker is killed while the release asks whether the new version is healthy.
        commit = shop.repository.commit("2.0.0", message="Sell hats")
        health = {"path": "/health", "interval": 0.1, "deadline": 600}
        await stage.edit_config(health=health | {"successes": 1000})
        second = await start_watched(client, "release/release", request={"target": target})

        running_now = {"type": FlowRunFilterStateType(any_=[StateType.RUNNING])}
        gate = FlowRunFilter(name=FlowRunFilterName(any_=["check health shop-production"]), state=running_now)

        async def asks():
            return await client.read_flow_runs(flow_run_filter=gate)

        await until(asks, "the health gate of the second release")
        assert [one["status"] for one in deployments.all("deployment")] == ["finished", "finished"]
        running = await client.read_flow_run(second.id)
        assert running.state.is_running()
        dead = stage.worker_of(running)
        await stage.services.kill(dead)
        killed_at = datetime.now(UTC)

        # The same commit is pushed: its run waits for the lock that the dead one holds.
        await stage.edit_config(health=health | {"successes": 2})
        await stage.push(commit, "Sell hats")
        third = await redeployed(client, commit)
        assert await ended(client, second) == "Crashed"
        crashed = (await client.read_flow_run(second.id)).state
        # By the automation, or by the run that takes over: whichever comes first.
        assert crashed.message.startswith(("No sign of life", "Its process died"))
        table("Worker killed", f"run marked as crashed after {(crashed.timestamp - killed_at).total_seconds():.0f} s")
        assert await ended(client, third) == "Completed"
        told = await client.read_flow_run(third.id)
        table("Worker killed", f"next release had ended after {(told.end_time - killed_at).total_seconds():.0f} s")
        assert await shop.version() == "2.0.0"
        assert len(deployments.all("deployment")) == 2
        # The flows and steps within the one that died, too.
        assert [one.name for one in await client.read_flow_runs(flow_run_filter=FlowRunFilter(state=running_now))] == []

        async def at_rest():
            # Prefect notes what steps tell when it has time; one of the dead run that it noted afterwards nobody ends.
            running_steps = {"type": TaskRunFilterStateType(any_=[StateType.RUNNING])}
            steps = await client.read_task_runs(task_run_filter=TaskRunFilter(state=running_steps))
            return all(one.created is not None and one.created > crashed.timestamp for one in steps)

        await until(at_rest, "the end of all steps")

        async def free():
            there = await client.read_deployment_by_name("release/release")
            return there.global_concurrency_limit.active_slots == 0

        await until(free, "the slot of the run that died")
        await nothing_secret_is_kept(stage)


async def nothing_secret_is_kept(stage: Stage) -> None:
    hidden = {name: one.partition(":")[2] or one for name, one in SECRETS.items() if name != "PREFECT_PUBLIC_URL"}
    token = stage.shop.sandbox.token
    hidden |= {"GREETING": GREETING, "COOLIFY_TOKEN": token.partition("|")[2] or token}
    database = await stage.services.postgres.tool("pg_dump", "--data-only", "prefect")
    assert b"Sell hats" in database, "nothing was dumped"
    files = {one: one.read_bytes() for one in stage.services.directory.rglob("*") if one.is_file()}
    assert any(one.name.startswith("appendonly.aof") and text for one, text in files.items())
    for name, secret in hidden.items():
        assert secret.encode() not in database if secret else True, name
        assert not [one.name for one, text in files.items() if secret and secret.encode() in text], name
