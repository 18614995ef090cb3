"""Room on the server and within the limits: looked at, made by a cleaning of Docker, or granted by higher limits."""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

from coolify.api import CoolifyClient, CoolifyError, Feature, Server
from coolify.api.errors import AnswerLostError
from coolify.api.server_administration import CleanupRun
from coolify.config import edit_config, load_config, parse_path
from coolify.errors import OperatorError
from coolify.exhaustion import DiskUse, cleaning_obstacle, disk_use, judge_disk, judge_queue, raised_limits
from coolify.locating import existing_application
from coolify.plan import desired_settings, plan_settings
from coolify.release import Step
from tasks.configuration import update_settings
from tasks.phases import report_findings, step_done
from tasks.session import Session
from tasks.steps import step

__all__ = [
    "CleaningFailedError",
    "clean_up",
    "look_at_room",
    "lower_limits",
    "raise_limits",
    "was_adjusted",
    "why_not_clean",
]

_CLEANING_SECONDS: Final = 1800.0
_POLL_SECONDS: Final = 2.0
_LONGEST_POLL_SECONDS: Final = 15.0


class CleaningFailedError(OperatorError):
    """Coolify could not clean up the server."""


@step("look at room")
async def look_at_room(client: CoolifyClient, server: Server) -> DiskUse | None:
    """Tell how full disk and queue of a server are, as far as Coolify knows, and return the disk's use.

    What cannot be read is no reason to stop: Coolify before 4.3.0 tells nothing of the disk.
    """
    try:
        use = disk_use(await _cleanings(client, server), datetime.now(UTC))
        running = await client.deployments.running()
    except CoolifyError as error:
        step_done(f"how much room the server has cannot be told: {error}")
        return None
    queue = judge_queue(server, running)
    report_findings([judge_disk(server, use), *((queue,) if queue else ())])
    return use


async def why_not_clean(client: CoolifyClient, server: Server) -> str:
    """Return why Coolify cannot be told to clean up a server, empty where it can."""
    try:
        return cleaning_obstacle(await client.servers.docker_cleanup(server.uuid))
    except CoolifyError as error:
        return str(error).rstrip(".")


@step("clean up Docker")
async def clean_up(client: CoolifyClient, server: Server) -> DiskUse | None:
    """Let Coolify clean up a server, wait until it has, and return what it measured then.

    Images that rollbacks need are kept as each application says (`docker_images_to_keep`, two by default).

    Raises:
        CleaningFailedError: It failed, or took too long.
    """
    known = {run.uuid for run in await _cleanings(client, server)}
    # Cleaning twice is no harm, and the list tells whether it began.
    with suppress(AnswerLostError):
        await client.server_administration.run_cleanup(server.uuid)
    step_done(f"Coolify cleans up Docker on {server.name}", changed=True)
    deadline, pause = time.monotonic() + _CLEANING_SECONDS, _POLL_SECONDS
    while time.monotonic() < deadline:
        runs = [run for run in await _cleanings(client, server) if run.uuid not in known]
        if runs and runs[0].status != "running":
            return _measured(server, runs[0])
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, _LONGEST_POLL_SECONDS)
    raise CleaningFailedError(
        f"The cleaning of {server.name} has not ended after {_CLEANING_SECONDS / 60:.0f} minutes: look at Servers, "
        "Docker Cleanup in Coolify."
    )


def _measured(server: Server, run: CleanupRun) -> DiskUse | None:
    message = run.message or "no message"
    if run.status != "success":
        raise CleaningFailedError(f"Coolify could not clean up {server.name}: {message}")
    step_done(f"{server.name}: {message}")
    return disk_use([run], datetime.now(UTC))


async def _cleanings(client: CoolifyClient, server: Server) -> tuple[CleanupRun, ...]:
    if not (await client.capabilities()).supports(Feature.SERVER_ADMINISTRATION):
        return ()
    return await client.server_administration.cleanups(server.uuid)


def was_adjusted(session: Session) -> bool:
    """Return whether this release has adjusted something already, also before its process died."""
    record = session.journal.record
    return session.adjusted or any(one.step in _ADJUSTING for one in (record.journal if record else ()))


_ADJUSTING: Final = frozenset({Step.CLEAN_UP, Step.RAISE_LIMITS})


def why_not_write(session: Session) -> str:
    """Return why the limits in the configuration file cannot be raised, empty where they can."""
    if session.journal.record is None:
        return "only a release changes the configuration"
    if session.target.application is not None:
        return "the configuration is saved elsewhere, and cannot be changed by a run"
    if not os.access(session.config.path, os.W_OK):
        return f"{session.config.path} cannot be written here"
    return ""


@step("raise limits")
async def raise_limits(session: Session) -> None:
    """Double the limits of memory in the configuration file, comments kept, and in Coolify."""
    config, environment = session.config, session.config.environment
    # An environment with an overlay has values of its own.
    above = ("environments", environment) if environment in config.environment_names else ()
    wanted = {(*above, "resources", key): value for key, value in raised_limits(config.resources).items()}
    session.raised = edit_config(config.path, wanted, environment=environment)
    session.config = load_config(config.path, environment=environment)
    for edit in session.raised:
        step_done(f"{config.path.name}: {edit.path} is {edit.after} instead of {edit.before}", changed=True)
    application = await existing_application(session.client, session.config)
    plan = plan_settings(application, desired_settings(session.config, session.security))
    if not plan.is_empty:
        await update_settings(session.client, application.uuid, plan)


def lower_limits(session: Session) -> None:
    """Bring back what `raise_limits` has changed in the configuration file; Coolify has its earlier settings again."""
    if not session.raised:
        return
    before = {parse_path(edit.path): edit.before for edit in session.raised}
    edit_config(session.config.path, before, environment=session.config.environment)
    for edit in session.raised:
        step_done(f"{session.config.path.name}: {edit.path} is {edit.before} again", changed=True)
    session.raised = ()
