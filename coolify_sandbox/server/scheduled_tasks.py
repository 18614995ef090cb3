"""Commands that run in an application's container on a schedule (reference 6)."""

from __future__ import annotations

import re
from typing import Any, Final

from coolify_sandbox.server.http import Call, not_found, route
from coolify_sandbox.server.state import Row, new_uuid
from coolify_sandbox.server.validation import Rule, boolean, integer, refuse_invalid, required, text, validate

__all__ = ["is_frequency"]

_WORDS: Final = frozenset({"every_minute", "hourly", "daily", "weekly", "monthly", "yearly"})
_CRON_FIELD: Final = re.compile(r"[0-9*,/-]+|[A-Za-z]{3}")
_SHOWN: Final = ("name", "command", "container", "enabled", "frequency", "timeout", "created_at", "updated_at")


def is_frequency(value: object) -> bool:
    """Return whether a value is a word such as `daily` or a cron expression of five fields."""
    fields = str(value).split()
    return str(value) in _WORDS or (len(fields) == 5 and all(_CRON_FIELD.fullmatch(field) for field in fields))


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


@route("GET", "/applications/{uuid}/scheduled-tasks", "read")
async def list_tasks(call: Call) -> tuple[int, Any]:
    return 200, [_show(row) for row in call.state.all("task", application_id=_application(call).id)]


@route("POST", "/applications/{uuid}/scheduled-tasks", "write", body=True)
async def create_task(call: Call) -> tuple[int, Any]:
    application = _application(call)
    refuse_invalid(validate(call.body, _CREATE))
    defaults = {"container": None, "enabled": True, "timeout": 300, "application_id": application.id}
    return 201, _show(call.state.insert("task", defaults | call.body, uuid=new_uuid()))


@route("PATCH", "/applications/{uuid}/scheduled-tasks/{task}", "write", body=True)
async def patch_task(call: Call) -> tuple[int, Any]:
    application = _application(call)
    refuse_invalid(validate(call.body, _UPDATE))
    return 200, _show(call.state.update(_task(call, application), **call.body))


@route("DELETE", "/applications/{uuid}/scheduled-tasks/{task}", "write")
async def delete_task(call: Call) -> tuple[int, Any]:
    call.state.delete(_task(call, _application(call)))
    return 200, {"message": "Scheduled task deleted."}


@route("GET", "/applications/{uuid}/scheduled-tasks/{task}/executions", "read")
async def task_executions(call: Call) -> tuple[int, Any]:
    task = _task(call, _application(call))
    rows = reversed(call.state.all("task_execution", task_id=task.id))
    names = ("status", "message", "retry_count", "duration", "error_details", "started_at", "finished_at")
    stamps = ("created_at", "updated_at")
    return 200, [{"uuid": row.uuid} | {name: row.get(name) for name in (*names, *stamps)} for row in rows]


@route("POST", "/applications/{uuid}/scheduled-tasks/{task}/execute", "write", since="4.3.0")
async def execute_task(call: Call) -> tuple[int, Any]:
    _task(call, _application(call))
    return 200, {"message": "Scheduled task execution queued."}


def _application(call: Call) -> Row:
    return call.find("application", call.path["uuid"], "Application")


def _task(call: Call, application: Row) -> Row:
    row = call.state.by_uuid("task", call.path["task"])
    if row is None or row["application_id"] != application.id:
        not_found("Scheduled task")
    return row


def _show(row: Row) -> dict[str, Any]:
    return {"uuid": row.uuid} | {name: row[name] for name in _SHOWN}
