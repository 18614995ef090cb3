"""Environment variables of databases and services (reference 5.1): like those of applications, without previews."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from coolify_sandbox.server.http import Call, present, refuse, route
from coolify_sandbox.server.state import Row, State, new_uuid
from coolify_sandbox.server.validation import Rule, boolean, matches, refuse_invalid, required, text, validate

__all__ = ["add_plain_variable", "register_variables"]

_RULES: Final[dict[str, tuple[Rule, ...]]] = {
    "key": (required, text, matches(r"^[A-Za-z_][A-Za-z0-9_.]*$")),
    "value": (text,),
    **dict.fromkeys(("is_literal", "is_multiline", "is_shown_once"), (boolean,)),
    "comment": (text,),
}
_FLAGS: Final = ("is_literal", "is_multiline", "is_shown_once")
_BRIEF: Final = frozenset({"is_preview", "is_required", "order"})
"""What the answer to a creation does not know yet."""

FindOwner = Callable[[Call], Row]


def register_variables(group: str, owner: FindOwner, *, bulk_is_brief: bool) -> None:
    """Register the endpoints below `/{group}/{uuid}/envs`.

    Args:
        group: Segment of the path.
        owner: Finds the team's object that the path names, or answers 404.
        bulk_is_brief: Whether the answer to a bulk creation has only the flags that were sent.
    """
    path = f"/{group}/{{uuid}}/envs"

    @route("GET", path, "read")
    async def list_variables(call: Call) -> tuple[int, Any]:
        return 200, [_show(row, call) for row in _of(call, owner)]

    @route("POST", path, "write", body=True)
    async def create_variable(call: Call) -> tuple[int, Any]:
        refuse_invalid(validate(call.body, _RULES))
        if _find(call, owner, call.body["key"]) is not None:
            refuse(409, "Environment variable already exists. Use PATCH request to update it.")
        return 201, _show(add_plain_variable(call.state, owner(call), call.body), call, drop=_BRIEF)

    @route("PATCH", path, "write", body=True)
    async def update_variable(call: Call) -> tuple[int, Any]:
        refuse_invalid(validate(call.body, _RULES))
        row = _find(call, owner, call.body["key"])
        if row is None:
            refuse(404, "Environment variable not found.")
        return 201, _show(call.state.update(row, **call.body), call)

    @route("PATCH", f"{path}/bulk", "write", body=True)
    async def update_variables(call: Call) -> tuple[int, Any]:
        if not call.body.get("data"):
            refuse(400, "Bulk data is required.")
        written = []
        for item in call.body["data"]:
            known = {name: value for name, value in item.items() if name in _RULES}
            refuse_invalid(validate(known, _RULES))
            row = _find(call, owner, known["key"])
            if row is None:
                unsent = frozenset({*_FLAGS, "comment"}) - known.keys() if bulk_is_brief else frozenset()
                added = add_plain_variable(call.state, owner(call), known)
                written.append(_show(added, call, drop=_BRIEF | unsent))
            else:
                written.append(_show(call.state.update(row, **known), call))
        return 201, written

    @route("DELETE", f"{path}/{{variable}}", "write")
    async def delete_variable(call: Call) -> tuple[int, Any]:
        row = next((one for one in _of(call, owner) if one.uuid == call.path["variable"]), None)
        if row is None:
            refuse(404, "Environment variable not found.")
        call.state.delete(row)
        return 200, {"message": "Environment variable deleted."}


def add_plain_variable(state: State, owner: Row, fields: dict[str, Any], *, by_coolify: bool = False) -> Row:
    """Store a variable of a database or a service."""
    attributes = {
        "owner_uuid": owner.uuid,
        "comment": fields.get("comment"),
        "is_buildpack_control": False,
        "is_buildtime": True,
        "is_coolify": by_coolify,
        **{name: bool(fields.get(name)) for name in _FLAGS},
        "is_preview": False,
        "is_really_required": False,
        "is_required": False,
        "is_runtime": True,
        "is_shared": False,
        "key": fields["key"],
        "order": None,
        "value": fields.get("value"),
        "version": state.settings.version,
    }
    return state.insert("plain_variable", attributes, uuid=new_uuid())


def _of(call: Call, owner: FindOwner) -> list[Row]:
    return call.state.all("plain_variable", owner_uuid=owner(call).uuid)


def _find(call: Call, owner: FindOwner, key: str) -> Row | None:
    return next((row for row in _of(call, owner) if row["key"] == key), None)


def _show(row: Row, call: Call, *, drop: frozenset[str] = frozenset()) -> dict[str, Any]:
    hidden = drop | {"owner_uuid"} | (frozenset() if call.sees_secrets else frozenset({"value", "real_value"}))
    return present(row, call, drop=hidden, uuid=row.uuid, real_value=row["value"] or "")
