"""Projects and environments (reference 1.1)."""

from __future__ import annotations

from typing import Any, Final

from coolify_sandbox.server.http import Call, not_found, present, refuse, route
from coolify_sandbox.server.resources import has_resources
from coolify_sandbox.server.state import Row, new_uuid
from coolify_sandbox.server.validation import Rule, description, refuse_invalid, required, text, validate

__all__ = ["environment_of", "find_environment", "project_of"]

_NAME: Final = (
    "The name may only contain letters (including Unicode), numbers, spaces, and these characters: "
    "- _ . / @ & ( ) # , : +"
)


def _name(_: str, value: Any) -> str | None:  # noqa: ANN401 - JSON
    # Laravel's `regex` takes numbers for text, and nothing else.
    written = str(value) if isinstance(value, int | float) else value
    fine = isinstance(written, str) and all(one.isalnum() or one in " -_./@&()#,:+" for one in written)
    return None if fine else _NAME


def _length(_: str, value: Any) -> str | None:  # noqa: ANN401 - JSON
    if isinstance(value, str) and len(value) > 255:
        return "The name may not be greater than 255 characters."
    size = value if isinstance(value, int | float) else len(value) if isinstance(value, str) else 0
    return None if size >= 3 else "The name must be at least 3 characters."


_SHOWN_DATABASES: Final = {
    "mariadbs": "mariadb",
    "mongodbs": "mongodb",
    "mysqls": "mysql",
    "postgresqls": "postgresql",
    "redis": "redis",
}
"""Engines that an environment tells; the other three are missing in the original too (reference 1.2)."""
_NAMED: Final[dict[str, tuple[Rule, ...]]] = {"name": (text, _length, _name), "description": (text, description)}


@route("GET", "/projects", "read")
async def list_projects(call: Call) -> tuple[int, Any]:
    rows = call.state.all("project", team_id=call.team_id)
    return 200, [{"id": row.id, "uuid": row.uuid, "name": row["name"], "description": _text(row)} for row in rows]


@route("POST", "/projects", "write", body=True)
async def create_project(call: Call) -> tuple[int, Any]:
    refuse_invalid(validate(call.body, _NAMED | {"name": (required, *_NAMED["name"])}))
    icon = dict.fromkeys(("icon_path", "icon_s3_storage_id", "icon_storage_type"))
    fields = {"name": call.body["name"], "description": call.body.get("description"), "team_id": call.team_id} | icon
    project = call.state.insert("project", fields, uuid=new_uuid())
    _add_environment(call, project, "production")
    return 201, {"uuid": project.uuid}


@route("GET", "/projects/{uuid}", "read")
async def get_project(call: Call) -> tuple[int, Any]:
    project = call.find("project", call.path["uuid"], "Project")
    environments = [_environment(row, call) for row in call.state.all("environment", project_id=project.id)]
    more = {"description": _text(project), "team_id": project["team_id"], "environments": environments}
    return 200, present(project, call, id=project.id, uuid=project.uuid, **more)


@route("PATCH", "/projects/{uuid}", "write", body=True)
async def patch_project(call: Call) -> tuple[int, Any]:
    refuse_invalid(validate(call.body, _NAMED))
    project = call.state.update(call.find("project", call.path["uuid"], "Project"), **call.body)
    return 201, {"uuid": project.uuid, "name": project["name"], "description": _text(project)}


@route("DELETE", "/projects/{uuid}", "write")
async def delete_project(call: Call) -> tuple[int, Any]:
    project = call.find("project", call.path["uuid"], "Project")
    environments = call.state.all("environment", project_id=project.id)
    if any(has_resources(call.state, environment_id=one.id) for one in environments):
        refuse(400, "Project has resources, so it cannot be deleted.")
    for row in (*environments, project):
        call.state.delete(row)
    return 200, {"message": "Project deleted."}


