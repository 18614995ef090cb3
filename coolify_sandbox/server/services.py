"""`/services`: one-click services and own compose files (reference 5.5). Their containers are not run here."""

from __future__ import annotations

import base64
from typing import Any, Final

from coolify_sandbox.server.applications import placement_details, placement_of, with_ids
from coolify_sandbox.server.compose import TEMPLATES, Part, deployed_compose, normalised_compose, parse_parts
from coolify_sandbox.server.http import Call, Refusal, present, refuse, route
from coolify_sandbox.server.plain_variables import add_plain_variable, register_variables
from coolify_sandbox.server.resources import model_of
from coolify_sandbox.server.servers import server_settings
from coolify_sandbox.server.state import Row, new_uuid
from coolify_sandbox.server.tags import ensure_tag, register_tags
from coolify_sandbox.server.validation import Rule, boolean, is_base64, refuse_invalid, text, validate

__all__ = ["find_service", "find_team_service", "list_services_of", "parts_of", "service_resources"]

_CHANGEABLE: Final[dict[str, tuple[Rule, ...]]] = {
    "name": (text,),
    "description": (text,),
    "docker_compose_raw": (text,),
    "urls": (),
    "instant_deploy": (boolean,),
    "force_domain_override": (boolean,),
    "connect_to_docker_network": (boolean,),
    "is_container_label_escape_enabled": (boolean,),
    "tags": (),
}
_CREATE: Final[dict[str, tuple[Rule, ...]]] = _CHANGEABLE | dict.fromkeys(
    ("type", "project_uuid", "server_uuid", "environment_name", "environment_uuid", "destination_uuid"), (text,)
)
_PART: Final[dict[str, Any]] = {
    "human_name": None,
    "description": None,
    "ports": "",
    "exposes": None,
    "status": "exited",
    "exclude_from_status": False,
    "is_log_drain_enabled": False,
    "is_include_timestamps": False,
    "deleted_at": None,
    "is_gzip_enabled": True,
    "is_stripprefix_enabled": True,
    "last_online_at": "2026-01-01 00:00:00",
    "is_migrated": False,
}
_APPLICATION_PART: Final[dict[str, Any]] = {
    "required_fqdn": False,
    "noindex_domains": None,
    "redirect": "both",
    "is_force_https_enabled": True,
}
_DATABASE_PART: Final[dict[str, Any]] = {
    "custom_type": None,
    "is_public": False,
    "public_port": None,
    "public_port_timeout": 3600,
}
_NEITHER: Final = {
    "type": ["The type field is required when docker compose raw is not present."],
    "docker_compose_raw": ["The docker compose raw field is required when type is not present."],
}
_BOTH: Final = "You cannot provide both service type and docker_compose_raw. Use one or the other."
_NOT_ENCODED: Final = "The docker_compose_raw should be base64 encoded."


@route("GET", "/services", "read")
async def list_services(call: Call) -> tuple[int, Any]:
    return 200, [_show(row, call, brief=True) for row in list_services_of(call)]


@route("GET", "/services/{uuid}", "read")
async def get_service(call: Call) -> tuple[int, Any]:
    return 200, _show(find_service(call), call)


@route("POST", "/services", "write", body=True)
async def create_service(call: Call) -> tuple[int, Any]:
    body = call.body
    refuse_invalid(validate(body, _CREATE))
    kind, raw = body.get("type"), body.get("docker_compose_raw")
    if kind and raw:
        refuse(422, _BOTH)
    if not kind and not raw:
        refuse_invalid(_NEITHER)
    if kind and kind not in TEMPLATES:
        refuse(404, "Invalid service type.", valid_service_types=sorted(TEMPLATES))
    environment, server, destination = placement_of(call)
    compose = TEMPLATES[kind] if kind else _decoded(str(raw))
    uuid = new_uuid()
    parts = _parts(compose, uuid, server)
    fields = {
        "name": body.get("name") or f"{kind or 'service'}-{uuid}",
        "description": body.get("description") or "",
        "service_type": kind,
        "docker_compose_raw": normalised_compose(compose),
        "compose_parsing_version": "5",
        "config_hash": None,
        "connect_to_docker_network": bool(body.get("connect_to_docker_network")),
        "deleted_at": None,
        "destination_id": destination.id,
        "destination_type": "App\\Models\\StandaloneDocker",
        "environment_id": environment.id,
        "is_container_label_escape_enabled": body.get("is_container_label_escape_enabled", True),
        "server_id": server.id,
        "status": "exited",
        "tags": [ensure_tag(call.state, call.team_id, name)["name"] for name in body.get("tags") or []],
        "team_id": call.team_id,
    }
    fields["docker_compose"] = deployed_compose(compose, uuid, parts, call.state.settings.version, fields["name"])
    row = call.state.insert("service", fields, uuid=uuid)
    for part in parts:
        _add_part(call, row, part)
    _rename(call, row)
    return 201, _told(call, row)


