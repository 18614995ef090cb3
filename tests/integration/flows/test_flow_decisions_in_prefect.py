"""A decision that is to be asked is answered on the page of a paused run, or by its default when nobody does."""

import asyncio
from dataclasses import replace

import httpx
import pytest
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterParentFlowRunId
from prefect.runtime import flow_run

from coolify.asking import Answer, Question, answers
from coolify.decisions import HEALTH_GATE_FAILED
from coolify.release import Outcome
from flows.ask_operator import ask_in_prefect
from flows.release import ReleaseRequest, release
from tasks.session import Target

pytestmark = pytest.mark.timeout(300)


async def paused_run(name: str):
    """Return the run that waits for an answer."""
    async with asyncio.timeout(120), get_client() as client:
        while True:
            runs = await client.read_flow_runs(flow_run_filter=FlowRunFilter(name={"any_": [name]}))
            found = [one for one in runs if one.state is not None and one.state.is_paused()]
            if found:
                return found[0]
            await asyncio.sleep(0.2)


async def resume(server, run, **values) -> str:
    """Send what the form sends, and return Prefect's verdict."""
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.post(f"{server.url}/api/flow_runs/{run.id}/resume", json={"run_input": values})
    return str(answer.json()["status"])


async def form_of(server, run) -> dict:
    keyset = run.state.state_details.run_input_keyset
    async with httpx.AsyncClient(trust_env=False) as client:
        schema = await client.get(f"{server.url}/api/flow_runs/{run.id}/input/{keyset['schema']}")
        description = await client.get(f"{server.url}/api/flow_runs/{run.id}/input/{keyset['description']}")
    return schema.json() | {"told": description.json()}


async def test_the_page_of_the_run_offers_the_options_and_takes_the_answer(shop, release_shop, in_prefect) -> None:
    await release_shop()
    shop.repository.commit("2.0.0", broken=True)
    shop.configure(decisions={"health-gate-failed": "ask"})

    async def releasing():
        with answers(ask_in_prefect):
            return await release(ReleaseRequest(target=Target(config=str(shop.config))), return_state=True)

    run = asyncio.create_task(releasing())
    waiting = await paused_run("ask: health-gate-failed")
    form = await form_of(in_prefect, waiting)
    assert form["properties"]["option"]["enum"] == ["rollback", "keep", "abort"]
    assert form["properties"]["option"]["default"] == "rollback"
    assert "400" in form["told"]
    assert "health is proved again" in form["told"]
    assert await resume(in_prefect, waiting, option="explode") != "ACCEPT"
    assert await resume(in_prefect, waiting, option="keep", name="Ada") == "ACCEPT"
    report = await (await run).aresult(raise_on_failure=False)
    assert report.outcome is Outcome.ABORTED
    (decision,) = report.decisions
    assert (decision.decision, decision.by) == ("health-gate-failed", "operator")
    assert "Ada" in decision.reason
    assert "400" in decision.evidence
    assert (await shop.visit("/version")).status_code == 400


@flow
async def asking(seconds: float) -> tuple[Answer, str]:
    question = Question(replace(HEALTH_GATE_FAILED, timeout_seconds=seconds), "It answers 400.", {"rollback": "no way"})
    return await ask_in_prefect(question), str(flow_run.id)


async def test_a_question_that_nobody_answers_ends_and_its_asker_goes_on(in_prefect) -> None:
    state = await asking(2.0, return_state=True)
    answer, run_id = await state.aresult()
    assert state.is_completed()
    assert answer == Answer(timed_out=True)
    async with get_client() as client:
        below = FlowRunFilter(parent_flow_run_id=FlowRunFilterParentFlowRunId(any_=[run_id]))
        (asked,) = await client.read_flow_runs(flow_run_filter=below)
    assert asked.state is not None
    assert asked.state.is_failed()
