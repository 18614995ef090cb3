"""Runs on a Prefect server, as an operator starts them and waits for them."""

import asyncio
from typing import Any

from prefect.client.orchestration import PrefectClient

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