@route("PATCH", "/services/{uuid}", "write", body=True)
async def patch_service(call: Call) -> tuple[int, Any]:
    row = find_service(call)
    refuse_invalid(validate(call.body, _CHANGEABLE))
    changes = {name: value for name, value in call.body.items() if name in row.data and name != "tags"}
    if "docker_compose_raw" in changes:
        compose = _decoded(changes["docker_compose_raw"])
        server = call.state.by_id("server", row["server_id"])
        assert server is not None, "a server with services is never deleted"  # noqa: S101 - invariant
        parts = _parts(compose, str(row.uuid), server)
        name = str(changes.get("name", row["name"]))
        changes["docker_compose_raw"] = normalised_compose(compose)
        changes["docker_compose"] = deployed_compose(compose, str(row.uuid), parts, call.state.settings.version, name)
        _replace_parts(call, row, parts)
    call.state.update(row, **changes)
    _rename(call, row)
    return 200, _told(call, row)


@route("DELETE", "/services/{uuid}", "write")
async def delete_service(call: Call) -> tuple[int, Any]:
    row = find_service(call)
    for part in parts_of(call, row):
        call.state.delete(part)
    for variable in call.state.all("plain_variable", owner_uuid=row.uuid):
        call.state.delete(variable)
    await call.request.app.state.queue.delete_later(row)
    return 200, {"message": "Service deletion request queued."}


@route("POST", "/services/{uuid}/start", "deploy")
async def start_service(call: Call) -> tuple[int, Any]:
    if find_service(call)["status"].startswith("running"):
        refuse(400, "Service is already running.")
    return 200, {"message": "Service starting request queued."}


@route("POST", "/services/{uuid}/restart", "deploy")
async def restart_service(call: Call) -> tuple[int, Any]:
    find_service(call)
    return 200, {"message": "Service restarting request queued."}


@route("POST", "/services/{uuid}/stop", "deploy")
async def stop_service(call: Call) -> tuple[int, Any]:
    if find_service(call)["status"].startswith(("exited", "stopped")):
        refuse(400, "Service is already stopped.")
    return 200, {"message": "Service stopping request queued."}


@route("GET", "/services/{uuid}/logs", "read", since="4.2.0")
async def service_logs(call: Call) -> tuple[int, Any]:
    row = find_service(call)
    wanted = call.request.query_params.get("sub_service_name")
    if not wanted:
        refuse(400, "Sub service name is required.")
    if all(part["name"] != wanted for part in parts_of(call, row)):
        refuse(404, "Sub service not found.")
    refuse(400, "Sub service is not running.")


def list_services_of(call: Call) -> list[Row]:
    """Return the services of the team."""
    return call.state.all("service", team_id=call.team_id)


def find_service(call: Call) -> Row:
    """Return the team's service that the path names, or answer 404."""
    return call.find("service", call.path["uuid"], "Service")


def find_team_service(call: Call, uuid: str) -> Row | None:
    """Return the team's service with this UUID."""
    return next((row for row in list_services_of(call) if row.uuid == uuid), None)


def service_resources(call: Call) -> list[dict[str, Any]]:
    """Return the services of the team as the list of all resources shows them."""
    return [_show(row, call, brief=True) | {"id": row.id, "type": "service"} for row in list_services_of(call)]


