"""What Prefect shows of a run whose process has died."""

from __future__ import annotations

import logging
from typing import Final
from uuid import UUID

import httpx
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId, FlowRunFilterParentFlowRunId
from prefect.client.schemas.objects import FlowRun, State, TaskRun
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError
from prefect.runtime import flow_run
from prefect.states import Crashed

__all__ = ["end_dead_run"]

_LOGGER: Final = logging.getLogger(__name__)


async def end_dead_run(dead: str) -> None:
    """Mark a run whose process is known to have died as crashed, with all flows and steps below it.

    Prefect finds out for itself only about runs that a worker has started, never about those below them, nor about one
    of a terminal: they would be shown as running for ever. It is for whoever looks there, so that the run that takes
    over does not end because it could not be done.

    Args:
        dead: Id of the run.
    """
    own = str(flow_run.id or "")
    if dead == own:
        # Prefect has started the same run again.
        return
    try:
        async with get_client() as client:
            runs = [await client.read_flow_run(UUID(dead))]
            runs += await _below(client, runs)
            crashed: State[None] = Crashed(message=f"Its process died, and '{flow_run.name}' has taken over.")
            for run in runs:
                if _is_open(run):
                    await client.set_flow_run_state(run.id, crashed, force=True)
            of_them = FlowRunFilter(id=FlowRunFilterId(any_=[one.id for one in runs]))
            for step in await client.read_task_runs(flow_run_filter=of_them):
                if _is_open(step):
                    await client.set_task_run_state(step.id, crashed, force=True)
    except (ObjectNotFound, PrefectHTTPStatusError, httpx.HTTPError) as error:
        _LOGGER.debug("The run %s that died is left as it is: %s", dead, error)


def _is_open(run: FlowRun | TaskRun) -> bool:
    return run.state is not None and not run.state.is_final()


async def _below(client: PrefectClient, runs: list[FlowRun]) -> list[FlowRun]:
    """Return the runs that these have called, and those that they have called in turn."""
    found = await client.read_flow_runs(
        flow_run_filter=FlowRunFilter(parent_flow_run_id=FlowRunFilterParentFlowRunId(any_=[one.id for one in runs]))
    )
    return [*found, *await _below(client, found)] if found else []
