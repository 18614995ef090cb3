"""Moving to another environment and cloning, of applications, databases and services (reference 2.3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from coolify_sandbox.server.databases import find_database
from coolify_sandbox.server.domains import default_domain
from coolify_sandbox.server.http import Call, not_found, route
from coolify_sandbox.server.labels import generated_labels
from coolify_sandbox.server.projects import project_of
from coolify_sandbox.server.resources import model_of
from coolify_sandbox.server.services import find_service
from coolify_sandbox.server.state import Row, State, new_uuid
from coolify_sandbox.server.validation import Rule, boolean, refuse_invalid, required, text, validate

__all__: list[str] = []

_MOVE: Final[dict[str, tuple[Rule, ...]]] = {"environment_uuid": (required, text)}
_CLONE: Final[dict[str, tuple[Rule, ...]]] = {
    "destination_uuid": (required, text),
    "name": (text,),
    "clone_volumes": (boolean,),
}


def _find_application(call: Call) -> Row:
    return call.find("application", call.path["uuid"], "Application")


_GROUPS: Final[dict[str, tuple[str, Callable[[Call], Row]]]] = {
    "applications": ("Application", _find_application),
    "databases": ("Database", find_database),
    "services": ("Service", find_service),
}


def _move(call: Call, what: str, find: Callable[[Call], Row]) -> tuple[int, Any]:
    row = find(call)
    refuse_invalid(validate(call.body, _MOVE))
    environment = call.state.by_uuid("environment", str(call.body["environment_uuid"]))
    project = project_of(call, environment) if environment is not None else None
    if environment is None or project is None or project["team_id"] != call.team_id:
        not_found("Environment")
    call.state.update(row, environment_id=environment.id)
    place = {"project_uuid": project.uuid, "environment_uuid": environment.uuid}
    return 200, {"message": f"{what} moved successfully.", "uuid": row.uuid} | place


def _clone(call: Call, what: str, find: Callable[[Call], Row]) -> tuple[int, Any]:
    row = find(call)
    refuse_invalid(validate(call.body, _CLONE))
    destination = call.state.by_uuid("destination", str(call.body["destination_uuid"]))
    if destination is None or destination["team_id"] != call.team_id:
        not_found("Destination")
    uuid = new_uuid()
    changes: dict[str, Any] = {
        "name": call.body.get("name") or f"clone-of-{row['name']}-{uuid}",
        "destination_id": destination.id,
        "server_id": destination["server_id"],
        "status": "exited" if what == "Service" else "exited:unhealthy",
    }
    data = {name: value for name, value in row.data.items() if name not in {"created_at", "updated_at"}} | changes
    if what == "Application":
        server = call.state.by_id("server", destination["server_id"])
        data["fqdn"] = default_domain(server, uuid) if server is not None else None
        data["custom_labels"] = generated_labels(uuid, data, data["settings"])
    copy = call.state.insert(row.kind, data, uuid=uuid)
    _copy_what_belongs(call.state, row, copy)
    return 201, {"uuid": uuid, "message": f"{what} cloned."}


def _copy_what_belongs(state: State, row: Row, copy: Row) -> None:
    """Copy variables, tasks and volumes; what volumes contain is not run here."""
    owners = [
        ("variable", "application_id", row.id, copy.id),
        ("plain_variable", "owner_uuid", row.uuid, copy.uuid),
        ("task", "owner_uuid", row.uuid, copy.uuid),
    ]
    for kind, name, old, new in owners:
        if name == "application_id" and row.kind != "application":
            continue
        for one in state.all(kind, **{name: old}):
            state.insert(kind, one.data | {name: new}, uuid=new_uuid())
    model = model_of(row)
    for kind in ("volume", "database_volume", "file"):
        for one in state.all(kind, resource_type=model, resource_id=row.id):
            data = {**one.data, "resource_id": copy.id}
            if "name" in data:
                data["name"] = str(data["name"]).replace(str(row.uuid), str(copy.uuid))
            state.insert(kind, data, uuid=new_uuid())
    for kind in ("service_application", "service_database"):
        for part in state.all(kind, service_id=row.id) if row.kind == "service" else ():
            state.insert(kind, part.data | {"service_id": copy.id}, uuid=new_uuid())


def _register() -> None:
    for group, (what, find) in _GROUPS.items():

        async def move(call: Call, what: str = what, find: Callable[[Call], Row] = find) -> tuple[int, Any]:
            return _move(call, what, find)

        async def clone(call: Call, what: str = what, find: Callable[[Call], Row] = find) -> tuple[int, Any]:
            return _clone(call, what, find)

        route("POST", f"/{group}/{{uuid}}/move", "write", body=True, since="4.2.0")(move)
        route("POST", f"/{group}/{{uuid}}/clone", "write", body=True, since="4.3.0")(clone)


_register()
