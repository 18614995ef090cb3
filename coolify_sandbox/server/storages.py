"""Volumes and files of applications, databases and services, and backups of volumes (reference 2.5)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from coolify_sandbox.server.applications import embedded_application
from coolify_sandbox.server.frequency import is_frequency
from coolify_sandbox.server.http import Call, Refusal, not_found, refuse, route
from coolify_sandbox.server.resources import model_of
from coolify_sandbox.server.state import Row, new_uuid
from coolify_sandbox.server.validation import (
    Rule,
    boolean,
    integer,
    matches,
    number,
    one_of,
    refuse_invalid,
    required,
    text,
    validate,
)

__all__ = ["register_storages"]

_VOLUMES: Final = ("database_volume", "volume")
"""Volumes that came with their container, and those that were added."""
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
    name: (boolean,) if isinstance(default, bool) else (number,) if "max_storage" in name else (integer,)
    for name, default in _BACKUP_DEFAULTS.items()
} | {"frequency": (required, text, _schedule), "s3_storage_uuid": (text,)}
_LATER: Final[dict[str, Any]] = {
    "chown": None,
    "chmod": None,
    "is_based_on_git": False,
    "is_preview_suffix_enabled": True,
    "is_host_file": False,
}
"""What the database adds to a file and the answer to its creation does not know yet."""


Owner = Callable[[Call], Row]
"""Finds the team's object that the path names, or answers 404."""


def register_storages(group: str, owner: Owner, parts: Callable[[Call], list[Row]] | None = None) -> None:
    """Register the endpoints below `/{group}/{uuid}/storages`.

    Args:
        group: Segment of the path.
        owner: Finds what has the storages.
        parts: Returns the containers that have them, where it is not the owner itself.
    """
    path = f"/{group}/{{uuid}}/storages"

    def holders(call: Call) -> list[Row]:
        return [owner(call)] if parts is None else parts(call)

    @route("GET", path, "read")
    async def list_storages(call: Call) -> tuple[int, Any]:
        found = holders(call)
        volumes, files = ([_show(row, call) for row in _all(call, found, kinds)] for kinds in (_VOLUMES, ("file",)))
        return 200, {"persistent_storages": volumes, "file_storages": files}

    @route("POST", path, "write", body=True)
    async def create_storage(call: Call) -> tuple[int, Any]:
        row = owner(call)
        rules = _CREATE if parts is None else _CREATE | {"resource_uuid": (required, text)}
        refuse_invalid(validate(call.body, rules))
        wanted = call.body.get("resource_uuid")
        holder = next((one for one in holders(call) if parts is None or one.uuid == wanted), None)
        if holder is None:
            refuse(404, "Service resource not found.")
        if call.body["type"] == "file":
            return 201, _create_file(call, group, row, holder)
        return 201, _create_volume(call, row, holder)

    @route("PATCH", path, "write", body=True)
    async def patch_storage(call: Call) -> tuple[int, Any]:
        owner(call)
        refuse_invalid(validate(call.body, _UPDATE))
        if not call.body.get("uuid") and not call.body.get("id"):
            refuse_invalid({"uuid": "Either uuid or id is required."})
        row = _storage(call, holders(call), str(call.body.get("uuid") or call.body["id"]))
        changes = {name: value for name, value in call.body.items() if name in row.data and name not in {"uuid", "id"}}
        row = call.state.update(row, **changes)
        return 200, _show(row, call) | _resource(call, holders(call)[0])

    @route("DELETE", f"{path}/{{storage}}", "write")
    async def delete_storage(call: Call) -> tuple[int, Any]:
        owner(call)
        call.state.delete(_storage(call, holders(call), call.path["storage"]))
        return 200, {"message": "Storage deleted."}

    @route("PUT", f"{path}/{{storage}}/backups", "write", body=True, since="4.3.0")
    async def put_volume_backup(call: Call) -> tuple[int, Any]:
        owner(call)
        refuse_invalid(validate(call.body, _BACKUP) | _bucket_problems(call))
        return _put_backup(call, _storage(call, holders(call), call.path["storage"]))

    @route("POST", f"{path}/{{storage}}/backups/run", "write", since="4.3.0")
    async def run_volume_backup(call: Call) -> tuple[int, Any]:
        owner(call)
        row = _backup(call, holders(call))
        if (runtime := call.request.app.state.volumes) is not None:
            runtime.back_up_later(row, _storage(call, holders(call), call.path["storage"]))
        return 200, {"message": "Storage backup queued."}

    @route("DELETE", f"{path}/{{storage}}/backups", "write", since="4.3.0")
    async def delete_volume_backup(call: Call) -> tuple[int, Any]:
        owner(call)
        call.state.delete(_backup(call, holders(call)))
        return 200, {"message": "Storage backup schedule and archives deleted."}


