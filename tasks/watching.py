"""Look at everything, and tell Prefect what has changed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime

from prefect.artifacts import acreate_table_artifact
from prefect.events import emit_event

from blocks import BlockRestorePointStore
from coolify.finding import Severity
from coolify.monitor.changes import Change
from coolify.monitor.look import OnRecord
from coolify.monitor.memory import WatchState
from coolify.monitor.model import Look
from coolify.monitor.watch import Watch, look_at_everything
from coolify.wording import slug
from tasks.phases import step_done
from tasks.steps import step

__all__ = ["look_around", "publish_changes"]

_ROWS = 200
"""Problems that a table shows at most."""


@step("look around")
async def look_around(watch: Watch, state: WatchState, requests: int) -> tuple[Look, ...]:
    """Look at every application once.

    Args:
        watch: What is watched.
        state: What is remembered of earlier looks.
        requests: How many to send to each Coolify server at most.
    """
    looks = await look_at_everything(
        watch, state.memories, os.environ, requests=requests, on_record=OnRecord(proofs=BlockRestorePointStore())
    )
    for look in looks:
        for why in look.unseen:
            step_done(f"{look.subject.title}: not everything could be looked at: {why}")
    return looks


@step("publish changes")
async def publish_changes(name: str, state: WatchState, changes: Sequence[Change]) -> None:
    """Tell automations `coolify.watch.<kind>` of each change, and keep the active problems as a table.

    Args:
        name: Name of the watch.
        state: What is wrong now.
        changes: What is told.
    """
    for change in changes:
        problem = change.problem
        step_done(f"{change.title}: {problem.finding.summary}", changed=True)
        emit_event(
            event=f"coolify.watch.{change.kind.value}",
            resource={
                "prefect.resource.id": f"coolify.problem.{problem.id}",
                "prefect.resource.name": change.title,
                "coolify.application": problem.subject.application,
                "coolify.environment": problem.subject.environment,
                "coolify.severity": change.severity.value,
            },
            payload={
                "finding": problem.finding.name,
                "aspect": problem.aspect.value,
                "subject": problem.finding.subject,
                "summary": problem.finding.summary,
                "remedy": problem.finding.remedy,
                "since": problem.since.isoformat(),
            },
        )
    if changes:
        rows = [
            {
                "id": one.id,
                "application": one.subject.title,
                "severity": one.finding.severity.value,
                "since": f"{one.since:%Y-%m-%d %H:%M}",
                "what": one.finding.summary,
            }
            for one in state.active[:_ROWS]
        ]
        errors = sum(one.finding.severity is Severity.ERROR for one in state.active)
        description = f"{len(state.active)} active problems, {errors} of them errors, at {datetime.now(UTC):%H:%M} UTC."
        await acreate_table_artifact(
            rows or [{"what": "Nothing is wrong."}], key=f"watch-{slug(name)}", description=description
        )
