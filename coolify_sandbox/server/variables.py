"""Environment variables of applications (reference 2.4): preview twins, resetting PATCH, bulk."""

from __future__ import annotations

from typing import Any, Final

from coolify_sandbox.server.http import Call, Refusal, present, refuse, route
from coolify_sandbox.server.state import Row, State, new_uuid
from coolify_sandbox.server.validation import (
    REQUIRED,
    Rule,
    boolean,
    longest,
    matches,
    refuse_invalid,
    text,
    validate,
)

__all__ = ["add_variable"]

_RULES: Final[dict[str, tuple[Rule, ...]]] = {
    "key": (text, longest(255), matches(r"^[A-Za-z_][A-Za-z0-9_.]*$")),
    "value": (text,),
    **dict.fromkeys(
        ("is_preview", "is_literal", "is_multiline", "is_shown_once", "is_runtime", "is_buildtime"), (boolean,)
    ),
    "comment": (text, longest(256)),
}
_RESET: Final = ("is_literal", "is_multiline", "is_shown_once")
_KEPT: Final = ("is_runtime", "is_buildtime", "comment")
_BRIEF: Final = frozenset({"is_required", "order"})


@route("GET", "/applications/{uuid}/envs", "read")
async def list_variables(call: Call) -> tuple[int, Any]:
    rows = _of(call.state, _application(call))
    # The preview copies come after all production variables.
    return 200, [_show(row, call) for row in sorted(rows, key=lambda row: (row["is_preview"], row.id))]


@route("POST", "/applications/{uuid}/envs", "write", body=True)
async def create_variable(call: Call) -> tuple[int, Any]:
    application = _application(call)
    _validate(call.body)
    preview = bool(call.body.get("is_preview"))
    if _find(call.state, application, call.body["key"], preview=preview):
        refuse(409, "Environment variable already exists. Use PATCH request to update it.")
    row = add_variable(call.state, application, call.body, twin=not preview)
    return 201, {"uuid": row.uuid}


@route("PATCH", "/applications/{uuid}/envs", "write", body=True)
async def update_variable(call: Call) -> tuple[int, Any]:
    application = _application(call)
    _validate(call.body)
    row = _find(call.state, application, call.body["key"], preview=bool(call.body.get("is_preview")))
    if row is None:
        refuse(404, "Environment variable not found.")
    for name in ("is_multiline", "is_shown_once"):
        if row[name] and name not in call.body:
            # Left out, it becomes null in a column that forbids it (trap 11).
            raise Refusal(500, {"message": "Server Error"})
    return 201, _show(_overwrite(call.state, row, call.body), call)


@route("PATCH", "/applications/{uuid}/envs/bulk", "write", body=True)
async def update_variables(call: Call) -> tuple[int, Any]:
    application = _application(call)
    if not call.body.get("data"):
        refuse(400, "Bulk data is required.")
    written = []
    # What exists is looked up once: a key that comes twice in the request is stored twice.
    existing = {(row["key"], row["is_preview"]): row for row in _of(call.state, application)}
    for item in call.body["data"]:
        # Unknown fields are dropped here, and what was written stays when a later item fails.
        known = {name: value for name, value in item.items() if name in _RULES}
        _validate(known)
        preview = bool(known.get("is_preview"))
        row = existing.get((known["key"], preview))
        if row is None:
            row = add_variable(call.state, application, known, twin=not preview)
            written.append(_show(row, call, drop=_BRIEF))
        else:
            written.append(_show(_overwrite(call.state, row, known), call))
    return 201, written


@route("DELETE", "/applications/{uuid}/envs/{variable}", "write")
async def delete_variable(call: Call) -> tuple[int, Any]:
    application = _application(call)
    row = call.state.by_uuid("variable", call.path["variable"])
    if row is None or row["application_id"] != application.id:
        refuse(404, "Environment variable not found.")
    call.state.delete(row)
    return 200, {"message": "Environment variable deleted."}


def add_variable(state: State, application: Row, fields: dict[str, Any], *, twin: bool) -> Row:
    """Store a new variable; a production one brings a preview copy along (trap 10)."""
    value = fields.get("value")
    attributes = {
        "application_id": application.id,
        "comment": fields.get("comment"),
        "is_buildpack_control": str(fields["key"]).startswith(("NIXPACKS_", "RAILPACK_")),
        "is_buildtime": bool(fields.get("is_buildtime", True)),
        "is_coolify": False,
        "is_literal": bool(fields.get("is_literal")),
        "is_multiline": bool(fields.get("is_multiline")),
        "is_preview": bool(fields.get("is_preview")),
        "is_really_required": False,
        "is_required": False,
        "is_runtime": bool(fields.get("is_runtime", True)),
        "is_shared": False,
        "is_shown_once": bool(fields.get("is_shown_once")),
        "key": fields["key"],
        "order": None,
        "value": value,
        "version": state.settings.version,
    }
    row = state.insert("variable", attributes, uuid=new_uuid())
    if twin and _find(state, application, fields["key"], preview=True) is None:
        state.insert("variable", attributes | {"is_preview": True, "is_shown_once": False}, uuid=new_uuid())
    return row


def _overwrite(state: State, row: Row, fields: dict[str, Any]) -> Row:
    changes: dict[str, Any] = {"value": fields.get("value")}
    changes |= {name: bool(fields.get(name)) for name in _RESET}
    changes |= {name: fields[name] for name in _KEPT if name in fields}
    return state.update(row, **changes)


def _validate(fields: dict[str, Any]) -> None:
    errors = validate(fields, _RULES)
    if fields.get("key") is None:
        errors["key"] = [REQUIRED]
    refuse_invalid(errors)


def _application(call: Call) -> Row:
    return call.find("application", call.path["uuid"], "Application", period=False)


def _of(state: State, application: Row) -> list[Row]:
    return state.all("variable", application_id=application.id)


def _find(state: State, application: Row, key: str, *, preview: bool) -> Row | None:
    return state.first("variable", application_id=application.id, key=key, is_preview=preview)


def _show(row: Row, call: Call, *, drop: frozenset[str] = frozenset()) -> dict[str, Any]:
    hidden = drop | {"application_id"}
    if row["is_shown_once"]:
        hidden |= {"value", "real_value"}
    value = row["value"]
    quoted = f"'{value}'" if value and (row["is_literal"] or row["is_multiline"]) else value
    return present(row, call, drop=hidden, uuid=row.uuid, real_value=quoted if quoted is not None else "")