def _create_volume(call: Call, owner: Row, holder: Row) -> dict[str, Any]:
    if not call.body.get("name"):
        refuse_invalid({"name": "The name field is required for persistent storages."})
    name = f"{owner.uuid}-{call.body['name']}"
    if call.state.first("volume", name=name):
        # The column is unique, and nobody looked before.
        raise Refusal(500, {"message": "Server Error"})
    fields = {"name": name, "mount_path": call.body["mount_path"], "host_path": call.body.get("host_path")}
    later = {"container_id": None, "is_preview_suffix_enabled": True}
    row = call.state.insert("volume", fields | later | _owned(holder), uuid=new_uuid())
    return {name: value for name, value in _whole(row).items() if name not in later}


def _create_file(call: Call, group: str, owner: Row, holder: Row) -> dict[str, Any]:
    path = call.body["mount_path"]
    is_directory = bool(call.body.get("is_directory"))
    if is_directory and not call.body.get("fs_path"):
        refuse_invalid({"fs_path": "The fs_path field is required for directory mounts."})
    fields = {
        "fs_path": call.body.get("fs_path") or f"/data/coolify/{group}/{owner.uuid}{path}",
        "mount_path": path,
        "content": None if is_directory else call.body.get("content"),
        "is_directory": is_directory,
        "is_binary": False,
        "is_too_large": False,
    }
    row = call.state.insert("file", fields | _LATER | _owned(holder), uuid=new_uuid())
    hidden = _LATER.keys() | ({"content"} if is_directory else set())
    shown = {name: value for name, value in _whole(row).items() if name not in hidden}
    return shown | {"service": None} | _resource(call, holder)


def _bucket_problems(call: Call) -> dict[str, Any]:
    """Only a storage that was validated is taken, unlike for databases."""
    if not call.body.get("save_s3"):
        return {}
    row = call.state.by_uuid("s3", str(call.body.get("s3_storage_uuid")))
    if row is not None and row["team_id"] == call.team_id and row["is_usable"]:
        return {}
    return {"s3_storage_uuid": "Select a usable S3 storage owned by your team."}


def _put_backup(call: Call, storage: Row) -> tuple[int, Any]:
    existing = call.state.first("volume_backup", storage_uuid=storage.uuid)
    bucket = call.state.by_uuid("s3", str(call.body["s3_storage_uuid"])) if call.body.get("save_s3") else None
    # What is not mentioned falls back to its default: the schedule is replaced.
    fields = (
        _BACKUP_DEFAULTS | call.body | {"storage_uuid": storage.uuid, "s3_storage_id": bucket.id if bucket else None}
    )
    if existing is None:
        row = call.state.insert("volume_backup", fields, uuid=new_uuid())
    else:
        row = call.state.update(existing, **fields)
    verb = "created" if existing is None else "updated"
    head = {"uuid": row.uuid, "message": f"Storage backup schedule {verb}.", "storage_uuid": storage.uuid}
    shown = {name: row[name] for name in ("frequency", *_BACKUP_DEFAULTS)}
    return (201 if existing is None else 200), head | {"storage_type": "persistent"} | shown


def _backup(call: Call, holders: list[Row]) -> Row:
    storage = _storage(call, holders, call.path["storage"])
    row = call.state.first("volume_backup", storage_uuid=storage.uuid)
    if row is None:
        refuse(404, "Storage backup schedule not found.")
    return row


def _application(call: Call) -> Row:
    return call.find("application", call.path["uuid"], "Application", period=False)


def _all(call: Call, holders: list[Row], kinds: tuple[str, ...]) -> list[Row]:
    return [row for one in holders for kind in kinds for row in call.state.all(kind, **_owned(one))]


def _storage(call: Call, holders: list[Row], wanted: str) -> Row:
    fitting = [row for row in _all(call, holders, (*_VOLUMES, "file")) if wanted in {row.uuid, str(row.id)}]
    if not fitting:
        not_found("Storage")
    return fitting[0]


def _owned(holder: Row) -> dict[str, Any]:
    return {"resource_id": holder.id, "resource_type": model_of(holder)}


def _resource(call: Call, holder: Row) -> dict[str, Any]:
    if holder.kind == "application":
        return {"resource": embedded_application(holder, call)}
    return {"resource": {"id": holder.id, "uuid": holder.uuid, "name": holder["name"]}}


def _whole(row: Row) -> dict[str, Any]:
    return {"id": row.id, "uuid": row.uuid, **row.data}


def _show(row: Row, call: Call) -> dict[str, Any]:
    hidden = set() if call.sees_secrets else {"content"}
    return {name: value for name, value in _whole(row).items() if name not in hidden}


register_storages("applications", _application)
