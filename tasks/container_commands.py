"""Commands in an application's container, by way of a scheduled task: the only way that Coolify's API has.

No task of ours is ever switched on: one that is off can be executed all the same (reference 6.4 and its recording: the
order is taken, and Coolify's job does not look), and never runs by itself, whatever becomes of the process that made
it. What belongs to the task afterwards, to delete it or to keep it as a record, is the caller's to decide.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import Final

from coolify.api import CoolifyClient
from coolify.api.errors import AnswerLostError
from coolify.api.extras import ScheduledTask, TaskExecution, TaskWrite

__all__ = ["command_task", "run_task"]

_NEVER: Final = "0 0 1 1 *"
"""A schedule is demanded also of a task that is off."""
_SHORTEST: Final = 60
_QUEUE_SECONDS: Final = 120.0
"""Seconds within which Coolify's worker has to begin, on top of the time that a command may take."""
_FIRST_POLL: Final = 0.5
_LONGEST_POLL: Final = 3.0


def command_task(name: str, command: str, seconds: float, container: str | None = None) -> TaskWrite:
    """Return the task for a command.

    Args:
        name: Tells it from all others; the same command of the same caller has the same name again.
        command: Command of a shell.
        seconds: Time that it may take.
        container: Service of a compose application whose container it is; needed where there are several.
    """
    chosen = {"container": container} if container else {}
    return TaskWrite(
        name=name,
        command=command,
        frequency=_NEVER,
        enabled=False,
        timeout=max(_SHORTEST, math.ceil(seconds)),
        **chosen,
    )


async def run_task(
    client: CoolifyClient,
    application_uuid: str,
    made: ScheduledTask,
    seconds: float,
    *,
    seen: Sequence[TaskExecution] | None = None,
) -> TaskExecution | None:
    """Run a task now and wait for the end of its execution; None where none began or ended in time.

    Coolify's answer names no execution: ours is the one that was not there before. An order whose answer was lost is
    not given again, for the command may be running.

    Args:
        client: The server.
        application_uuid: UUID of the application.
        made: The task.
        seconds: Time that the command may take.
        seen: Executions that the caller has looked at: one that was running then, begun by a process that died, is
            followed instead, also when it has ended meanwhile.

    Raises:
        UnsupportedVersionError: Coolify cannot run tasks at once.
    """
    tasks = client.scheduled_tasks
    before = await tasks.executions(application_uuid, made.uuid) if seen is None else seen
    running = {one.uuid for one in seen or () if one.status == "running"}
    if not running:
        with suppress(AnswerLostError):
            await tasks.execute(application_uuid, made.uuid)
    return await _until_it_ends(client, application_uuid, made, {one.uuid for one in before} - running, seconds)


async def _until_it_ends(
    client: CoolifyClient, application_uuid: str, made: ScheduledTask, known: Collection[str], seconds: float
) -> TaskExecution | None:
    started, pause = time.monotonic(), _FIRST_POLL
    while True:
        waited = time.monotonic() - started
        executions = await client.scheduled_tasks.executions(application_uuid, made.uuid)
        ours = [one for one in executions if one.uuid not in known]
        ended = next((one for one in ours if one.status != "running"), None)
        if ended is not None:
            return ended
        if waited > (seconds if ours else 0.0) + _QUEUE_SECONDS:
            return None
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, _LONGEST_POLL)
