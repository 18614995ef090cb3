"""An installation as an operator has it: one command, and everything else through the Prefect server."""

import asyncio
import json
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from prefect.blocks.notifications import CustomWebhookNotificationBlock
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import DeploymentScheduleCreate
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterDeploymentId, FlowRunFilterStateType
from prefect.client.schemas.objects import StateType
from prefect.client.schemas.schedules import IntervalSchedule
from prefect.events import ResourceSpecification
from prefect.states import Running
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from coolify_sandbox.samples import SampleRepository
from coolify_sandbox.sandbox import Sandbox
from coolify_sandbox.serving import serve_forever
from deployments.automations import ALERTS_BLOCK, REPAIRS
from tests.e2e.installation import WEBHOOK_SECRET, installed
from tests.e2e.prefect_runs import PATIENCE, ended, start, until
from tests.integration.command.conftest import COMMAND
from tests.integration.conftest import Shop

pytestmark = [pytest.mark.component("git"), pytest.mark.timeout(600)]

CANARY = "canary-4f1c9b7e02d8"
PUBLIC = "https://prefect.example.test/v2"
"""Where browsers would find the UI."""


def heartbeat(run_id: str) -> dict[str, Any]:
    """What a run that lives tells every minute."""
    resource = {"prefect.resource.id": f"prefect.flow-run.{run_id}"}
    now = datetime.now(UTC).isoformat()
    return {"event": "prefect.flow-run.heartbeat", "occurred": now, "resource": resource, "id": str(uuid4())}


