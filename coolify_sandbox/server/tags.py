"""Tags of applications, databases and services (reference 2.3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from coolify_sandbox.server.http import Call, refuse, route
from coolify_sandbox.server.resources import resources_of
from coolify_sandbox.server.state import Row, State, new_uuid
from coolify_sandbox.server.validation import Rule, refuse_invalid, required, text, validate

__all__ = ["ensure_tag", "register_tags"]


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
    for resource in resources_of(call.state, call.team_id):
        renamed = [call.body["name"] if name == row["name"] else name for name in resource.get("tags", [])]
        call.state.update(resource, tags=renamed)
    return 200, _show(call.state.update(row, name=call.body["name"]))


@route("DELETE", "/tags/{uuid}", "write", since="4.2.0")
async def delete_tag(call: Call) -> tuple[int, Any]:
    row = call.find("tag", call.path["uuid"], "Tag")
    for resource in resources_of(call.state, call.team_id):
        call.state.update(resource, tags=[name for name in resource.get("tags", []) if name != row["name"]])
    call.state.delete(row)
    return 200, {"message": "Tag deleted."}


def register_tags(group: str, owner: Callable[[Call], Row]) -> None:
    """Register the endpoints below `/{group}/{uuid}/tags`.

    Args:
        group: Segment of the path.
        owner: Finds the team's object that the path names, or answers 404.
    """
    path = f"/{group}/{{uuid}}/tags"

    @route("GET", path, "read", since="4.2.0")
    async def list_own_tags(call: Call) -> tuple[int, Any]:
        return 200, _of(call, owner(call))

    @route("POST", path, "write", body=True, since="4.2.0")
    async def add_tags(call: Call) -> tuple[int, Any]:
        row = owner(call)
        names = _wanted(call)
        tags = [ensure_tag(call.state, call.team_id, name)["name"] for name in names]
        return 201, _of(call, call.state.update(row, tags=list(dict.fromkeys([*row.get("tags", []), *tags]))))

    @route("DELETE", f"{path}/{{tag}}", "write", since="4.2.0")
    async def remove_tag(call: Call) -> tuple[int, Any]:
        row = owner(call)
        tag = call.find("tag", call.path["tag"], "Tag")
        if tag["name"] not in row.get("tags", []):
            refuse(404, "Tag not found on resource.")
        call.state.update(row, tags=[name for name in row["tags"] if name != tag["name"]])
        if not any(tag["name"] in one.get("tags", []) for one in resources_of(call.state, call.team_id)):
            # A tag that nothing has any more goes with its last use.
            call.state.delete(tag)
        return 200, {"message": "Tag removed."}


def _wanted(call: Call) -> list[str]:
    if "tag_name" in call.body and "tag_names" in call.body:
        refuse_invalid({"tag_name": ["Provide either tag_name or tag_names, not both."]})
    names = call.body.get("tag_names") or [call.body.get("tag_name")]
    for name in names:
        refuse_invalid(validate({"name": name}, _RULES))
    return [str(name) for name in names]


def _find_application(call: Call) -> Row:
    return call.find("application", call.path["uuid"], "Application")


def ensure_tag(state: State, team_id: int, name: str) -> Row:
    """Return the team's tag with this name, stored if there is none."""
    found = state.first("tag", team_id=team_id, name=name.lower())
    return found or state.insert("tag", {"name": name.lower(), "team_id": team_id}, uuid=new_uuid())


def _of(call: Call, row: Row) -> list[dict[str, Any]]:
    return [_show(ensure_tag(call.state, call.team_id, name)) for name in row.get("tags", [])]


def _show(row: Row) -> dict[str, Any]:
    stamps = {name: row[name] for name in ("created_at", "updated_at")}
    return {"uuid": row.uuid, "name": row["name"]} | stamps


register_tags("applications", _find_application)
