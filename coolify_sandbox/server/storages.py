"""Volumes and files of applications, and backups of volumes (reference 2.5)."""

from __future__ import annotations

from typing import Any, Final

from coolify_sandbox.server.applications import embedded_application
from coolify_sandbox.server.http import Call, Refusal, not_found, refuse, route
from coolify_sandbox.server.scheduled_tasks import is_frequency
from coolify_sandbox.server.state import Row, new_uuid
from coolify_sandbox.server.validation import (
    Rule,
    boolean,
    integer,
    matches,
    one_of,
    refuse_invalid,
    required,
    text,
    validate,
)

__all__: list[str] = []

_NAME: Final = r"^[a-zA-Z0-9][a-zA-Z0-9_.-]*$"
_CREATE: Final[dict[str, tuple[Rule, ...]]] = {
    "type": (required, text, one_of("persistent", "file")),
    "name": (text, matches(_NAME)),
    "mount_path": (required, text),
    "host_path": (text,),
    "content": (text,),
    "is_directory": (boolean,),
    "fs_path": (text,),
}
_UPDATE: Final = _CREATE | {
    "uuid": (text,),
    "id": (integer,),
    "mount_path": (text,),
    "is_preview_suffix_enabled": (boolean,),
}


def _schedule(_: str, value: Any) -> str | None:  # noqa: ANN401 - JSON
    return None if is_frequency(value) else "The frequency must be a valid cron or human expression."


_BACKUP_DEFAULTS: Final[dict[str, Any]] = {
    "enabled": True,
    "save_s3": False,
    "disable_local_backup": False,
    "stop_during_backup": False,
    "s3_storage_uuid": None,
    "retention_amount_locally": 7,
    "retention_days_locally": 0,
    "retention_max_storage_locally": 0,
    "retention_amount_s3": 7,
    "retention_days_s3": 0,
    "retention_max_storage_s3": 0,
    "timeout": None,
}
_BACKUP: Final[dict[str, tuple[Rule, ...]]] = {
    name: (boolean,) if isinstance(default, bool) else (integer,) for name, default in _BACKUP_DEFAULTS.items()
} | {"frequency": (required, text, _schedule), "s3_storage_uuid": (text,)}
_LATER: Final[dict[str, Any]] = {
    "chown": None,
    "chmod": None,
    "is_based_on_git": False,
    "is_preview_suffix_enabled": True,
    "is_host_file": False,
}
"""What the database adds to a file and the answer to its creation does not know yet."""


@route("GET", "/applications/{uuid}/storages", "read")
async def list_storages(call: Call) -> tuple[int, Any]:
    application = _application(call)
    volumes, files = (
        [_show(row, call) for row in call.state.all(kind, resource_id=application.id)] for kind in ("volume", "file")
    )
    return 200, {"persistent_storages": volumes, "file_storages": files}


@route("POST", "/applications/{uuid}/storages", "write", body=True)
async def create_storage(call: Call) -> tuple[int, Any]:
    application = _application(call)
    refuse_invalid(validate(call.body, _CREATE))
    if call.body["type"] == "file":
        return 201, _create_file(call, application)
    if not call.body.get("name"):
        refuse_invalid({"name": "The name field is required for persistent storages."})
    name = f"{application.uuid}-{call.body['name']}"
    if call.state.first("volume", name=name):
        # The column is unique, and nobody looked before.
        raise Refusal(500, {"message": "Server Error"})
    fields = {"name": name, "mount_path": call.body["mount_path"], "host_path": call.body.get("host_path")}
    later = {"container_id": None, "is_preview_suffix_enabled": True}
    row = call.state.insert("volume", fields | later | _owned(application), uuid=new_uuid())
    return 201, {name: value for name, value in _whole(row).items() if name not in later}


