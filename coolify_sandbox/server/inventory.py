"""Meta endpoints, teams, projects, environments, servers, destinations, keys."""

from __future__ import annotations

import base64
import hashlib
from typing import Any, Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_ssh_private_key,
)

from coolify_sandbox.server.http import Call, not_found, present, refuse, route, truthy
from coolify_sandbox.server.state import Row, new_uuid
from coolify_sandbox.server.validation import REQUIRED, Rule, refuse_invalid, text, validate

__all__ = ["environment_of", "find_environment", "project_of"]

_NAME: Final = (
    "The name may only contain letters (including Unicode), numbers, spaces, and these characters: "
    "- _ . / @ & ( ) # , : +"
)


def _name(_: str, value: Any) -> str | None:  # noqa: ANN401 - JSON
    fine = isinstance(value, str) and all(one.isalnum() or one in " -_./@&()#,:+" for one in value)
    return None if fine else _NAME


def _length(_: str, value: Any) -> str | None:  # noqa: ANN401 - JSON
    if isinstance(value, str) and len(value) > 255:
        return "The name may not be greater than 255 characters."
    return None if isinstance(value, str) and len(value) >= 3 else "The name must be at least 3 characters."


_NAMED: Final[dict[str, tuple[Rule, ...]]] = {"name": (text, _length, _name), "description": (text,)}


@route("GET", "/health", None)
async def health(_: Call) -> tuple[int, Any]:
    return 200, "OK"


@route("GET", "/version", "read")
async def version(call: Call) -> tuple[int, Any]:
    return 200, call.state.settings.version


@route("POST", "/enable", "write")
async def enable(call: Call) -> tuple[int, Any]:
    return _toggle(call, enabled=True)


@route("POST", "/disable", "write")
async def disable(call: Call) -> tuple[int, Any]:
    return _toggle(call, enabled=False)


def _toggle(call: Call, *, enabled: bool) -> tuple[int, Any]:
    verb = "enable" if enabled else "disable"
    if call.team_id != 0:
        refuse(403, f"You are not allowed to {verb} the API.")
    instance = call.state.by_id("instance", 0)
    if instance is not None:
        call.state.update(instance, is_api_enabled=enabled)
    return 200, {"message": f"API {verb}d."}


@route("GET", "/teams", "read")
async def teams(call: Call) -> tuple[int, Any]:
    return 200, [_team(call)]


@route("GET", "/teams/current", "read")
async def current_team(call: Call) -> tuple[int, Any]:
    return 200, _team(call)


@route("GET", "/team", "read", since="4.3.0")
async def team(call: Call) -> tuple[int, Any]:
    return 200, _team(call)


def _team(call: Call) -> dict[str, Any]:
    row = call.state.by_id("team", call.team_id)
    assert row is not None, "a token's team exists"  # noqa: S101 - kept by create_token's callers
    return present(row, call, id=row.id)


@route("GET", "/projects", "read")
async def list_projects(call: Call) -> tuple[int, Any]:
    rows = call.state.all("project", team_id=call.team_id)
    brief = frozenset({"created_at", "updated_at"})
    return 200, [present(row, call, drop=brief, id=row.id, uuid=row.uuid) for row in rows]


@route("POST", "/projects", "write", body=True)
async def create_project(call: Call) -> tuple[int, Any]:
    errors = validate(call.body, _NAMED)
    if "name" not in call.body:
        errors["name"] = [REQUIRED]
    refuse_invalid(errors)
    fields = {"name": call.body["name"], "description": call.body.get("description"), "team_id": call.team_id}
    project = call.state.insert("project", fields, uuid=new_uuid())
    _add_environment(call, project, "production")
    return 201, {"uuid": project.uuid}


@route("GET", "/projects/{uuid}", "read")
async def get_project(call: Call) -> tuple[int, Any]:
    project = call.find("project", call.path["uuid"], "Project")
    environments = [_environment(row, call) for row in call.state.all("environment", project_id=project.id)]
    return 200, present(project, call, id=project.id, uuid=project.uuid, environments=environments)


@route("PATCH", "/projects/{uuid}", "write", body=True)
async def patch_project(call: Call) -> tuple[int, Any]:
    refuse_invalid(validate(call.body, _NAMED))
    project = call.state.update(call.find("project", call.path["uuid"], "Project"), **call.body)
    return 201, {"uuid": project.uuid, "name": project["name"], "description": project["description"]}


@route("DELETE", "/projects/{uuid}", "write")
async def delete_project(call: Call) -> tuple[int, Any]:
    project = call.find("project", call.path["uuid"], "Project")
    environments = call.state.all("environment", project_id=project.id)
    if any(call.state.first("application", environment_id=one.id) for one in environments):
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
    errors = validate(call.body, {"name": _NAMED["name"]})
    if "name" not in call.body:
        errors["name"] = [REQUIRED]
    refuse_invalid(errors)
    project = call.find("project", call.path["uuid"], "Project")
    if call.state.first("environment", project_id=project.id, name=call.body["name"]):
        refuse(409, "Environment with this name already exists.")
    return 201, {"uuid": _add_environment(call, project, call.body["name"]).uuid}


@route("GET", "/projects/{uuid}/{environment}", "read")
async def get_environment(call: Call) -> tuple[int, Any]:
    project = call.find("project", call.path["uuid"], "Project")
    row = find_environment(call, project, call.path["environment"])
    from coolify_sandbox.server.applications import show_application

    applications = [
        show_application(one, call, nested=True) for one in call.state.all("application", environment_id=row.id)
    ]
    databases: dict[str, Any] = {name: [] for name in ("mariadbs", "mongodbs", "mysqls", "postgresqls", "redis")}
    shown = present(row, call, id=row.id, uuid=row.uuid, applications=applications, services=[])
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
    if call.state.first("application", environment_id=row.id):
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