async def test_an_operator_works_through_the_prefect_server_alone(tmp_path) -> None:
    told: list[dict[str, Any]] = []

    async def hear(request: Request) -> Response:
        told.append(await request.json())
        return Response()

    ears = Starlette(routes=[Route("/", hear, methods=["POST"])])
    home = tmp_path / "prefect"
    home.mkdir()
    async with (
        Sandbox() as sandbox,
        serve_forever(ears) as port,
        installed(home, PREFECT_UI_URL=PUBLIC) as there,
        get_client() as client,
    ):
        assert there.facts["parts"][:2] == ["server", "worker"]
        assert there.facts["changes"] > 10
        children = there.children()
        shop = Shop(sandbox, SampleRepository(tmp_path / "repository"), tmp_path / "work")
        shop.repository.commit("1.0.0")
        shop.configure(env={"GREETING": "${GREETING_TODAY}"}, decisions={"health-gate-failed": "ask"})

        # A dead run is found by its silence.
        flow_id = await client.create_flow_from_name("release")
        made = await client.request("POST", "/flow_runs/", json={"flow_id": str(flow_id), "name": "dead"})
        dead = made.json()["id"]
        await client.set_flow_run_state(dead, Running(), force=True)
        repair = replace(REPAIRS[0], name="crash soon", within=timedelta(seconds=10)).automation()
        # For this one alone: runs that live are silent for longer.
        repair.trigger.match = ResourceSpecification({"prefect.resource.id": f"prefect.flow-run.{dead}"})
        repair.trigger.match_related = {}
        await client.create_automation(repair)
        # Two commands: who is told, and the application.
        webhook = CustomWebhookNotificationBlock(
            name="ears", url=f"http://127.0.0.1:{port}/", json_data={"subject": "{{subject}}", "body": "{{body}}"}
        )
        await webhook.asave(ALERTS_BLOCK)
        assert "made" in await there.coolify("server", "apply", "--yes", cwd=tmp_path)
        secrets = {"COOLIFY_TOKEN": sandbox.token, "GREETING_TODAY": CANARY}
        await there.coolify("project", "config", "push", "--values", cwd=shop.directory, **secrets)
        shop.config.unlink()
        block = await client.read_block_document_by_name("shop-production", "coolify-application")
        target = {"application": {"$ref": {"block_document_id": str(block.id)}}}

        run = await start(client, "release/release", request={"target": target})
        assert await ended(client, run) == "Completed"
        assert CANARY in (await shop.visit()).text

        # By the application's name, as the form would make it.
        checks = await client.read_deployment_by_name("check health/check health")
        often = IntervalSchedule(interval=timedelta(seconds=20))
        schedule = DeploymentScheduleCreate(schedule=often, active=True, slug="shop", parameters={"target": target})
        (made,) = await client.create_deployment_schedules(checks.id, [schedule])
        of_checks = FlowRunFilter(
            deployment_id=FlowRunFilterDeploymentId(any_=[checks.id]),
            state={"type": FlowRunFilterStateType(any_=[StateType.COMPLETED])},
        )

        async def checked():
            return await client.read_flow_runs(flow_run_filter=of_checks)

        assert (await until(checked, "a scheduled check"))[0].auto_scheduled
        await client.delete_deployment_schedule(checks.id, made.id)

        # A broken version: the run asks, somebody answers, the version before comes back.
        shop.repository.commit("2.0.0", broken=True)
        run = await start(client, "release/release", request={"target": target})

        async def waits():
            waiting = FlowRunFilter(state={"type": FlowRunFilterStateType(any_=[StateType.PAUSED])})
            return await client.read_flow_runs(flow_run_filter=waiting)

        (question,) = await until(waits, "a decision that waits")
        assert question.name == "ask: health-gate-failed"
        answer = {"run_input": {"option": "rollback", "name": "Ada"}}

        async def answered():
            # 200: the form is not there yet, it follows the pause; or the answer before was taken and its receipt lost.
            said = await client.request("POST", f"/flow_runs/{question.id}/resume", json=answer)
            return said.status_code == 201 or not (await client.read_flow_run(question.id)).state.is_paused()

        await until(answered, "an accepted answer")
        assert await ended(client, run) == "RolledBack"
        assert await shop.version() == "1.0.0"
        reports = (await client.request("POST", "/artifacts/filter", json={})).json()
        assert any("Ada (in Prefect) chose it" in str(one["data"]) for one in reports)

        async def heard():
            said = json.dumps(told)
            return (
                "A decision waits: The new version is not healthy" in said
                and "Rolled back: release shop-production" in said
            )

        await until(heard, "both notifications")
        link = f"{PUBLIC}/runs/flow-run/{question.id}"
        assert any(link in one["body"] for one in told), "no link to the waiting run"

        async def crashed():
            nonlocal beats
            if datetime.now(UTC) > beats:
                # A new automation is not looked at at once: a sign of life that came too early starts nothing.
                await client.request("POST", "/events", json=[heartbeat(dead)])
                beats = datetime.now(UTC) + timedelta(seconds=40)
            return (await client.read_flow_run(dead)).state.is_crashed()

        beats = datetime.now(UTC)

        await until(crashed, "the dead run marked as crashed")

        async with httpx.AsyncClient(base_url=there.facts["url"], trust_env=False) as api:
            kinds = ("flow_runs", "task_runs", "logs", "artifacts", "events", "deployments", "block_documents")
            answers = [(await api.post(f"/api/{kind}/filter", json={})).text for kind in kinds]
        hidden = (CANARY, WEBHOOK_SECRET, sandbox.token.partition("|")[2] or sandbox.token)
        assert not [kind for kind, text in zip(kinds, answers, strict=True) if any(one in text for one in hidden)]

        process = there.process
    assert process.returncode == 0
    for child in children:
        with pytest.raises(ProcessLookupError):
            os.kill(child, 0)
    files = [one for one in home.rglob("*") if one.is_file()]
    assert there.facts["parts"] == ["server", "worker", "receiver"]
    assert {"prefect.db", "server.log", "worker.log", "receiver.log", "encryption.key"} <= {one.name for one in files}
    assert not [one for one in files if any(secret.encode() in one.read_bytes() for secret in hidden)]


async def test_a_server_that_everybody_could_read_is_not_started(tmp_path) -> None:
    env = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    process = await asyncio.create_subprocess_exec(
        *COMMAND, "server", "up", "--host", "0.0.0.0", "--directory", str(tmp_path), "--port", "0",
        env=env, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    async with asyncio.timeout(PATIENCE):
        _, said = await process.communicate()
    assert process.returncode == 2
    assert b"PREFECT_SERVER_API_AUTH_STRING" in said
