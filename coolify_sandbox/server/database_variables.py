"""Environment variables of databases (reference 5.1): like those of applications, without previews."""

from __future__ import annotations

from typing import Any, Final

from coolify_sandbox.server.databases import find_database
from coolify_sandbox.server.http import Call, present, refuse, route
from coolify_sandbox.server.state import Row, new_uuid
from coolify_sandbox.server.validation import Rule, boolean, matches, refuse_invalid, required, text, validate

__all__: list[str] = []

_RULES: Final[dict[str, tuple[Rule, ...]]] = {
    "key": (required, text, matches(r"^[A-Za-z_][A-Za-z0-9_.]*$")),
    "value": (text,),
    **dict.fromkeys(("is_literal", "is_multiline", "is_shown_once"), (boolean,)),
    "comment": (text,),
}
_FLAGS: Final = ("is_literal", "is_multiline", "is_shown_once")
_BRIEF: Final = frozenset({"is_preview", "is_required", "order"})
"""What the answer to a creation does not know yet."""


@route("GET", "/databases/{uuid}/envs", "read")
async def list_variables(call: Call) -> tuple[int, Any]:
    return 200, [_show(row, call) for row in _of(call)]


@route("POST", "/databases/{uuid}/envs", "write", body=True)
async def create_variable(call: Call) -> tuple[int, Any]:
    refuse_invalid(validate(call.body, _RULES))
    if _find(call, call.body["key"]) is not None:
        refuse(409, "Environment variable already exists. Use PATCH request to update it.")
    return 201, _show(_insert(call, call.body), call, drop=_BRIEF)


@route("PATCH", "/databases/{uuid}/envs", "write", body=True)
async def update_variable(call: Call) -> tuple[int, Any]:
    refuse_invalid(validate(call.body, _RULES))
    row = _find(call, call.body["key"])
    if row is None:
        refuse(404, "Environment variable not found.")
    return 201, _show(call.state.update(row, **call.body), call)


@route("PATCH", "/databases/{uuid}/envs/bulk", "write", body=True)
async def update_variables(call: Call) -> tuple[int, Any]:
    if not call.body.get("data"):
        refuse(400, "Bulk data is required.")
    written = []
    for item in call.body["data"]:
        known = {name: value for name, value in item.items() if name in _RULES}
        refuse_invalid(validate(known, _RULES))
        row = _find(call, known["key"])
        if row is None:
            written.append(_show(_insert(call, known), call, drop=_BRIEF))
        else:
            written.append(_show(call.state.update(row, **known), call))
    return 201, written


@route("DELETE", "/databases/{uuid}/envs/{variable}", "write")
async def delete_variable(call: Call) -> tuple[int, Any]:
    row = next((one for one in _of(call) if one.uuid == call.path["variable"]), None)
    if row is None:
        refuse(404, "Environment variable not found.")
    call.state.delete(row)
    return 200, {"message": "Environment variable deleted."}


def _insert(call: Call, fields: dict[str, Any]) -> Row:
    attributes = {
        "database_uuid": find_database(call).uuid,
        "comment": fields.get("comment"),
        "is_buildpack_control": False,
        "is_buildtime": True,
        "is_coolify": False,
        **{name: bool(fields.get(name)) for name in _FLAGS},
        "is_preview": False,
        "is_really_required": False,
        "is_required": False,
        "is_runtime": True,
        "is_shared": False,
        "key": fields["key"],
        "order": None,
        "value": fields.get("value"),
        "version": call.state.settings.version,
    }
    return call.state.insert("database_variable", attributes, uuid=new_uuid())


def _of(call: Call) -> list[Row]:
    return call.state.all("database_variable", database_uuid=find_database(call).uuid)


def _find(call: Call, key: str) -> Row | None:
    return next((row for row in _of(call) if row["key"] == key), None)


def _show(row: Row, call: Call, *, drop: frozenset[str] = frozenset()) -> dict[str, Any]:
    hidden = drop | {"database_uuid"} | (frozenset() if call.sees_secrets else frozenset({"value", "real_value"}))
    return present(row, call, drop=hidden, uuid=row.uuid, real_value=row["value"] or "")
