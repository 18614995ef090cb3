"""`redeploy`: a push that the receiver has told of becomes a release of the applications that it is meant for."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.context import FlowRunContext
from prefect.states import Completed, Failed
from pydantic import BaseModel, ConfigDict, Field

from blocks import CoolifyServer
from coolify.errors import OperatorError
from coolify.release.report import ReleaseReport
from coolify.webhooks import Push, Verdict, judge_push
from flows.release import ReleaseRequest, release
from tasks.locks import ReleaseLockedError, exclusive_release
from tasks.phases import step_done
from tasks.pushes import PushedRun, find_double, find_newer, other_runs, record_verdict
from tasks.session import Target, open_session
from tasks.target import located

__all__ = ["RedeployRequest", "Redeployed", "Result", "redeploy"]

_PATIENCE_SECONDS: Final = 3 * 3600.0
"""How long a run waits for the release before it; stuck deployments are ended long before."""
_GIVING_WAY_SECONDS: Final = 600.0
"""For so long a push gives way to newer ones that have not been released; then it is its turn, whatever comes."""


class Result(StrEnum):
    """What came of a push for one application; names of states, in this order of importance."""

    FAILED = "Failed"
    ROLLBACK_FAILED = "RollbackFailed"
    ROLLED_BACK = "RolledBack"
    ABORTED = "Aborted"
    COMPLETED = "Completed"
    SUPERSEDED = "Superseded"
    DOUBLE = "Double"
    SKIPPED = "Skipped"


_BAD: Final = frozenset({Result.FAILED, Result.ROLLBACK_FAILED, Result.ROLLED_BACK, Result.ABORTED})


class RedeployRequest(BaseModel):
    """Which applications pushes may release."""

    model_config = ConfigDict(frozen=True)

    targets: tuple[Target, ...] = Field(
        default=(Target(),),
        title="Applications",
        description="Applications; a push releases those whose configuration names its repository or image.",
    )


class ApplicationResult(BaseModel):
    """What came of a push for one application."""

    model_config = ConfigDict(frozen=True)

    application: str
    result: Result
    reason: str


class Redeployed(BaseModel):
    """What came of a push."""

    model_config = ConfigDict(frozen=True)

    applications: tuple[ApplicationResult, ...]


@flow(name="redeploy", flow_run_name="redeploy {push.name}")
async def redeploy(
    push: Push,
    request: RedeployRequest = RedeployRequest(),  # noqa: B008 - frozen
    server: CoolifyServer | None = None,
) -> State[Redeployed]:
    """Release the applications that a push is meant for; each by its own rules, see `release.on_push`.

    One release at a time for each application: a push that comes while one runs waits, and gives way to a newer one.

    Args:
        push: What was pushed, as the receiver tells it.
        request: Which applications it may release.
        server: Connection to Coolify instead of the one in the configuration files.

    Returns:
        A state named Completed, Skipped, Superseded, Double, or as the release that failed.
    """
    double = find_double(push, _created(), await other_runs(push))
    if double is not None:
        return _ended([ApplicationResult(application="*", result=Result.DOUBLE, reason=f"done by {double.name}")])
    return _ended(await asyncio.gather(*(_redeploy_one(push, one, server) for one in request.targets)))


async def _redeploy_one(push: Push, target: Target, server: CoolifyServer | None) -> ApplicationResult:
    """Judge a push for one application, and release it when it is its turn; never raises what operators understand."""
    name = target.label
    try:
        async with located(target) as found:
            config = found.config
        name = config.application_name
        verdict = judge_push(config, push)
        what = "release" if verdict.wanted else "skipped"
        await record_verdict(name, what, verdict.reason)
        if not verdict.wanted:
            return ApplicationResult(application=name, result=Result.SKIPPED, reason=verdict.reason)
        result, reason = await _release_in_turn(push, target, verdict, server)
    except OperatorError as error:
        result, reason = Result.FAILED, str(error)
    return ApplicationResult(application=name, result=result, reason=reason)


async def _release_in_turn(
    push: Push, target: Target, verdict: Verdict, server: CoolifyServer | None
) -> tuple[Result, str]:
    """Release once nobody else does.

    Raises:
        ReleaseLockedError: Somebody else did for hours.
    """
    loop = asyncio.get_running_loop()
    began = loop.time()
    while True:
        async with open_session(target, server, verdict.applied_to) as session:
            config = session.config
            identity = (session.client.base_url, config.project.name, config.environment, config.application_name)
            try:
                async with exclusive_release(*identity, lend=True):
                    patient = loop.time() - began < _GIVING_WAY_SECONDS
                    newer = find_newer(push, config, await other_runs(push), patient=patient)
                    if newer is not None:
                        return _superseded(newer)
                    return await _release(push, target, server)
            except ReleaseLockedError as error:
                newer = find_newer(push, config, await other_runs(push), patient=True)
                if newer is not None:
                    return _superseded(newer)
                if loop.time() - began > _PATIENCE_SECONDS:
                    raise
                step_done(f"waiting: {error}")


def _superseded(by: PushedRun) -> tuple[Result, str]:
    return (
        Result.SUPERSEDED,
        f"{by.push.ref} at {by.push.commit[:12] or by.push.delivery} is newer, see the run {by.name}",
    )


async def _release(push: Push, target: Target, server: CoolifyServer | None) -> tuple[Result, str]:
    told = f"{push.kind.value} {push.ref} {push.commit[:12]}: {push.message}".strip(" :")
    who = f"{push.author or 'a push'} ({push.provider or 'by hand'})"
    request = ReleaseRequest(target=target, by=who[:200], why=told[:500])
    state: State[Any] = await release(request, server, return_state=True)
    report: Any = await state.aresult(raise_on_failure=False)
    if isinstance(report, ReleaseReport):
        return Result(report.outcome.state_name), report.reason or "released"
    # Not ours to explain: the run of the release has the traceback.
    return Result.FAILED, f"the release ended as {state.name}"


def _created() -> datetime:
    context = FlowRunContext.get()
    created = context.flow_run.created if context and context.flow_run else None
    return created or datetime.now(UTC)


def _ended(results: list[ApplicationResult]) -> State[Redeployed]:
    """Return the state of the run: the worst that happened names it."""
    told = Redeployed(applications=tuple(results))
    message = "; ".join(f"{one.application}: {one.reason}" for one in results) or "no application is named"
    order = list(Result)
    name = min((one.result for one in results), key=order.index, default=Result.SKIPPED)
    state = Failed if name in _BAD else Completed
    return state(name=name.value, message=message, data=told)
