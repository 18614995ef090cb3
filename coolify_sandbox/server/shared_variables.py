"""Variables shared by a team, a project, an environment or a server (reference 1.2)."""

from __future__ import annotations

from typing import Any, Final

from coolify_sandbox.server.http import Call, present, refuse, route
from coolify_sandbox.server.projects import find_environment
from coolify_sandbox.server.state import Row
from coolify_sandbox.server.validation import Rule, boolean, matches, refuse_invalid, required, text, validate

__all__: list[str] = []

_RULES: Final[dict[str, tuple[Rule, ...]]] = {
    "key": (required, text, matches(r"^[A-Za-z_][A-Za-z0-9_.]*$")),
    "value": (text,),
    **dict.fromkeys(("is_literal", "is_multiline", "is_shown_once"), (boolean,)),
    "comment": (text,),
}
_FLAGS: Final = ("is_literal", "is_multiline", "is_shown_once")

Owner = tuple[str, int]
"""Kind and number of what shares the variables."""


def _team(call: Call) -> Owner:
    return "team", call.team_id


def _project(call: Call) -> Owner:
    return "project", call.find("project", call.path["project"], "Project").id


def _environment(call: Call) -> Owner:
    project = call.find("project", call.path["project"], "Project")
    return "environment", find_environment(call, project, call.path["environment"]).id


def _server(call: Call) -> Owner:
    return "server", call.find("server", call.path["server"], "Server").id


_OWNERS: Final = (
    ("/team/envs", _team),
    ("/projects/{project}/envs", _project),
    ("/projects/{project}/environments/{environment}/envs", _environment),
    ("/servers/{server}/envs", _server),
)


def _list(call: Call, owner: Owner) -> tuple[int, Any]:
    return 200, [_show(row, call) for row in _of(call, owner)]


def _create(call: Call, owner: Owner) -> tuple[int, Any]:
    refuse_invalid(validate(call.body, _RULES))
    if any(row["key"] == call.body["key"] for row in _of(call, owner)):
        refuse(409, "Environment variable already exists. Use PATCH request to update it.")
    kind, owner_id = owner
    fields = {"key": call.body["key"], "value": call.body.get("value"), "comment": call.body.get("comment")}
    flags = {name: bool(call.body.get(name)) for name in _FLAGS}
    row = call.state.insert("shared_variable", fields | flags | {"type": kind, "owner_id": owner_id})
    return 201, {"id": row.id}


def _update(call: Call, owner: Owner) -> tuple[int, Any]:
    refuse_invalid(validate(call.body, _RULES | {"key": _RULES["key"][1:]}))
    return 200, _show(call.state.update(_named(call, owner), **call.body), call)


def _delete(call: Call, owner: Owner) -> tuple[int, Any]:
    call.state.delete(_named(call, owner))
    return 200, {"message": "Environment variable deleted."}


def _named(call: Call, owner: Owner) -> Row:
    fitting = [row for row in _of(call, owner) if str(row.id) == call.path["variable"]]
    if not fitting:
        refuse(404, "Environment variable not found.")
    return fitting[0]


def _of(call: Call, owner: Owner) -> list[Row]:
    kind, owner_id = owner
    return call.state.all("shared_variable", type=kind, owner_id=owner_id)


def _show(row: Row, call: Call) -> dict[str, Any]:
    hidden = frozenset({"owner_id"}) | (frozenset({"value"}) if row["is_shown_once"] else frozenset())
    return present(row, call, drop=hidden, id=row.id)


def _register() -> None:
    """One set of handlers for four kinds of owners."""
    for path, owner_of in _OWNERS:

        async def listed(call: Call, owner_of: Any = owner_of) -> tuple[int, Any]:  # noqa: ANN401 - bound early
            return _list(call, owner_of(call))

        async def created(call: Call, owner_of: Any = owner_of) -> tuple[int, Any]:  # noqa: ANN401 - bound early
            return _create(call, owner_of(call))

        async def updated(call: Call, owner_of: Any = owner_of) -> tuple[int, Any]:  # noqa: ANN401 - bound early
            return _update(call, owner_of(call))

        async def deleted(call: Call, owner_of: Any = owner_of) -> tuple[int, Any]:  # noqa: ANN401 - bound early
            return _delete(call, owner_of(call))

        route("GET", path, "read", since="4.3.0")(listed)
        route("POST", path, "write", body=True, since="4.3.0")(created)
        route("PATCH", path + "/{variable}", "write", body=True, since="4.3.0")(updated)
        route("DELETE", path + "/{variable}", "write", since="4.3.0")(deleted)


_register()
