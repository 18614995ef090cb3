"""`rollback all`: take back all that the last run over a set has released."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path

from prefect import flow
from prefect.client.schemas.objects import State
from pydantic import BaseModel, ConfigDict, Field

from blocks import CoolifyServer
from coolify.errors import OperatorError
from coolify.progress import labelled, observe
from coolify.release.report import ReleaseReport
from coolify.release_set import (
    DEFAULT_SET,
    MemberOutcome,
    MemberReport,
    SetPlan,
    SetReport,
    WayBack,
    judge_set,
    make_plan,
    way_back,
)
from flows.rollback import RollbackRequest, rollback
from tasks.history import read_history
from tasks.locks import exclusive_set
from tasks.phases import step_done
from tasks.session import Target
from tasks.sets import (
    end_set_run,
    final_set_state,
    last_set_run,
    member_report,
    publish_set,
    side_by_side,
)
from tasks.sharing import sharing

__all__ = ["RollbackSetRequest", "roll_back_members", "rollback_all"]


class NoSetRunError(OperatorError):
    """There is no run over the set that could be rolled back."""


class RollbackSetRequest(BaseModel):
    """The set whose last run is taken back."""

    model_config = ConfigDict(frozen=True)

    set_file: str = Field(
        default=str(DEFAULT_SET),
        title="Set file",
        description="Path of the .coolify/set.yml on the machine that runs the flow.",
        min_length=1,
    )
    environment: str = Field(
        default="",
        title="Environment",
        description="Environment of the applications for which the set file names none; as when they were released.",
    )
    by: str = Field(default="", title="Who", description="Who rolls back, for reports and history.", max_length=200)
    why: str = Field(default="", title="Why", description="Why, for reports and history.", max_length=500)


@flow(name="rollback all", flow_run_name="rollback all {request.set_file}")
async def rollback_all(request: RollbackSetRequest, server: CoolifyServer | None = None) -> State[SetReport]:
    """Bring every application back to what it was before the last run over the set, in reverse order.

    Applications that the run has not released, or that were released again since, are left alone. Databases are, too.

    Args:
        request: The set.
        server: Connection to Coolify instead of the ones in the configuration files.

    Returns:
        A state named Completed, Incomplete or RollbackFailed, with the report as its result.

    Raises:
        OperatorError: The set cannot be read, or no run has released it.
    """
    started = datetime.now(UTC)
    plan = make_plan(Path(request.set_file), environment=request.environment)
    async with exclusive_set(plan.name):
        run = await last_set_run(plan.name)
        if run is None:
            raise NoSetRunError(f"No run has released the set {plan.name} yet: there is nothing to roll back.")
        step_done(f"taking back the run of {run.started_at:%Y-%m-%d %H:%M:%S} UTC")
        async with sharing(run.run):
            ended = await roll_back_members(plan, plan.members, run.run, request, server)
        await end_set_run(run)
    outcome, reason = judge_set("rollback", ended.values())
    report = SetReport(
        kind="rollback",
        name=plan.name,
        run=run.run,
        outcome=outcome,
        reason=reason,
        started_at=started,
        finished_at=datetime.now(UTC),
        applications=tuple(ended.values()),
    )
    await publish_set(report)
    return final_set_state(report)


async def roll_back_members(
    plan: SetPlan, names: Collection[str], run: str, asked: RollbackSetRequest, server: CoolifyServer | None
) -> dict[str, MemberReport]:
    """Roll back what a run over a set has released of some applications, those first that were released last.

    One that cannot be rolled back keeps none of the others from it.

    Args:
        plan: The set.
        names: The applications.
        run: The run.
        asked: Says who wants it, and why.
        server: Connection to Coolify instead of the ones in the configuration files.

    Returns:
        Name -> what became of it, in the order in which it happened.
    """
    ended: dict[str, MemberReport] = {}
    for number, stage in reversed(tuple(enumerate(plan.stages, 1))):

        async def roll_back(name: str, number: int = number, *, canary: bool = stage.is_canary) -> None:
            member = plan.members[name]
            request = RollbackRequest(
                target=Target(config=str(member.path), environment=member.environment), by=asked.by, why=asked.why
            )
            with observe(labelled(name)):
                back = await _roll_back_one(request, run, server)
                if isinstance(back, WayBack):
                    step_done(back.reason)
                    outcome = MemberOutcome.ABORTED if back.is_needed else MemberOutcome.UNTOUCHED
                    ended[name] = MemberReport(
                        application=name, stage=number, canary=canary, outcome=outcome, reason=back.reason
                    )
                else:
                    ended[name] = await member_report(back, name, number, canary=canary)

        mine = [name for name in reversed(stage.applications) if name in names]
        await side_by_side(mine, plan.parallel, roll_back, lambda: True)
    return ended


async def _roll_back_one(
    request: RollbackRequest, run: str, server: CoolifyServer | None
) -> State[State[ReleaseReport]] | WayBack:
    """Roll one application back; return the state of that, or why nothing was done."""
    try:
        way = way_back(tuple(reversed(await read_history(request.target, server))), run)
    except OperatorError as error:
        return WayBack(None, str(error))
    if way.number is None:
        return way
    return await rollback(request.model_copy(update={"version": str(way.number)}), server, return_state=True)