@route("GET", "/projects/{uuid}/environments", "read")
async def list_environments(call: Call) -> tuple[int, Any]:
    project = call.find("project", call.path["uuid"], "Project")
    rows = call.state.all("environment", project_id=project.id)
    return 200, [{"id": row.id, "uuid": row.uuid, "name": row["name"]} for row in rows]


@route("POST", "/projects/{uuid}/environments", "write", body=True)
async def create_environment(call: Call) -> tuple[int, Any]:
    refuse_invalid(validate(call.body, {"name": (required, *_NAMED["name"])}))
    project = call.find("project", call.path["uuid"], "Project")
    if call.state.first("environment", project_id=project.id, name=call.body["name"]):
        refuse(409, "Environment with this name already exists.")
    return 201, {"uuid": _add_environment(call, project, call.body["name"]).uuid}


@route("GET", "/projects/{uuid}/{environment}", "read")
async def get_environment(call: Call) -> tuple[int, Any]:
    project = call.find("project", call.path["uuid"], "Project")
    row = find_environment(call, project, call.path["environment"])
    # The other way round these modules need this one.
    from coolify_sandbox.server.applications import show_application
    from coolify_sandbox.server.databases import list_all
    from coolify_sandbox.server.services import service_resources

    def here(resources: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [one for one in resources if one["environment_id"] == row.id]

    applications = [
        show_application(one, call, brief=True) for one in call.state.all("application", environment_id=row.id)
    ]
    databases = {name: here(list_all(call, engine)) for name, engine in _SHOWN_DATABASES.items()}
    services = here(service_resources(call))
    shown = present(row, call, id=row.id, uuid=row.uuid, applications=applications, services=services)
    return 200, shown | databases


@route("PATCH", "/projects/{uuid}/environments/{environment}", "write", body=True, since="4.3.0")
async def patch_environment(call: Call) -> tuple[int, Any]:
    refuse_invalid(validate(call.body, _NAMED))
    project = call.find("project", call.path["uuid"], "Project")
    row = find_environment(call, project, call.path["environment"])
    namesake = call.state.first("environment", project_id=project.id, name=call.body.get("name"))
    if namesake is not None and namesake.id != row.id:
        refuse(409, "Environment with this name already exists.")
    row = call.state.update(row, **call.body)
    return 200, {"uuid": row.uuid, "name": row["name"], "description": row["description"]}


@route("DELETE", "/projects/{uuid}/environments/{environment}", "write")
async def delete_environment(call: Call) -> tuple[int, Any]:
    project = call.find("project", call.path["uuid"], "Project")
    row = find_environment(call, project, call.path["environment"])
    if has_resources(call.state, environment_id=row.id):
        refuse(400, "Environment has resources, so it cannot be deleted.")
    call.state.delete(row)
    return 200, {"message": "Environment deleted."}


def find_environment(call: Call, project: Row, name_or_uuid: str) -> Row:
    """Return an environment; its name wins over a UUID."""
    rows = call.state.all("environment", project_id=project.id)
    fitting = [row for row in rows if row["name"] == name_or_uuid] or [row for row in rows if row.uuid == name_or_uuid]
    if not fitting:
        not_found("Environment")
    return fitting[0]


def environment_of(call: Call, row: Row) -> Row:
    """Return the environment of an application."""
    environment = call.state.by_id("environment", row["environment_id"])
    assert environment is not None, "an environment with applications is never deleted"  # noqa: S101 - invariant
    return environment


def project_of(call: Call, environment: Row) -> Row:
    """Return the project of an environment."""
    project = call.state.by_id("project", environment["project_id"])
    assert project is not None, "a project with applications is never deleted"  # noqa: S101 - invariant
    return project


def _add_environment(call: Call, project: Row, name: str) -> Row:
    fields = {"name": name, "description": None, "project_id": project.id}
    return call.state.insert("environment", fields, uuid=new_uuid())


def _text(project: Row) -> str:
    """Return the description; Coolify shows none as an empty one."""
    return project["description"] or ""


def _environment(row: Row, call: Call) -> dict[str, Any]:
    return present(row, call, id=row.id, uuid=row.uuid)
