"""Commands that make the tables of databases: run once in the application's container, and recorded in Coolify itself.

Each list of commands is a scheduled task whose name holds its digest. A successful execution of that task is the
record: a changed list is another task, an unchanged one is never run again, whoever asks and from where.
"""

from __future__ import annotations

import hashlib

from coolify.api import CoolifyClient
from coolify.config.databases import Schema
from coolify.errors import OperatorError
from tasks.container_commands import command_task, run_task
from tasks.phases import step_done
from tasks.steps import step

__all__ = ["SchemaFailedError", "apply_schema"]


class SchemaFailedError(OperatorError):
    """The commands of a schema did not run to their end."""


@step("apply schema", run_name="apply schema of {key}")
async def apply_schema(client: CoolifyClient, application_uuid: str, key: str, schema: Schema) -> bool:
    """Run the commands of a schema unless they have run; return whether they ran now.

    Their output may hold anything, connection strings too: it stays in Coolify. A run that a process which died has
    begun is followed, not repeated.

    Raises:
        SchemaFailedError: A command failed, or nothing came of the order.
        UnsupportedVersionError: Coolify cannot run tasks at once.
    """
    tasks = client.scheduled_tasks
    name = f"schema {key} {_digest(schema)}"
    known = next((one for one in await tasks.list(application_uuid) if one.name == name), None)
    seen = await tasks.executions(application_uuid, known.uuid) if known is not None else ()
    if any(one.status == "success" for one in seen):
        step_done(f"schema of {key} is there")
        return False
    seconds = schema.timeout * len(schema.commands)
    wanted = command_task(name, " && ".join(schema.commands), seconds, schema.container)
    made = await tasks.ensure(application_uuid, wanted)
    ended = await run_task(client, application_uuid, made, seconds, seen=seen)
    if ended is None:
        raise SchemaFailedError(
            f"Coolify took the order to run '{name}', and nothing has ended within {seconds} s: does its queue "
            "(Horizon) work? Release again: a run that is still under way is followed, not repeated."
        )
    if ended.status != "success":
        raise SchemaFailedError(
            f"The schema of {key} failed in the container: the task '{name}' of the application in Coolify has its "
            "output. Mend it and release again."
        )
    step_done(f"schema of {key} applied: {len(schema.commands)} commands", changed=True)
    return True


def _digest(schema: Schema) -> str:
    return hashlib.sha256("\0".join(schema.commands).encode()).hexdigest()[:12]