def _create_file(call: Call, application: Row) -> dict[str, Any]:
    path = call.body["mount_path"]
    is_directory = bool(call.body.get("is_directory"))
    fields = {
        "fs_path": call.body.get("fs_path") or f"/data/coolify/applications/{application.uuid}{path}",
        "mount_path": path,
        "content": None if is_directory else call.body.get("content"),
        "is_directory": is_directory,
        "is_binary": False,
        "is_too_large": False,
    }
    row = call.state.insert("file", fields | _LATER | _owned(application), uuid=new_uuid())
    hidden = _LATER.keys() | ({"content"} if is_directory else set())
    shown = {name: value for name, value in _whole(row).items() if name not in hidden}
    return shown | {"service": None, "resource": embedded_application(application, call)}


@route("PATCH", "/applications/{uuid}/storages", "write", body=True)
async def patch_storage(call: Call) -> tuple[int, Any]:
    application = _application(call)
    refuse_invalid(validate(call.body, _UPDATE))
    if not call.body.get("uuid") and not call.body.get("id"):
        refuse_invalid({"uuid": "Either uuid or id is required."})
    row = _storage(call, application, str(call.body.get("uuid") or call.body["id"]))
    changes = {name: value for name, value in call.body.items() if name in row.data and name not in {"uuid", "id"}}
    row = call.state.update(row, **changes)
    return 200, _show(row, call) | {"resource": embedded_application(application, call)}


@route("DELETE", "/applications/{uuid}/storages/{storage}", "write")
async def delete_storage(call: Call) -> tuple[int, Any]:
    call.state.delete(_storage(call, _application(call), call.path["storage"]))
    return 200, {"message": "Storage deleted."}


@route("PUT", "/applications/{uuid}/storages/{storage}/backups", "write", body=True, since="4.3.0")
async def put_volume_backup(call: Call) -> tuple[int, Any]:
    application = _application(call)
    refuse_invalid(validate(call.body, _BACKUP))
    storage = _storage(call, application, call.path["storage"])
    existing = call.state.first("volume_backup", storage_id=storage.id)
    if existing is None:
        fields = _BACKUP_DEFAULTS | call.body | {"storage_id": storage.id}
        row = call.state.insert("volume_backup", fields, uuid=new_uuid())
    else:
        row = call.state.update(existing, **call.body)
    verb = "created" if existing is None else "updated"
    head = {"uuid": row.uuid, "message": f"Storage backup schedule {verb}.", "storage_uuid": storage.uuid}
    shown = {name: row[name] for name in ("frequency", *_BACKUP_DEFAULTS)}
    return (201 if existing is None else 200), head | {"storage_type": "persistent"} | shown


@route("DELETE", "/applications/{uuid}/storages/{storage}/backups", "write", since="4.3.0")
async def delete_volume_backup(call: Call) -> tuple[int, Any]:
    storage = _storage(call, _application(call), call.path["storage"])
    row = call.state.first("volume_backup", storage_id=storage.id)
    if row is None:
        refuse(404, "Storage backup schedule not found.")
    call.state.delete(row)
    return 200, {"message": "Storage backup schedule and archives deleted."}


def _application(call: Call) -> Row:
    return call.find("application", call.path["uuid"], "Application", period=False)


def _storage(call: Call, application: Row, wanted: str) -> Row:
    rows = [row for kind in ("volume", "file") for row in call.state.all(kind, resource_id=application.id)]
    fitting = [row for row in rows if wanted in {row.uuid, str(row.id)}]
    if not fitting:
        not_found("Storage")
    return fitting[0]


def _owned(application: Row) -> dict[str, Any]:
    return {"resource_id": application.id, "resource_type": "App\\Models\\Application"}


def _whole(row: Row) -> dict[str, Any]:
    return {"id": row.id, "uuid": row.uuid, **row.data}


def _show(row: Row, call: Call) -> dict[str, Any]:
    hidden = set() if call.sees_secrets else {"content"}
    return {name: value for name, value in _whole(row).items() if name not in hidden}
