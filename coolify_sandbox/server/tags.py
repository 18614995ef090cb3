"""Tags of applications (reference 2.3)."""

from __future__ import annotations

from typing import Any, Final

from coolify_sandbox.server.http import Call, refuse, route
from coolify_sandbox.server.state import Row, State, new_uuid
from coolify_sandbox.server.validation import Rule, refuse_invalid, required, text, validate

__all__ = ["ensure_tag"]


def _long_enough(name: str, value: Any) -> str | None:  # noqa: ANN401 - JSON
    return None if not isinstance(value, str) or len(value) >= 2 else f"The {name} field must be at least 2 characters."


_RULES: Final[dict[str, tuple[Rule, ...]]] = {"name": (required, text, _long_enough)}


@route("GET", "/tags", "read", since="4.2.0")
async def list_tags(call: Call) -> tuple[int, Any]:
    rows = sorted(call.state.all("tag", team_id=call.team_id), key=lambda row: str(row["name"]))
    return 200, [_show(row) for row in rows]


@route("POST", "/tags", "write", body=True, since="4.2.0")
async def create_tag(call: Call) -> tuple[int, Any]:
    refuse_invalid(validate(call.body, _RULES))
    if call.state.first("tag", team_id=call.team_id, name=call.body["name"].lower()):
        refuse(409, "Tag with this name already exists.")
    return 201, _show(ensure_tag(call.state, call.team_id, call.body["name"]))


@route("PATCH", "/tags/{uuid}", "write", body=True, since="4.2.0")
async def patch_tag(call: Call) -> tuple[int, Any]:
    refuse_invalid(validate(call.body, _RULES))
    row = call.find("tag", call.path["uuid"], "Tag")
    for application in call.state.all("application", team_id=call.team_id):
        renamed = [call.body["name"] if name == row["name"] else name for name in application["tags"]]
        call.state.update(application, tags=renamed)
    return 200, _show(call.state.update(row, name=call.body["name"]))


@route("DELETE", "/tags/{uuid}", "write", since="4.2.0")
async def delete_tag(call: Call) -> tuple[int, Any]:
    row = call.find("tag", call.path["uuid"], "Tag")
    for application in call.state.all("application", team_id=call.team_id):
        call.state.update(application, tags=[name for name in application["tags"] if name != row["name"]])
    call.state.delete(row)
    return 200, {"message": "Tag deleted."}


@route("GET", "/applications/{uuid}/tags", "read", since="4.2.0")
async def application_tags(call: Call) -> tuple[int, Any]:
    return 200, _of(call, call.find("application", call.path["uuid"], "Application"))


@route("POST", "/applications/{uuid}/tags", "write", body=True, since="4.2.0")
async def add_application_tags(call: Call) -> tuple[int, Any]:
    application = call.find("application", call.path["uuid"], "Application")
    names = call.body.get("tag_names") or [call.body.get("tag_name")]
    for name in names:
        refuse_invalid(validate({"name": name}, _RULES))
    tags = [ensure_tag(call.state, call.team_id, name)["name"] for name in names]
    return 201, _of(call, call.state.update(application, tags=list(dict.fromkeys([*application["tags"], *tags]))))


@route("DELETE", "/applications/{uuid}/tags/{tag}", "write", since="4.2.0")
async def remove_application_tag(call: Call) -> tuple[int, Any]:
    application = call.find("application", call.path["uuid"], "Application")
    row = call.find("tag", call.path["tag"], "Tag")
    call.state.update(application, tags=[name for name in application["tags"] if name != row["name"]])
    if not any(row["name"] in one["tags"] for one in call.state.all("application", team_id=call.team_id)):
        # A tag that nothing has any more goes with its last use.
        call.state.delete(row)
    return 200, {"message": "Tag removed."}


def ensure_tag(state: State, team_id: int, name: str) -> Row:
    """Return the team's tag with this name, stored if there is none."""
    found = state.first("tag", team_id=team_id, name=name.lower())
    return found or state.insert("tag", {"name": name.lower(), "team_id": team_id}, uuid=new_uuid())


def _of(call: Call, application: Row) -> list[dict[str, Any]]:
    return [_show(ensure_tag(call.state, call.team_id, name)) for name in application["tags"]]


def _show(row: Row) -> dict[str, Any]:
    stamps = {name: row[name] for name in ("created_at", "updated_at")}
    return {"uuid": row.uuid, "name": row["name"]} | stamps
