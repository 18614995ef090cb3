"""Scheduled backups of databases and their executions (reference 5.3)."""

from __future__ import annotations

from typing import Any, Final

from coolify_sandbox.server.database_engines import ENGINES
from coolify_sandbox.server.frequency import is_frequency
from coolify_sandbox.server.http import Call, refuse, route
from coolify_sandbox.server.state import Row, State, new_uuid
from coolify_sandbox.server.validation import (
    Rule,
    at_least,
    boolean,
    integer,
    number,
    refuse_invalid,
    required,
    text,
    validate,
)

__all__ = ["backup_rows", "show_backup"]

_RETENTION: Final = tuple(
    f"database_backup_retention_{what}_{where}"
    for where in ("locally", "s3")
    for what in ("amount", "days", "max_storage")
)
_FORBIDDEN: Final = {
    ";": "command separator",
    "|": "pipe operator",
    "&": "background operator",
    "`": "command substitution",
    "$": "variable expansion",
    ">": "redirection",
    "<": "redirection",
}


def _frequency(_: str, value: Any) -> str | None:  # noqa: ANN401 - JSON
    fine = not isinstance(value, str) or is_frequency(value)
    return None if fine else "Invalid cron expression or frequency format."


def _databases(_: str, value: Any) -> str | None:  # noqa: ANN401 - JSON
    found = next((one for one in _FORBIDDEN if one in str(value)), None)
    if found is None:
        return None
    return (
        f"Invalid database name: contains forbidden character '{found}' ({_FORBIDDEN[found]}). Shell metacharacters "
        "are not allowed for security reasons."
    )


_UPDATE: Final[dict[str, tuple[Rule, ...]]] = {
    "frequency": (text, _frequency),
    "enabled": (boolean,),
    "save_s3": (boolean,),
    "s3_storage_uuid": (text,),
    "databases_to_backup": (text, _databases),
    "dump_all": (boolean,),
    "disable_local_backup": (boolean,),
    "timeout": (integer, at_least(60)),
    "backup_now": (boolean,),
    **{name: (number,) if "max_storage" in name else (integer,) for name in _RETENTION},
}
_CREATE: Final = _UPDATE | {"frequency": (required, *_UPDATE["frequency"])}
_NOT_STORED: Final = frozenset({"backup_now", "s3_storage_uuid"})


@route("GET", "/databases/{uuid}/backups", "read")
async def list_backups(call: Call) -> tuple[int, Any]:
    return 200, [
        show_backup(row) | {"executions": _whole_executions(call.state, row)}
        for row in backup_rows(call.state, _database(call))
    ]


@route("POST", "/databases/{uuid}/backups", "write", body=True)
async def create_backup(call: Call) -> tuple[int, Any]:
    refuse_invalid(validate(call.body, _CREATE))
    database = _database(call)
    engine = ENGINES[database.kind.partition(" ")[2]]
    s3_storage_id = _s3_storage(call)
    if engine.backups is None:
        refuse(422, "Scheduled backups are not supported for this database type.")
    stored = {name: value for name, value in call.body.items() if name not in _NOT_STORED}
    stored |= {name: int(stored[name]) for name in stored if name in _RETENTION and str(stored[name]).isdigit()}
    row = call.state.insert(
        "backup",
        {
            "description": None,
            "enabled": True,
            # On without a storage to save to: what is uploaded is nothing (reference 5.3).
            "save_s3": True,
            "databases_to_backup": database[engine.backups] if engine.backups else None,
            "dump_all": False,
            "timeout": 3600,
            "disable_local_backup": False,
            "database_type": f"App\\Models\\{engine.model}",
            "database_id": database.id,
            "s3_storage_id": s3_storage_id,
            "team_id": call.team_id,
            **dict.fromkeys(_RETENTION, 0),
        }
        | stored,
        uuid=new_uuid(),
    )
    _run_now(call, row, database)
    return 201, {"uuid": row.uuid, "message": "Backup configuration created successfully."}


