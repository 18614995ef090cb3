"""Runs whose process has died do not stay running for ever in Prefect."""

import uuid

from prefect import flow, task
from prefect.client.orchestration import get_client
from prefect.states import Completed, Paused, Running

from tasks.dead_runs import end_dead_run


@flow(name="called")
async def called() -> None: ...


@task(name="calls")
async def calls() -> None: ...


@flow(flow_run_name="the next one")
async def taking_over(dead: str) -> None:
    await end_dead_run(dead)


async def test_a_dead_run_and_all_below_it_that_had_not_ended_are_marked_as_crashed(in_prefect) -> None:
    async with get_client() as client:

        async def run(parent=None, state=None):
            if parent is None:
                return await client.create_flow_run(called, state=state or Running())
            # Prefect keeps a task's run between a flow and the flow that it has called.
            between = await client.create_task_run(calls, parent.id, uuid.uuid4().hex, state=Running())
            return await client.create_flow_run(called, parent_task_run_id=between.id, state=state or Running())

        dead = await run()
        child = await run(dead)
        asks = await run(child, state=Paused(timeout_seconds=600))
        done = await run(dead, state=Completed())
        other = await run()
        await taking_over(str(dead.id))
        steps = [(await client.read_task_run(one.parent_task_run_id)).state.name for one in (child, asks)]
        states = [(await client.read_flow_run(one.id)).state for one in (dead, child, asks, done, other)]
    assert [state.name for state in states] == ["Crashed", "Crashed", "Crashed", "Completed", "Running"]
    assert steps == ["Crashed", "Crashed"]
    assert states[1].message == "Its process died, and 'the next one' has taken over."


async def test_a_run_that_nobody_knows_any_more_is_no_reason_to_stop(in_prefect) -> None:
    await taking_over(str(uuid.uuid4()))
