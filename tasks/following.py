"""Follow a deployment to its end, stage by stage, and end one that does not get on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from coolify.api import CoolifyClient, CoolifyError, Deployment, DeploymentStatus, LogLine, LogLines, Looked
from coolify.api.errors import DeploymentNotStoredError
from coolify.config import Release
from coolify.deployment import Queue, StageLimits, StageWatch, blocked, queue_before, stuck
from coolify.deployment.stages import Overdue, Stage
from coolify.errors import OperatorError
from coolify.finding import Finding
from tasks.interruption import INTERRUPTIONS, interruption_alone
from tasks.phases import log_line, report_findings, step_done
from tasks.steps import step

__all__ = ["DeploymentStuckError", "ended_with_the_run", "follow_deployment", "limits_of"]

_POLL_SECONDS: Final = 1.0
_LAST_WISH_SECONDS: Final = 10.0
"""How long an interrupted run may take to cancel its deployment; Prefect kills it after 30."""


class DeploymentStuckError(OperatorError):
    """A deployment took too long and was cancelled."""

    def __init__(self, finding: Finding, fate: str, stage: Stage) -> None:
        super().__init__(f"{finding.summary} {fate} {finding.remedy}")
        self.stage = stage


def limits_of(release: Release) -> StageLimits:
    """Return the configured limits of a deployment."""
    return StageLimits({stage: getattr(release.stage_timeouts, stage) for stage in Stage}, release.deploy_timeout)


@asynccontextmanager
async def ended_with_the_run(
    client: CoolifyClient, application_uuid: str, pull_request: int = 0
) -> AsyncIterator[None]:
    """Cancel the application's deployment when this run is cancelled within: nobody would prove what it brings.

    Args:
        client: The Coolify server.
        application_uuid: Whose deployment is started and followed within.
        pull_request: Number of the pull request whose preview it is; 0 for production.
    """
    try:
        with interruption_alone():
            yield
    except INTERRUPTIONS:
        try:
            async with asyncio.timeout(_LAST_WISH_SECONDS):
                active = await client.deployments.active(application_uuid, pull_request)
                fate = await _cancel(client, active.deployment_uuid) if active else "No deployment was under way."
                step_done(f"this run was cancelled. {fate}", changed=active is not None)
        except (TimeoutError, CoolifyError, *INTERRUPTIONS):
            step_done("this run was cancelled; what it deploys goes on in Coolify")
        raise


@step("follow deployment", run_name="follow deployment {deployment_uuid}")
async def follow_deployment(
    client: CoolifyClient, deployment_uuid: str, limits: StageLimits, subject: str = ""
) -> Deployment:
    """Tell stages and visible log lines as they come, and return the deployment when it has ended.

    One that passes a limit is cancelled, so that it does not block the queue.

    Args:
        client: The Coolify server.
        deployment_uuid: What to follow.
        limits: How long it may take.
        subject: Application, for findings.

    Raises:
        DeploymentStuckError: It passed a limit.
        DeploymentNotStoredError: Coolify never stored it (traps 1 and 2).
    """
    return await _Following(client, deployment_uuid, limits, subject).until_it_ends()


async def _cancel(client: CoolifyClient, uuid: str) -> str:
    """Cancel a deployment and tell what became of it."""
    try:
        cancelled = await client.deployments.cancel(uuid)
    except CoolifyError as error:
        return f"The deployment {uuid} could not be cancelled ({error}): cancel it in Coolify."
    return f"The deployment {uuid} was cancelled." if cancelled else f"The deployment {uuid} had ended already."


@dataclass
class _Following:
    client: CoolifyClient
    uuid: str
    limits: StageLimits
    subject: str
    started: float = field(default_factory=time.monotonic)
    last: Deployment | None = None
    told_blockers: set[str] = field(default_factory=set)
    last_line: str = ""

    async def until_it_ends(self) -> Deployment:
        watch = StageWatch(self.limits)
        fresh: list[LogLine] = []
        ended_before = False
        async for event in self.client.deployments.follow(self.uuid, logs=True, interval=_POLL_SECONDS):
            match event:
                case LogLines(lines):
                    fresh += lines
                    self._print(lines)
                case Looked(deployment, running):
                    ended_before = self.last is None and deployment.status.is_terminal
                    self.last = deployment
                    if deployment.status.is_terminal:
                        break
                    queue = queue_before(deployment, running)
                    if watch.feed(self._elapsed, deployment, queue, fresh):
                        step_done(f"deployment {watch}")
                    fresh.clear()
                    self._tell_blockers(deployment, queue)
                    overdue = watch.overdue(self._elapsed)
                    if overdue is not None:
                        return await self._give_up(overdue)
                case _:
                    pass
        if self.last is None:
            raise DeploymentNotStoredError(f"Coolify does not know the deployment {self.uuid}: run again.")
        spent = "" if ended_before else f" after {self._elapsed:.1f} s"
        step_done(f"deployment {self.last.status.value}{spent}")
        return self.last

    @property
    def _elapsed(self) -> float:
        return time.monotonic() - self.started

    def _print(self, lines: tuple[LogLine, ...]) -> None:
        for line in lines:
            log_line(line.output, hidden=line.hidden)
            if not line.hidden and line.output.strip(" -\n"):
                self.last_line = line.output.strip().splitlines()[-1][:200]

    def _tell_blockers(self, deployment: Deployment, queue: Queue) -> None:
        """Tell of each dead deployment before ours, once."""
        if deployment.created_at is None:
            return
        patience = self.limits.stages.get(Stage.BUILDING, self.limits.total)
        # Reckoned with Coolify's clock alone: ours may be wrong.
        now = deployment.created_at + timedelta(seconds=self._elapsed)
        fresh = [one for one in queue.silent(now, patience) if one.deployment_uuid not in self.told_blockers]
        self.told_blockers.update(one.deployment_uuid for one in fresh)
        if fresh:
            report_findings([blocked(self.subject, one, patience, ours=False) for one in fresh])

    async def _give_up(self, overdue: Overdue) -> Deployment:
        finding = stuck(self.subject, self.uuid, overdue, self.last_line)
        report_findings([finding])
        fate = await _cancel(self.client, self.uuid)
        step_done(fate, changed=True)
        try:
            ended = await self.client.deployments.get(self.uuid)
        except CoolifyError:
            raise DeploymentStuckError(finding, fate, overdue.stage) from None
        if ended.status is DeploymentStatus.FINISHED:
            # It finished while it was given up: what it brought is to be proved like any other.
            return ended
        raise DeploymentStuckError(finding, fate, overdue.stage)