@route("PATCH", "/databases/{uuid}/backups/{backup}", "write", body=True)
async def patch_backup(call: Call) -> tuple[int, Any]:
    refuse_invalid(validate(call.body, _UPDATE))
    row = _backup(call, "Backup config")
    changes = {name: value for name, value in call.body.items() if name not in _NOT_STORED}
    if "s3_storage_uuid" in call.body or call.body.get("save_s3"):
        changes["s3_storage_id"] = _s3_storage(call)
    _run_now(call, call.state.update(row, **changes), _database(call))
    return 200, {"message": "Database backup configuration updated"}


@route("DELETE", "/databases/{uuid}/backups/{backup}", "write")
async def delete_backup(call: Call) -> tuple[int, Any]:
    row = _backup(call, "Backup configuration")
    for execution in call.state.all("backup_execution", backup_id=row.id):
        call.state.delete(execution)
    call.state.delete(row)
    return 200, {"message": "Backup configuration and all executions deleted."}


@route("GET", "/databases/{uuid}/backups/{backup}/executions", "read")
async def list_executions(call: Call) -> tuple[int, Any]:
    row = _backup(call, "Backup configuration")
    return 200, {"executions": _executions(call.state, row)}


@route("DELETE", "/databases/{uuid}/backups/{backup}/executions/{execution}", "write")
async def delete_execution(call: Call) -> tuple[int, Any]:
    row = _backup(call, "Backup configuration")
    execution = call.state.by_uuid("backup_execution", call.path["execution"])
    if execution is None or execution["backup_id"] != row.id:
        refuse(404, "Backup execution not found.")
    call.state.delete(execution)
    return 200, {"message": "Backup execution deleted."}


def backup_rows(state: State, database: Row) -> list[Row]:
    """Return what Coolify lists for a database, newest first.

    It looks for the number alone: a backup of another engine's database with the same number is listed too.
    """
    rows = state.all("backup", database_id=database.id)
    return sorted(sorted(rows, key=lambda row: row.id), key=lambda row: str(row["created_at"]), reverse=True)


def show_backup(row: Row) -> dict[str, Any]:
    """Serialise a backup schedule."""
    return {"id": row.id, "uuid": row.uuid, **row.data}


def _executions(state: State, row: Row) -> list[dict[str, Any]]:
    names = ("filename", "size", "created_at", "message", "status")
    executions = reversed(state.all("backup_execution", backup_id=row.id))
    return [{"uuid": one.uuid} | {name: one[name] for name in names} for one in executions]


def _whole_executions(state: State, row: Row) -> list[dict[str, Any]]:
    """The list of schedules tells all of an execution, the list of executions only a part."""
    executions = reversed(state.all("backup_execution", backup_id=row.id))
    return [
        {"id": one.id, "uuid": one.uuid, "scheduled_database_backup_id": row.id}
        | {name: value for name, value in one.data.items() if name != "backup_id"}
        for one in executions
    ]


def _run_now(call: Call, row: Row, database: Row) -> None:
    runtime = call.request.app.state.databases
    if call.body.get("backup_now") and runtime is not None:
        runtime.back_up_later(row, database)


def _s3_storage(call: Call) -> int | None:
    uuid = call.body.get("s3_storage_uuid")
    if call.body.get("save_s3") and not uuid:
        refuse_invalid({"s3_storage_uuid": ["The s3_storage_uuid field is required when save_s3 is true."]})
    if not uuid:
        return None
    row = call.state.by_uuid("s3", uuid)
    if row is None or row["team_id"] != call.team_id:
        refuse_invalid({"s3_storage_uuid": ["The selected s3 storage uuid is invalid."]})
        return None
    return row.id


def _database(call: Call) -> Row:
    # The other way round the module needs this one.
    from coolify_sandbox.server.databases import find_database

    return find_database(call)


def _backup(call: Call, what: str) -> Row:
    database = _database(call)
    row = call.state.by_uuid("backup", call.path["backup"])
    if row is None or row["database_id"] != database.id:
        refuse(404, f"{what} not found.")
    return row
