"""Run the commands that a configuration declares around a deployment."""

from __future__ import annotations

import asyncio
import hashlib
import math
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from prefect import task
from prefect.cache_policies import NO_CACHE

from coolify.api import CoolifyClient, CoolifyError, Feature
from coolify.api.errors import AnswerLostError
from coolify.api.extras import TaskExecution, TaskWrite
from coolify.commands import CommandResult, plain_line, run_here
from coolify.config.hooks import Hook, HookPlace
from coolify.errors import OperatorError
from coolify.redaction import Redaction
from coolify.release.hooks import hook_failed
from tasks.phases import log_line, report_findings, step_done
from tasks.session import Session, redaction_of

__all__ = ["HookFailedError", "check_hooks", "run_hook"]

_POLL_SECONDS: Final = 1.0
_QUEUE_SECONDS: Final = 120.0
"""Seconds in which Coolify's worker has to begin, on top of the time that the command may take."""
_NEVER: Final = "0 0 1 1 *"
"""A schedule is demanded; the task is switched off and deleted afterwards."""
_SHORTEST_TASK: Final = 60
_LAST_WISH_SECONDS: Final = 10.0


class HookFailedError(OperatorError):
    """A command around the deployment did not succeed."""


async def check_hooks(session: Session) -> None:
    """Refuse, before anything is changed, hooks that this server cannot run.

    Raises:
        UnsupportedVersionError: Commands in the container need a newer Coolify.
    """
    release = session.config.release
    if any(hook.where is HookPlace.CONTAINER for hook in (*release.before, *release.after)):
        (await session.client.capabilities()).require(Feature.TASK_EXECUTION)


@task(name="run hook", task_run_name="run hook {hook.title}", cache_policy=NO_CACHE)
async def run_hook(session: Session, hook: Hook, application_uuid: str, facts: Mapping[str, str]) -> None:
    """Run one command to its end; what it prints is logged without secrets.

    Args:
        session: The application.
        hook: The command.
        application_uuid: UUID in Coolify.
        facts: What a command on this machine finds in its environment about the release, by name.

    Raises:
        HookFailedError: It failed.
    """
    redact = redaction_of(session)
    started = time.monotonic()
    step_done(f"hook {hook.where}: {redact(hook.title)}")
    if hook.where is HookPlace.HERE:
        result = await run_here(hook.run, session.config.root, os.environ | facts, hook.timeout, _tell, redact)
    else:
        result = await _run_in_container(session.client, application_uuid, hook, redact)
    if not result.ok:
        report_findings([hook_failed(redact(hook.title), hook.where, result)])
        raise HookFailedError(f"The hook '{redact(hook.title)}' ({hook.where}) {result.problem}.")
    step_done(f"hook succeeded after {time.monotonic() - started:.1f} s", changed=True)


def _tell(line: str) -> None:
    log_line(line, source="hook")


async def _run_in_container(
    client: CoolifyClient, application_uuid: str, hook: Hook, redact: Redaction
) -> CommandResult:
    """Run a command by way of a scheduled task, the only way that Coolify's API has (reference 6.4).

    The task is switched off, so that it runs once, and deleted afterwards. One that a run has left which died is found
    by its name and used.
    """
    tasks = client.scheduled_tasks
    digest = hashlib.sha256(hook.run.encode()).hexdigest()[:8]
    wanted = TaskWrite(
        name=f"coolify-flows release hook {digest}",
        command=hook.run,
        frequency=_NEVER,
        enabled=False,
        timeout=max(_SHORTEST_TASK, math.ceil(hook.timeout)),
        **({"container": hook.container} if hook.container else {}),
    )
    created = await tasks.ensure(application_uuid, wanted)
    try:
        known = {one.uuid for one in await tasks.executions(application_uuid, created.uuid)}
        # An answer that was lost is not asked for again: the command may be running.
        with suppress(AnswerLostError):
            await tasks.execute(application_uuid, created.uuid)
        execution = await _until_it_ends(client, application_uuid, created.uuid, known, hook.timeout)
    finally:
        await _delete(client, application_uuid, created.uuid)
    if execution is None:
        return CommandResult(f"did not end within {hook.timeout:g} s; it may still run in the container")
    lines = [plain_line(redact(line)) for line in (execution.message or "").splitlines() if line.strip()]
    for line in lines:
        _tell(line)
    return CommandResult("" if execution.status == "success" else "failed", tuple(lines[-10:]))


async def _until_it_ends(
    client: CoolifyClient, application_uuid: str, task_uuid: str, known: set[str], limit: float
) -> TaskExecution | None:
    """Return the run that is not yet known once it has ended, None when there is none in time."""
    deadline = time.monotonic() + limit + _QUEUE_SECONDS
    while time.monotonic() < deadline:
        runs = await client.scheduled_tasks.executions(application_uuid, task_uuid)
        ours = next((one for one in runs if one.uuid not in known), None)
        if ours is not None and ours.status != "running":
            return ours
        await asyncio.sleep(_POLL_SECONDS)
    return None


async def _delete(client: CoolifyClient, application_uuid: str, task_uuid: str) -> None:
    # What stays is switched off and is used again by the next run.
    with suppress(CoolifyError, TimeoutError):
        async with asyncio.timeout(_LAST_WISH_SECONDS):
            await client.scheduled_tasks.delete(application_uuid, task_uuid)
