"""Commands that run in a container of an application or a service on a schedule (reference 6)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from coolify_sandbox.runtime.contract import Runtime
from coolify_sandbox.server.frequency import is_frequency
from coolify_sandbox.server.http import Call, not_found, route
from coolify_sandbox.server.services import find_service
from coolify_sandbox.server.state import Row, State, new_uuid, timestamp
from coolify_sandbox.server.validation import Rule, boolean, integer, refuse_invalid, required, text, validate

__all__: list[str] = []

_SHOWN: Final = ("name", "command", "container", "enabled", "frequency", "timeout", "created_at", "updated_at")


def _frequency(_: str, value: Any) -> str | None:  # noqa: ANN401 - JSON
    return None if value is None or is_frequency(value) else "Invalid cron expression or frequency format."


_UPDATE: Final[dict[str, tuple[Rule, ...]]] = {
    "name": (text,),
    "command": (text,),
    "frequency": (text, _frequency),
    "container": (text,),
    "timeout": (integer,),
    "enabled": (boolean,),
}
_CREATE: Final = _UPDATE | {name: (required, *_UPDATE[name]) for name in ("name", "command", "frequency")}


def _register(group: str, owner: Callable[[Call], Row]) -> None:
    path = f"/{group}/{{uuid}}/scheduled-tasks"

    def named(call: Call) -> Row:
        row = call.state.by_uuid("task", call.path["task"])
        if row is None or row["owner_uuid"] != owner(call).uuid:
            not_found("Scheduled task")
        return row

    @route("GET", path, "read")
    async def list_tasks(call: Call) -> tuple[int, Any]:
        return 200, [_show(row) for row in call.state.all("task", owner_uuid=owner(call).uuid)]

    @route("POST", path, "write", body=True)
    async def create_task(call: Call) -> tuple[int, Any]:
        row = owner(call)
        refuse_invalid(validate(call.body, _CREATE))
        defaults = {"container": None, "enabled": True, "timeout": 300, "owner_uuid": row.uuid}
        return 201, _show(call.state.insert("task", defaults | call.body, uuid=new_uuid()))

    @route("PATCH", f"{path}/{{task}}", "write", body=True)
    async def patch_task(call: Call) -> tuple[int, Any]:
        owner(call)
        refuse_invalid(validate(call.body, _UPDATE))
        return 200, _show(call.state.update(named(call), **call.body))

    @route("DELETE", f"{path}/{{task}}", "write")
    async def delete_task(call: Call) -> tuple[int, Any]:
        call.state.delete(named(call))
        return 200, {"message": "Scheduled task deleted."}

    @route("GET", f"{path}/{{task}}/executions", "read")
    async def task_executions(call: Call) -> tuple[int, Any]:
        rows = reversed(call.state.all("task_execution", task_id=named(call).id))
        names = ("status", "message", "retry_count", "duration", "error_details", "started_at", "finished_at")
        stamps = ("created_at", "updated_at")
        return 200, [{"uuid": row.uuid} | {name: row.get(name) for name in (*names, *stamps)} for row in rows]

    @route("POST", f"{path}/{{task}}/execute", "write", since="4.3.0")
    async def execute_task(call: Call) -> tuple[int, Any]:
        queue = call.request.app.state.queue
        queue.later(_run(call.state, queue.runtime, named(call)))
        return 200, {"message": "Scheduled task execution queued."}


async def _run(state: State, runtime: Runtime, task: Row) -> None:
    """Do what Coolify's job does: a command that fails is not tried again."""
    started = datetime.now(UTC)
    execution = state.insert(
        "task_execution",
        {
            "task_id": task.id,
            "status": "running",
            "message": None,
            "retry_count": 0,
            "duration": None,
            "error_details": None,
            "started_at": timestamp(started),
            "finished_at": None,
        },
        uuid=new_uuid(),
    )
    problem, output = "", ""
    try:
        async with asyncio.timeout(task["timeout"]):
            finished = await runtime.execute(task["owner_uuid"], task["command"])
        if finished is None:
            problem = "ScheduledTaskJob failed: No containers running."
        elif finished.code:
            problem = finished.output or f"exit code {finished.code}"
        else:
            output = finished.output
    except TimeoutError:
        problem = "App\\Jobs\\ScheduledTaskJob has timed out."
    ended = datetime.now(UTC)
    state.update(
        execution,
        status="failed" if problem else "success",
        message=f"Job permanently failed after 1 attempts: {problem}" if problem else output,
        duration=round((ended - started).total_seconds(), 2),
        finished_at=timestamp(ended),
    )


def _application(call: Call) -> Row:
    return call.find("application", call.path["uuid"], "Application")


def _show(row: Row) -> dict[str, Any]:
    return {"uuid": row.uuid} | {name: row[name] for name in _SHOWN}


_register("applications", _application)
_register("services", find_service)
