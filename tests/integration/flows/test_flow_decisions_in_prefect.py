"""A decision that is to be asked is answered on the page of a paused run, or by its default when nobody does."""

import asyncio
from dataclasses import replace

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
from tests.integration.answering import OperatorInPrefect

pytestmark = pytest.mark.timeout(300)


async def test_the_page_of_the_run_offers_the_options_and_takes_the_answer(shop, release_shop, in_prefect) -> None:
    await release_shop()
    shop.repository.commit("2.0.0", broken=True)
    shop.configure(decisions={"health-gate-failed": "ask"})

    async def releasing():
        with answers(ask_in_prefect):
            return await release(ReleaseRequest(target=Target(config=str(shop.config))), return_state=True)

    run = asyncio.create_task(releasing())
    operator = OperatorInPrefect(in_prefect.url)
    waiting = await operator.sees("ask: health-gate-failed")
    form, told = await operator.form(waiting)
    assert form["properties"]["option"]["enum"] == ["rollback", "keep", "abort"]
    assert form["properties"]["option"]["default"] == "rollback"
    assert "400" in told
    assert "health is proved again" in told
    assert await operator.answers(waiting, option="explode") != "ACCEPT"
    assert await operator.answers(waiting, option="keep", name="Ada") == "ACCEPT"
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