def _environment(row: Row, call: Call) -> dict[str, Any]:
    return present(row, call, id=row.id, uuid=row.uuid)


@route("GET", "/servers", "read")
async def list_servers(call: Call) -> tuple[int, Any]:
    names = ("description", "name", "ip", "is_coolify_host", "port", "user")
    return 200, [
        {"uuid": row.uuid}
        | {name: row[name] for name in names}
        | {"is_reachable": row["settings"]["is_reachable"], "is_usable": row["settings"]["is_usable"]}
        | {"proxy": {"redirect_enabled": True}, "settings": _server_settings(row)}
        for row in call.state.all("server", team_id=call.team_id)
    ]


@route("GET", "/servers/{uuid}", "read")
async def get_server(call: Call) -> tuple[int, Any]:
    row = call.find("server", call.path["uuid"], "Server")
    if truthy(call.parameter("resources")):
        return 200, {"uuid": row.uuid, "resources": _server_resources(call, row)}
    return 200, present(row, call, uuid=row.uuid, team_id=row["team_id"], settings=_server_settings(row))


@route("GET", "/servers/{uuid}/resources", "read")
async def server_resources(call: Call) -> tuple[int, Any]:
    return 200, _server_resources(call, call.find("server", call.path["uuid"], "Server"))


@route("POST", "/servers/{uuid}/validate", "write")
async def validate_server(call: Call) -> tuple[int, Any]:
    call.find("server", call.path["uuid"], "Server")
    return 201, {"message": "Validation started."}


@route("GET", "/servers/{uuid}/destinations", "read", since="4.2.0")
async def server_destinations(call: Call) -> tuple[int, Any]:
    server = call.find("server", call.path["uuid"], "Server")
    return 200, [_destination(row, server) for row in call.state.all("destination", server_id=server.id)]


@route("GET", "/destinations", "read", since="4.2.0")
async def list_destinations(call: Call) -> tuple[int, Any]:
    servers = {row.id: row for row in call.state.all("server", team_id=call.team_id)}
    rows = call.state.all("destination", team_id=call.team_id)
    return 200, [_destination(row, servers[row["server_id"]]) for row in rows]


def _destination(row: Row, server: Row) -> dict[str, Any]:
    return {
        "uuid": row.uuid,
        "name": row["name"],
        "network": row["network"],
        "type": "standalone",
        "server_uuid": server.uuid,
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
    }


def _server_settings(row: Row) -> dict[str, Any]:
    return {"id": row.id + 1, **row["settings"], "server_id": row.id, "created_at": row["created_at"]}


def _server_resources(call: Call, server: Row) -> list[dict[str, Any]]:
    return [
        {
            "id": row.id,
            "uuid": row.uuid,
            "name": row["name"],
            "type": "application",
            "status": row["status"],
            "created_at": row["created_at"],
            "updated_at": row["updated_at"],
        }
        for row in call.state.all("application", server_id=server.id)
    ]


@route("GET", "/security/keys", "read")
async def list_keys(call: Call) -> tuple[int, Any]:
    rows = call.state.all("key", team_id=call.team_id)
    return 200, [present(row, call, id=row.id, uuid=row.uuid, team_id=row["team_id"]) for row in rows]


@route("GET", "/security/keys/{uuid}", "read")
async def get_key(call: Call) -> tuple[int, Any]:
    row = call.find("key", call.path["uuid"], "Private Key")
    return 200, present(row, call, id=row.id, uuid=row.uuid, team_id=row["team_id"])


@route("POST", "/security/keys", "write", body=True)
async def create_key(call: Call) -> tuple[int, Any]:
    errors = validate(call.body, {"name": (text,), "description": (text,), "private_key": (text,)})
    if call.body.get("private_key") is None:
        errors["private_key"] = [REQUIRED]
    refuse_invalid(errors)
    private, public = _read_key(call.body["private_key"])
    fingerprint = base64.b64encode(hashlib.sha256(base64.b64decode(public.split()[1])).digest()).decode().rstrip("=")
    if call.state.first("key", fingerprint=fingerprint):
        refuse(422, "Private key already exists.")
    fields = {
        "name": call.body.get("name") or f"key-{new_uuid()[:8]}",
        "description": call.body.get("description") or "Created by Coolify via API",
        "team_id": call.team_id,
        "fingerprint": fingerprint,
        "is_git_related": False,
        "private_key": private,
        "public_key": public,
    }
    return 201, {"uuid": call.state.insert("key", fields, uuid=new_uuid()).uuid}


@route("DELETE", "/security/keys/{uuid}", "write")
async def delete_key(call: Call) -> tuple[int, Any]:
    row = call.find("key", call.path["uuid"], "Private Key")
    used = call.state.first("application", private_key_id=row.id) or call.state.first("server", private_key_id=row.id)
    if used:
        details = "This private key is currently being used by servers, applications, or Git integrations."
        refuse(422, "Private Key is in use and cannot be deleted.", details=details)
    call.state.delete(row)
    return 200, {"message": "Private Key deleted."}


def _read_key(private_key: str) -> tuple[str, str]:
    """Return PEM and OpenSSH public key; base64 of PEM is accepted too."""
    pem = private_key
    if not pem.startswith("-----"):
        try:
            pem = base64.b64decode(pem, validate=True).decode()
        except ValueError:
            refuse(422, "Invalid private key.")
    raw = (pem.strip() + "\n").encode()
    try:
        key = load_ssh_private_key(raw, None) if b"OPENSSH" in raw else load_pem_private_key(raw, None)
        public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        refuse(422, "Invalid private key.")
    return pem, public.decode()
