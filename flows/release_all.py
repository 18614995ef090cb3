"""`release all`: the applications of a set, stage by stage, with a canary first where that is wanted."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

from prefect import flow
from prefect.client.schemas.objects import State
from pydantic import BaseModel, ConfigDict, Field

from blocks import CoolifyServer
from coolify.decisions import HEALTH_GATE_FAILED, Choice, Decision
from coolify.progress import labelled, observe
from coolify.release import DecisionRecord
from coolify.release_set import (
    DEFAULT_SET,
    SET_MEMBER_FAILED,
    MemberOutcome,
    MemberReport,
    OnFailure,
    SetPlan,
    SetReport,
    Stage,
    Strategy,
    judge_set,
    make_plan,
)
from coolify.wording import counted
from flows.ask_operator import answered_in_prefect
from flows.check_health import check_health
from flows.release import ReleaseRequest, release
from flows.rollback_all import RollbackSetRequest, roll_back_members
from tasks.decision_points import decide_by
from tasks.locks import exclusive_set
from tasks.phases import phase, step_done
from tasks.session import Target
from tasks.sets import (
    begin_set_run,
    end_set_run,
    final_set_state,
    member_report,
    publish_set,
    side_by_side,
)
from tasks.sharing import sharing

__all__ = ["ReleaseSetRequest", "release_all"]

_LOOK_SECONDS: Final = 15.0
"""How often a canary is looked at while it has to prove itself."""
_FILE: Final = "as in the file"
_LONGEST_WHY: Final = 500


class ReleaseSetRequest(BaseModel):
    """Which applications to release together, and how; what is left alone is as the set file says."""

    model_config = ConfigDict(frozen=True)

    set_file: str = Field(
        default=str(DEFAULT_SET),
        title="Set file",
        description="Path of the .coolify/set.yml on the machine that runs the flow.",
        min_length=1,
    )
    tags: tuple[str, ...] = Field(
        default=(), title="Tags", description="Release only applications with one of these tags; all when left empty."
    )
    environment: str = Field(
        default="",
        title="Environment",
        description="Environment of the applications for which the set file names none, for example staging.",
    )
    strategy: Literal["as in the file", "stages", "canary"] = Field(
        default=_FILE, title="Strategy", description="Stage after stage, or a canary first."
    )
    on_failure: Literal["as in the file", "stop", "continue", "rollback", "ask"] = Field(
        default=_FILE,
        title="On failure",
        description="When an application cannot be released: stop and keep what was released, continue with the rest, "
        "roll back all that was released, or ask.",
    )
    parallel: int = Field(
        default=0, ge=0, le=20, title="In parallel", description="Releases at the same time; 0 for what the file says."
    )
    force: bool = Field(default=False, title="Force", description="Deploy without cache even if nothing has changed.")
    override: bool = Field(
        default=False, title="Override freeze", description="Release also in a freeze; recorded in the reports."
    )
    by: str = Field(default="", title="Who", description="Who releases, for reports and history.", max_length=200)
    why: str = Field(default="", title="Why", description="Why, for reports and history.", max_length=500)

    def plan(self) -> SetPlan:
        """Read the set file and everything that it names."""
        return make_plan(
            Path(self.set_file),
            tags=self.tags,
            environment=self.environment,
            strategy=None if self.strategy == _FILE else Strategy(self.strategy),
            on_failure=None if self.on_failure == _FILE else OnFailure(self.on_failure),
            parallel=self.parallel or None,
        )


@flow(name="release all", flow_run_name="release all {request.set_file}")
async def release_all(request: ReleaseSetRequest, server: CoolifyServer | None = None) -> State[SetReport]:
    """Release the applications of a set in the order in which they require each other.

    Each is released as by itself, with its own lock, freeze, hooks, decisions and journal; they share the connection
    to Coolify and its request budget. Running it again releases what is left, and proves what is done.

    Args:
        request: Which applications, and how.
        server: Connection to Coolify instead of the ones in the configuration files.

    Returns:
        A state named Completed, Incomplete, RolledBack, RollbackFailed or Aborted, with the report as its result.

    Raises:
        OperatorError: The set cannot be read, or somebody else is releasing it.
    """
    started = datetime.now(UTC)
    plan = request.plan()
    async with exclusive_set(plan.name):
        run = await begin_set_run(plan.name)
        async with sharing(run.run), answered_in_prefect():
            course = _Course(plan, request, server, run.run)
            await _release_set(course)
        report = course.report(started)
        await end_set_run(run, has_released=any(one.number for one in report.applications))
    await publish_set(report)
    return final_set_state(report)


async def _release_set(course: _Course) -> None:
    """The story of a release of a set."""
    plan = course.plan
    canaries = [stage for stage in plan.stages if stage.is_canary]
    for stage in canaries:
        await course.release(stage)
    if canaries and not course.has_ended:
        await course.soak(canaries)
    for stage in plan.stages[len(canaries) :]:
        if not course.has_ended:
            await course.release(stage)


@dataclass
class _Course:
    """How far a run over a set has come."""

    plan: SetPlan
    request: ReleaseSetRequest
    server: CoolifyServer | None
    run: str
    ended: dict[str, MemberReport] = field(default_factory=dict)
    decisions: list[DecisionRecord] = field(default_factory=list)
    has_ended: bool = False
    """Whether nothing more is to be released."""
    _halted: bool = False
    """Whether nothing more may begin until it is decided how to go on."""

    async def release(self, stage: Stage) -> None:
        """Release the applications of a stage side by side, and decide how to go on where one fails."""
        left = list(stage.applications)
        while left and not self.has_ended:
            before = set(self.ended)
            await side_by_side(left, self.plan.parallel, self._release_one, lambda: not self._halted)
            left = [name for name in left if name not in self.ended]
            failed = [name for name in self.ended if name not in before and self._has_failed(name)]
            if failed:
                await self._decide(failed, is_canary=stage.is_canary)

    async def soak(self, canaries: Iterable[Stage]) -> None:
        """Let the canaries prove themselves, before the rest follows them."""
        names = [name for stage in canaries for name in stage.applications]
        if not self.plan.soak_seconds:
            return
        problems: dict[str, str] = {}
        async with phase("soak") as handle:
            loop = asyncio.get_running_loop()
            deadline = loop.time() + self.plan.soak_seconds
            while not problems and (left := deadline - loop.time()) > 0:
                await asyncio.sleep(min(_LOOK_SECONDS, left))
                problems = await self._unhealthy(names)
            if problems:
                handle.failed("; ".join(problems.values()))
            else:
                handle.done(f"{counted(len(names), 'canary application')} healthy for {self.plan.soak_seconds:g} s")
        for name, problem in problems.items():
            await self._take_back_canary(name, problem)
        if problems:
            await self._decide(list(problems), is_canary=True)

    def report(self, started: datetime) -> SetReport:
        """Return what became of all applications, in the order of the stages."""
        lines = tuple(
            self.ended.get(name) or self._untouched(name, "Its turn did not come.")
            for stage in self.plan.stages
            for name in stage.applications
        )
        outcome, reason = judge_set("release", lines)
        return SetReport(
            name=self.plan.name,
            run=self.run,
            outcome=outcome,
            reason=reason,
            started_at=started,
            finished_at=datetime.now(UTC),
            applications=lines,
            decisions=tuple(self.decisions),
        )

    async def _release_one(self, name: str) -> None:
        failed = frozenset(one for one in self.ended if self._has_failed(one))
        blocker = self.plan.waits_for(name, failed)
        if blocker is not None:
            self.ended[name] = self._untouched(name, f"It requires {blocker}, which was not released.")
            return
        with observe(labelled(name)):
            wanted = self.request
            request = ReleaseRequest(
                target=self._target(name),
                force=wanted.force,
                override=wanted.override,
                by=wanted.by,
                why=wanted.why,
            )
            state = await release(request, self.server, return_state=True)
            number, stage = self._place(name)
            self.ended[name] = await member_report(state, name, number, canary=stage.is_canary)
        step_done(f"{name}: {self.ended[name].outcome.value.replace('_', ' ')}")
        if self._has_failed(name) and (stage.is_canary or self.plan.on_failure is not OnFailure.CONTINUE):
            # Those that are being released come to their end; no other begins.
            self._halted = True

    async def _decide(self, failed: list[str], *, is_canary: bool) -> None:
        """Decide how to go on after a failure, and do it."""
        released = [name for name, one in self.ended.items() if one.outcome is MemberOutcome.COMPLETED]
        left = [name for name in self.plan.members if name not in self.ended]
        if not (released or left):
            self.has_ended = True
            return
        unavailable = {}
        if is_canary:
            unavailable["continue"] = "the canary has failed"
        if not released:
            unavailable["rollback"] = "this run has released nothing"
        told = " ".join(f"{name}: {self.ended[name].reason}" for name in failed)
        evidence = f"{told} Released before: {', '.join(released) or 'nothing'}. Left: {', '.join(left) or 'nothing'}."
        choice = await self._take(self.plan.policy, SET_MEMBER_FAILED, evidence, unavailable)
        self._halted = choice.option.id != "continue"
        self.has_ended = self._halted
        if choice.option.id == "rollback":
            why = f"Rolled back with the set, because {failed[0]} was not released."
            await self._roll_back(released, why, unchanged=MemberOutcome.UNTOUCHED)

    async def _take_back_canary(self, name: str, problem: str) -> None:
        """A canary that was released has turned bad: what its own configuration says about that is done."""
        policy = self.plan.members[name].config.policy(HEALTH_GATE_FAILED)
        choice = await self._take(policy, HEALTH_GATE_FAILED, f"{name}: {problem}", {})
        why = f"It did not stay healthy: {problem}."
        if choice.option.id == "rollback":
            await self._roll_back([name], why, unchanged=MemberOutcome.ABORTED)
        else:
            reason = f"{why} {choice.option.consequence}"
            self.ended[name] = self.ended[name].model_copy(update={"outcome": MemberOutcome.ABORTED, "reason": reason})

    async def _roll_back(self, names: list[str], why: str, *, unchanged: MemberOutcome) -> None:
        """Roll back what this run has released of some applications.

        Args:
            names: The applications.
            why: What is told of those that are back.
            unchanged: What those count as of which this run has released nothing.
        """
        for name, back in (await self._back(names, why)).items():
            match back.outcome:
                case MemberOutcome.COMPLETED:
                    outcome, reason = MemberOutcome.ROLLED_BACK, why
                case MemberOutcome.UNTOUCHED:
                    outcome, reason = unchanged, back.reason if unchanged is back.outcome else f"{why} {back.reason}"
                case _:
                    outcome, reason = MemberOutcome.ROLLBACK_FAILED, f"{why} But that failed: {back.reason}"
            seconds = round(self.ended[name].seconds + back.seconds, 1)
            update = {"outcome": outcome, "reason": reason, "serving": back.serving, "seconds": seconds}
            self.ended[name] = self.ended[name].model_copy(update=update)

    async def _back(self, names: list[str], why: str) -> dict[str, MemberReport]:
        asked = RollbackSetRequest(by=self.request.by, why=why[:_LONGEST_WHY])
        return await roll_back_members(self.plan, names, self.run, asked, self.server)

    async def _take(self, policy: str, decision: Decision, evidence: str, unavailable: dict[str, str]) -> Choice:
        choice, taken = await decide_by(policy, decision, evidence, unavailable)
        self.decisions.append(taken)
        return choice

    async def _unhealthy(self, names: Iterable[str]) -> dict[str, str]:
        """Return the applications that are not healthy, with the reason."""
        found: dict[str, str] = {}
        for name in names:
            with observe(labelled(name)):
                health = await check_health(self._target(name), server=self.server)
            if not health.passed:
                found[name] = health.reason
        return found

    def _has_failed(self, name: str) -> bool:
        return self.ended[name].outcome not in {MemberOutcome.COMPLETED, MemberOutcome.UNTOUCHED}

    def _untouched(self, name: str, reason: str) -> MemberReport:
        number, stage = self._place(name)
        return MemberReport(
            application=name, stage=number, canary=stage.is_canary, outcome=MemberOutcome.UNTOUCHED, reason=reason
        )

    def _place(self, name: str) -> tuple[int, Stage]:
        return next((number, one) for number, one in enumerate(self.plan.stages, 1) if name in one.applications)

    def _target(self, name: str) -> Target:
        member = self.plan.members[name]
        return Target(config=str(member.path), environment=member.environment)