def _decoded(raw: str) -> str:
    if not is_base64(raw):
        refuse_invalid({"docker_compose_raw": _NOT_ENCODED})
    return base64.b64decode(raw).decode(errors="replace")


def _parts(compose: str, uuid: str, server: Row) -> tuple[Part, ...]:
    wildcard = server["settings"].get("wildcard_domain") or f"http://{server['ip']}.sslip.io"
    try:
        return parse_parts(compose, uuid, wildcard)
    except ValueError as error:
        # Coolify's own parser raises, and nobody catches it.
        raise Refusal(500, {"message": "Server Error"}) from error


def _add_part(call: Call, service: Row, part: Part) -> None:
    kind = "service_database" if part.is_database else "service_application"
    own = _DATABASE_PART if part.is_database else _APPLICATION_PART | {"fqdn": part.fqdn}
    fields = _PART | own | {"name": part.name, "image": part.image, "service_id": service.id}
    row = call.state.insert(kind, fields, uuid=new_uuid())
    known = {one["key"] for one in call.state.all("plain_variable", owner_uuid=service.uuid)}
    for key, value in part.variables.items():
        if key not in known:
            add_plain_variable(call.state, service, {"key": key, "value": value}, by_coolify=True)
    for name, path in part.volumes.items():
        volume = {"name": f"{service.uuid}_{name}", "mount_path": path, "host_path": None, "container_id": None}
        owner = {"resource_type": model_of(row), "resource_id": row.id, "is_preview_suffix_enabled": True}
        call.state.insert("database_volume", volume | owner, uuid=new_uuid())


def _replace_parts(call: Call, service: Row, parts: tuple[Part, ...]) -> None:
    existing = {one["name"]: one for one in parts_of(call, service)}
    for part in parts:
        if part.name in existing:
            call.state.update(existing.pop(part.name), image=part.image)
        else:
            _add_part(call, service, part)
    for gone in existing.values():
        call.state.delete(gone)


def _rename(call: Call, service: Row) -> None:
    """Give the parts the addresses that the request asks for: `urls` names a part and its comma-separated URLs."""
    wanted = {one.get("name"): one.get("url") for one in call.body.get("urls") or [] if isinstance(one, dict)}
    for part in parts_of(call, service, "service_application"):
        if part["name"] in wanted:
            call.state.update(part, fqdn=wanted[part["name"]])


def parts_of(call: Call, service: Row, kind: str | None = None) -> list[Row]:
    """Return the containers of a service: applications first, or those of one kind."""
    kinds = (kind,) if kind else ("service_application", "service_database")
    return [row for one in kinds for row in call.state.all(one, service_id=service.id)]


def _told(call: Call, service: Row) -> dict[str, Any]:
    domains = [part["fqdn"] for part in parts_of(call, service, "service_application") if part["fqdn"]]
    return {"uuid": service.uuid, "domains": domains}


def _show(row: Row, call: Call, *, brief: bool = False) -> dict[str, Any]:
    details = placement_details(row, call, brief=brief)
    server = call.state.by_id("server", row["server_id"])
    assert server is not None, "a server with services is never deleted"  # noqa: S101 - invariant
    parts = {
        "applications": [with_ids(one) for one in parts_of(call, row, "service_application")],
        "databases": [with_ids(one) for one in parts_of(call, row, "service_database")],
    }
    # Here the server's settings come without what is hidden elsewhere, whatever the token may see.
    more: dict[str, Any] = {"server": with_ids(server) | {"settings": server_settings(server, sees_secrets=False)}}
    if brief:
        more["laravel_through_key"] = call.team_id
    drop = frozenset({"tags"})
    if not call.sees_secrets:
        drop |= {"docker_compose", "docker_compose_raw"}
    shown = present(row, call, drop=drop, uuid=row.uuid, **details, **parts, **more)
    if not brief and not call.sees_secrets:
        # The answer is cut down to what such a token may see, and this is cut with it.
        shown.pop("destination")
    return shown


register_variables("services", find_service, bulk_is_brief=True)
register_tags("services", find_service)
