"""Commands that make the tables of databases: run once in the application's container, and recorded in Coolify itself.

Each list of commands is a scheduled task whose name holds its digest. A successful execution of that task is the
record: a changed list is another task, an unchanged one is never run again, whoever asks and from where.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from typing import Final

from prefect import task
from prefect.cache_policies import NO_CACHE

from coolify.api import CoolifyClient
from coolify.api.extras import ScheduledTask, TaskExecution, TaskWrite
from coolify.config.databases import Schema
from coolify.errors import OperatorError
from tasks.phases import step_done

__all__ = ["SchemaFailedError", "apply_schema"]

_FIRST_POLL: Final = 0.5
_LONGEST_POLL: Final = 3.0
_PATIENCE: Final = 120.0
"""Seconds within which an execution must begin."""
_LEAST_TIMEOUT: Final = 60


class SchemaFailedError(OperatorError):
    """The commands of a schema did not run to their end."""


@task(name="apply schema", task_run_name="apply schema of {key}", cache_policy=NO_CACHE)
async def apply_schema(client: CoolifyClient, application_uuid: str, key: str, schema: Schema) -> bool:
    """Run the commands of a schema unless they have run; return whether they ran now.

    Their output may hold anything, connection strings too: it stays in Coolify. A run that a process which died has
    begun is followed, not repeated.

    Raises:
        SchemaFailedError: A command failed, or nothing came of the order.
        UnsupportedVersionError: Coolify cannot run tasks at once.
    """
    name = f"schema {key} {_digest(schema)}"
    known = next((one for one in await client.scheduled_tasks.list(application_uuid) if one.name == name), None)
    executions = await client.scheduled_tasks.executions(application_uuid, known.uuid) if known else ()
    wanted = TaskWrite(
        name=name,
        command=" && ".join(schema.commands),
        # Never by itself: it is switched off as soon as it has run.
        frequency="yearly",
        enabled=True,
        timeout=max(_LEAST_TIMEOUT, schema.timeout * len(schema.commands)),
    )
    off = wanted.model_copy(update={"enabled": False})
    if known is not None and any(one.status == "success" for one in executions):
        if known.enabled:
            # Left by a process that died.
            await client.scheduled_tasks.ensure(application_uuid, off)
        step_done(f"schema of {key} is there")
        return False
    made = await client.scheduled_tasks.ensure(application_uuid, wanted)
    try:
        ended = await _run(client, application_uuid, made, executions)
    finally:
        await client.scheduled_tasks.ensure(application_uuid, off)
    if ended.status != "success":
        raise SchemaFailedError(
            f"The schema of {key} failed in the container: the task '{name}' of the application in Coolify has its "
            "output. Mend it and release again."
        )
    step_done(f"schema of {key} applied: {len(schema.commands)} commands", changed=True)
    return True


async def _run(
    client: CoolifyClient, application_uuid: str, made: ScheduledTask, before: tuple[TaskExecution, ...]
) -> TaskExecution:
    running = [one for one in before if one.status == "running"]
    known = {one.uuid for one in before} - {one.uuid for one in running}
    if not running:
        await client.scheduled_tasks.execute(application_uuid, made.uuid)
    started, pause = time.monotonic(), _FIRST_POLL
    while True:
        ours = [
            one for one in await client.scheduled_tasks.executions(application_uuid, made.uuid) if one.uuid not in known
        ]
        ended = [one for one in ours if one.status != "running"]
        waited = time.monotonic() - started
        if ended:
            return ended[0]
        if (not ours and waited > _PATIENCE) or waited > made.timeout + _PATIENCE:
            raise SchemaFailedError(
                f"Coolify took the order to run '{made.name}', and nothing has ended after {waited:.0f} s: does its "
                "queue (Horizon) work?"
            )
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, _LONGEST_POLL)


def _digest(schema: Schema) -> str:
    return hashlib.sha256("\0".join(schema.commands).encode()).hexdigest()[:12]
