"""Runs on a Prefect server, as an operator starts them and waits for them."""

import asyncio
from typing import Any
from uuid import UUID

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId

PATIENCE = 240.0


async def until(look, what: str):
    """Wait for what `look` returns to be something."""
    try:
        async with asyncio.timeout(PATIENCE):
            while not (seen := await look()):
                await asyncio.sleep(0.5)
            return seen
    except TimeoutError:
        raise AssertionError(f"never seen: {what}") from None


async def start(client: PrefectClient, deployment: str, **parameters: Any):
    found = await client.read_deployment_by_name(deployment)
    return await client.create_flow_run_from_deployment(found.id, parameters=parameters)


async def ended(client: PrefectClient, run) -> str:
    async def look():
        state = (await client.read_flow_run(run.id)).state
        return state if state.is_final() else None

    return (await until(look, f"the end of {run.name}")).name


async def tasks_ended(client: PrefectClient, run: UUID) -> None:
    """Wait until the server knows how the tasks of a run ended, of which it hears later than of the run's own end."""
    of_the_run = FlowRunFilter(id=FlowRunFilterId(any_=[run]))

    async def look() -> bool:
        tasks = await client.read_task_runs(flow_run_filter=of_the_run)
        return bool(tasks) and all(one.state is not None and one.state.is_final() for one in tasks)

    await until(look, f"the end of all tasks of {run}")
