"""Runs over sets: one at a time, remembered beyond their process, reported at the end."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid4

from prefect.artifacts import acreate_markdown_artifact
from prefect.client.schemas.objects import State
from prefect.events import emit_event
from prefect.exceptions import PrefectHTTPStatusError
from prefect.states import Completed, Failed
from prefect.variables import Variable
from pydantic import BaseModel, ConfigDict, ValidationError

from coolify.errors import OperatorError
from coolify.release.report import ReleaseReport
from coolify.release_set import MemberOutcome, MemberReport, SetOutcome, SetReport, render_set
from coolify.wording import slug
from tasks.phases import step_done
from tasks.steps import step

__all__ = [
    "SetRun",
    "begin_set_run",
    "end_set_run",
    "final_set_state",
    "last_set_run",
    "member_report",
    "publish_set",
    "side_by_side",
]

_AGAIN: Final = "what was begun is taken up when you release again."


class SetRun(BaseModel):
    """The latest run over a set; what it released is told by the records of the applications."""

    model_config = ConfigDict(frozen=True)

    run: str
    name: str
    started_at: datetime
    finished_at: datetime | None = None
    """None while it runs, and when its process died."""
    before: SetRun | None = None
    """The run before it, while it runs."""


@step("begin run over the set")
async def begin_set_run(name: str) -> SetRun:
    """Begin a run over a set, or take up the one whose process died; the caller holds the set's lock.

    A run that is taken up keeps its name, so that rolling it back takes back what it had released before it died.
    """
    last = await last_set_run(name)
    if last is not None and last.finished_at is None:
        step_done(f"the run over the set that began {last.started_at:%Y-%m-%d %H:%M} UTC did not end: it is taken up")
        return last
    begun = SetRun(run=uuid4().hex[:12], name=name, started_at=datetime.now(UTC), before=last)
    await _save(begun)
    return begun


async def end_set_run(run: SetRun, *, has_released: bool = True) -> None:
    """Note that a run has ended, however that was.

    One that found nothing to release is forgotten: what can be rolled back is what the run before it has released.
    """
    if not has_released and run.before is not None:
        await _save(run.before)
    else:
        await _save(run.model_copy(update={"finished_at": run.finished_at or datetime.now(UTC), "before": None}))


async def last_set_run(name: str) -> SetRun | None:
    """Return the latest run over a set, None if there was none."""
    try:
        return SetRun.model_validate(await Variable.aget(_variable(name)))
    except ValidationError:
        return None


async def _save(run: SetRun) -> None:
    await Variable.aset(_variable(run.name), run.model_dump(mode="json"), overwrite=True)


def _variable(name: str) -> str:
    return f"coolify_set_{hashlib.sha256(name.encode()).hexdigest()[:24]}"


async def side_by_side(
    names: Iterable[str], parallel: int, work: Callable[[str], Awaitable[None]], goes_on: Callable[[], bool]
) -> None:
    """Work on all names, so many at a time; what has begun is ended, also when the others shall not begin any more.

    Args:
        names: What to work on, in this order.
        parallel: How many at a time.
        work: Does it for one.
        goes_on: Asked before each whether it may begin.
    """
    gate = asyncio.Semaphore(parallel)

    async def one(name: str) -> None:
        async with gate:
            if goes_on():
                await work(name)

    jobs = [asyncio.create_task(one(name)) for name in names]
    if not jobs:
        return
    try:
        await asyncio.wait(jobs, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        # Where this run is cancelled, or has a defect, none of them goes on behind its back. Each is cancelled once:
        # the second time would hit what it does to leave things in order.
        for job in jobs:
            if not job.cancelling():
                job.cancel()
        results = await asyncio.gather(*jobs, return_exceptions=True)
    for result in results:
        # Those that were cancelled were so because of the one that failed.
        if result is not None and not isinstance(result, asyncio.CancelledError):
            raise result


async def member_report(state: State[Any], name: str, stage: int, *, canary: bool) -> MemberReport:
    """Return what became of an application whose release or rollback has ended, also where it ended by a defect."""
    ended = await state.aresult(raise_on_failure=False)
    if isinstance(ended, ReleaseReport):
        return MemberReport.of(ended, name, stage, canary=canary)
    told = _told(ended)
    return MemberReport(application=name, stage=stage, canary=canary, outcome=MemberOutcome.ABORTED, reason=told)


def _told(error: object) -> str:
    """Return a sentence about what ended a run that has no report."""
    if isinstance(error, OperatorError):
        return str(error)
    # Not its text: it may repeat what was sent, and that can hold variables of the application.
    if isinstance(error, PrefectHTTPStatusError):
        request = error.request
        return (
            f"The Prefect server answered {error.response.status_code} to {request.method} {request.url.path}; {_AGAIN}"
        )
    return f"{type(error).__name__}: see the log of its run; {_AGAIN}"


@step("publish report of the set")
async def publish_set(report: SetReport) -> None:
    """Keep the report as an artifact of the run, and announce the outcome."""
    key = f"set-{report.kind}-{slug(report.name)}"
    await acreate_markdown_artifact(render_set(report), key=key, description=f"{report.kind} of the set {report.name}")
    emit_event(
        event=f"coolify.set-{report.kind}.{report.outcome.value.replace('_', '-')}",
        resource={"prefect.resource.id": f"coolify.set.{slug(report.name)}", "prefect.resource.name": report.name},
        payload={
            "run": report.run,
            "reason": report.reason,
            "applications": {one.application: one.outcome.value for one in report.applications},
        },
    )


def final_set_state(report: SetReport) -> State[SetReport]:
    """Return the state of the run: its name is the outcome, and automations match on it."""
    state = Completed if report.outcome is SetOutcome.COMPLETED else Failed
    return state(name=report.outcome.state_name, message=report.reason or None, data=report)
