"""Pushes that started runs: what each means for an application, and which run gives way to which."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterId,
    FlowRunFilter,
    FlowRunFilterExpectedStartTime,
)
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.client.schemas.sorting import FlowRunSort
from prefect.context import FlowRunContext
from prefect.states import Completed
from pydantic import ValidationError

from coolify.config import Config
from coolify.webhooks import Push, judge_push
from tasks.steps import step

__all__ = ["PushedRun", "find_double", "find_newer", "other_runs", "record_verdict"]

_MOST_RUNS: Final = 200
"""The most that Prefect's API returns at once; the newest."""
_CLOCKS: Final = timedelta(hours=1)
_BY_TRIGGER: Final = "AUTOMATION"
_ABANDONED: Final = frozenset({StateType.CANCELLED, StateType.CANCELLING, StateType.CRASHED})
_ENDED: Final = frozenset({StateType.COMPLETED, StateType.FAILED})


@dataclass(frozen=True, slots=True)
class PushedRun:
    """A run that a push has started."""

    name: str
    push: Push
    created: datetime
    state: StateType


@step("judge push", run_name="push -> {application}: {what}")
async def record_verdict(application: str, what: str, reason: str) -> State[None]:
    """Leave a trace of what a push means for an application."""
    return Completed(name=what.capitalize(), message=f"{application}: {reason}")


async def other_runs(push: Push) -> tuple[PushedRun, ...]:
    """Return the other runs of this deployment about pushes of the same time and later.

    None for a run that somebody has started by hand, again or with an older push: it is meant.
    """
    context = FlowRunContext.get()
    own = context.flow_run if context else None
    if own is None or own.deployment_id is None or own.created_by is None or own.created_by.type != _BY_TRIGGER:
        return ()
    async with get_client() as client:
        found = await client.read_flow_runs(
            deployment_filter=DeploymentFilter(id=DeploymentFilterId(any_=[own.deployment_id])),
            # Runs about newer pushes begin later; an hour for clocks that disagree.
            flow_run_filter=FlowRunFilter(
                expected_start_time=FlowRunFilterExpectedStartTime(after_=push.received_at - _CLOCKS)  # type: ignore[arg-type]
            ),
            sort=FlowRunSort.EXPECTED_START_TIME_DESC,
            limit=_MOST_RUNS,
        )
    runs = (_pushed_run(one) for one in found if one.id != own.id)
    return tuple(one for one in runs if one is not None)


def find_double(push: Push, created: datetime, runs: Iterable[PushedRun]) -> PushedRun | None:
    """Return an earlier run about the very same push; Prefect forgets after minutes that it has seen an event."""
    return next(
        (
            one
            for one in runs
            if one.push == push and one.created < created and one.state not in _ABANDONED
        ),
        None,
    )  # fmt: skip


def find_newer(push: Push, config: Config, runs: Iterable[PushedRun], *, patient: bool) -> PushedRun | None:
    """Return a run about a newer push that makes an older one pointless for an application.

    One that was cancelled or has crashed does not.

    Args:
        push: The older one.
        config: The application; pushes that are not meant for it do not count.
        runs: Other runs.
        patient: Whether runs count that have not ended; once a push has waited for long they do not, so that somebody
            releases while pushes keep coming.
    """
    newer = (one for one in runs if one.push.received_at > push.received_at and one.state not in _ABANDONED)
    counted = (one for one in newer if patient or one.state in _ENDED)
    return next((one for one in counted if judge_push(config, one.push).wanted), None)


def _pushed_run(run: FlowRun) -> PushedRun | None:
    try:
        push = Push.model_validate(run.parameters.get("push"))
    except ValidationError:
        return None
    if run.created is None or run.state is None:
        return None
    return PushedRun(run.name, push, run.created, run.state.type)
