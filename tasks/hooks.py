"""Run the commands that a configuration declares around a deployment."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from coolify.api import CoolifyClient, CoolifyError, Feature
from coolify.commands import CommandResult, plain_line, run_here
from coolify.config.hooks import Hook, HookPlace
from coolify.errors import OperatorError
from coolify.redaction import Redaction
from coolify.release.hooks import hook_failed
from tasks.container_commands import command_task, run_task
from tasks.phases import log_line, report_findings, step_done
from tasks.session import Session, redaction_of
from tasks.steps import step

__all__ = ["HookFailedError", "check_hooks", "run_hook"]

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


@step("run hook", run_name="run hook {hook.title}")
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
        result = await run_here(
            hook.run, session.config.root, {**session.environ, **facts}, hook.timeout, _tell, redact
        )
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
    """Run a command in the application's container; nothing of it stays in Coolify.

    A task that a run has left which died is found by its name and used.
    """
    digest = hashlib.sha256(hook.run.encode()).hexdigest()[:8]
    wanted = command_task(f"coolify-flows release hook {digest}", hook.run, hook.timeout, hook.container)
    created = await client.scheduled_tasks.ensure(application_uuid, wanted)
    try:
        execution = await run_task(client, application_uuid, created, hook.timeout)
    finally:
        await _delete(client, application_uuid, created.uuid)
    if execution is None:
        return CommandResult(f"did not end within {hook.timeout:g} s; it may still run in the container")
    lines = [plain_line(redact(line)) for line in (execution.message or "").splitlines() if line.strip()]
    for line in lines:
        _tell(line)
    return CommandResult("" if execution.status == "success" else "failed", tuple(lines[-10:]))


async def _delete(client: CoolifyClient, application_uuid: str, task_uuid: str) -> None:
    # What stays is switched off and is used again by the next run.
    with suppress(CoolifyError, TimeoutError):
        async with asyncio.timeout(_LAST_WISH_SECONDS):
            await client.scheduled_tasks.delete(application_uuid, task_uuid)
