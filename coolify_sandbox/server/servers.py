"""Servers and their settings (reference 1.3)."""

from __future__ import annotations

import ipaddress
import re
from typing import Any, Final
from urllib.parse import urlsplit

from coolify_sandbox.server.domains import split_domains
from coolify_sandbox.server.fields import SENSITIVE, SERVER, SERVER_SETTINGS
from coolify_sandbox.server.frequency import is_frequency
from coolify_sandbox.server.http import Call, present, refuse, route, truthy
from coolify_sandbox.server.state import Row, State, new_uuid
from coolify_sandbox.server.validation import (
    Rule,
    at_least,
    at_most,
    boolean,
    description,
    integer,
    refuse_invalid,
    required,
    text,
    validate,
)

__all__ = ["add_server", "add_server_variables", "server_settings"]

_HOST: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")
_PROXIES: Final = ("traefik", "caddy", "none")


def _address(name: str, value: Any) -> str | None:  # noqa: ANN401 - JSON
    try:
        ipaddress.ip_address(str(value))
    except ValueError:
        if not _HOST.fullmatch(str(value)):
            return f"The {name} must be a valid IPv4 address, IPv6 address, or hostname."
    return None


def _frequency(_: str, value: Any) -> str | None:  # noqa: ANN401 - JSON
    return None if value is None or is_frequency(value) else "Invalid Cron / Human expression for Disk Usage Check."


_UPDATE: Final[dict[str, tuple[Rule, ...]]] = {
    "name": (text,),
    "description": (text, description),
    "ip": (text, _address),
    "port": (integer,),
    "user": (text,),
    "private_key_uuid": (text,),
    "is_build_server": (boolean,),
    "instant_validate": (boolean,),
    "proxy_type": (text,),
    "concurrent_builds": (integer,),
    "dynamic_timeout": (integer,),
    "deployment_queue_limit": (integer,),
    "connection_timeout": (integer, at_least(1), at_most(300)),
    "server_disk_usage_notification_threshold": (integer, at_least(1), at_most(100)),
    "server_disk_usage_check_frequency": (text, _frequency),
    "is_terminal_enabled": (boolean,),
}
_VALIDATE: Final[dict[str, tuple[Rule, ...]]] = {"install": (boolean,)}
_UNVALIDATED: Final = {"wildcard_domain": None, "is_reachable": False, "is_usable": False}
"""Settings of a server that nobody has looked at yet."""
_CREATE: Final = {name: _UPDATE[name] for name in list(_UPDATE)[:9]} | {
    "ip": (required, *_UPDATE["ip"]),
    "private_key_uuid": (required, text),
}


@route("GET", "/servers", "read")
async def list_servers(call: Call) -> tuple[int, Any]:
    names = ("description", "name", "ip", "is_coolify_host", "port", "user")
    return 200, [
        {"uuid": row.uuid}
        | {name: row[name] for name in names}
        | {"is_reachable": row["settings"]["is_reachable"], "is_usable": row["settings"]["is_usable"]}
        | {"proxy": {"redirect_enabled": True}, "settings": server_settings(row, sees_secrets=call.sees_secrets)}
        for row in call.state.all("server", team_id=call.team_id)
    ]


@route("GET", "/servers/{uuid}", "read")
async def get_server(call: Call) -> tuple[int, Any]:
    row = call.find("server", call.path["uuid"], "Server")
    shown = present(
        row, call, uuid=row.uuid, team_id=row["team_id"], settings=server_settings(row, sees_secrets=call.sees_secrets)
    )
    if truthy(call.parameter("resources")):
        shown["resources"] = _server_resources(call, row)
    return 200, shown


@route("GET", "/servers/{uuid}/resources", "read")
async def server_resources(call: Call) -> tuple[int, Any]:
    return 200, _server_resources(call, call.find("server", call.path["uuid"], "Server"))


@route("POST", "/servers", "write", body=True)
async def create_server(call: Call) -> tuple[int, Any]:
    refuse_invalid(validate(call.body, _CREATE))
    proxy = str(call.body.get("proxy_type") or "traefik").lower()
    if proxy not in _PROXIES:
        refuse(422, "Invalid proxy type.")
    key = call.state.by_uuid("key", call.body["private_key_uuid"])
    if key is None or key["team_id"] != call.team_id:
        refuse(404, "Private key not found.")
    if call.state.first("server", ip=call.body["ip"]):
        refuse(400, "A server with this IP/Domain is already in use.")
    names = ("description", "ip", "port", "user")
    fields = {name: call.body[name] for name in names if call.body.get(name) is not None}
    fields |= {"name": call.body.get("name") or f"server-{new_uuid()}", "private_key_id": key.id}
    build = {"is_build_server": bool(call.body.get("is_build_server"))}
    return 201, {"uuid": add_server(call.state, call.team_id, fields, build, proxy=proxy).uuid}


@route("PATCH", "/servers/{uuid}", "write", body=True)
async def patch_server(call: Call) -> tuple[int, Any]:
    refuse_invalid(validate(call.body, _UPDATE))
    row = call.find("server", call.path["uuid"], "Server")
    settings = row["settings"] | {name: value for name, value in call.body.items() if name in SERVER_SETTINGS}
    fields = {name: value for name, value in call.body.items() if name in {"name", "description", "ip", "port", "user"}}
    call.state.update(row, **fields, settings=settings)
    return 201, {"uuid": row.uuid}


@route("DELETE", "/servers/{uuid}", "write")
async def delete_server(call: Call) -> tuple[int, Any]:
    row = call.find("server", call.path["uuid"], "Server")
    if row["is_coolify_host"]:
        refuse(400, "Local server cannot be deleted.")
    if call.state.first("application", server_id=row.id):
        refuse(400, "Server has resources, so you need to delete them before.")
    for destination in call.state.all("destination", server_id=row.id):
        call.state.delete(destination)
    call.state.delete(row)
    return 200, {"message": "Server deleted."}


@route("POST", "/servers/{uuid}/validate", "write")
async def validate_server(call: Call) -> tuple[int, Any]:
    call.find("server", call.path["uuid"], "Server")
    refuse_invalid(validate({name: one for name, one in call.body.items() if name == "install"}, _VALIDATE))
    return 201, {"message": "Validation started."}


@route("GET", "/servers/{uuid}/domains", "read")
async def server_domains(call: Call) -> tuple[int, Any]:
    if "uuid" in call.request.query_params:
        # Meant to be the application's, read as the server's.
        refuse(404, "Server not found.")
    row = call.find("server", call.path["uuid"], "Server")
    domains = [
        parts.netloc
        for application in call.state.all("application", server_id=row.id)
        for url in split_domains(application["fqdn"])
        if (parts := urlsplit(url)).netloc
    ]
    return 200, [{"ip": row["ip"], "domains": domains}] if domains else []


def add_server(
    state: State, team_id: int, fields: dict[str, Any], settings: dict[str, Any], *, proxy: str = "traefik"
) -> Row:
    """Store a server with its first network and the variables that every server has."""
    defaults = {"description": None, "is_coolify_host": False, "team_id": team_id}
    server = state.insert(
        "server",
        SERVER
        | defaults
        | {"proxy": {"redirect_enabled": True, "type": proxy.upper(), "status": "exited"}}
        | fields
        | {"settings": SERVER_SETTINGS | _UNVALIDATED | settings},
        uuid=new_uuid(),
    )
    network = {"name": "coolify", "network": "coolify", "server_id": server.id, "team_id": team_id}
    state.insert("destination", network, uuid=new_uuid())
    add_server_variables(state, server)
    return server


def add_server_variables(state: State, server: Row) -> None:
    """Store the shared variables that every server has."""
    for key, value in (("COOLIFY_SERVER_UUID", server.uuid), ("COOLIFY_SERVER_NAME", server["name"])):
        flags = {"is_literal": True, "is_multiline": False, "is_shown_once": False, "comment": None}
        state.insert("shared_variable", {"key": key, "value": value, "type": "server", "owner_id": server.id} | flags)


def server_settings(row: Row, *, sees_secrets: bool) -> dict[str, Any]:
    """Return the settings block of a server, hidden fields left out."""
    hidden = frozenset() if sees_secrets else SENSITIVE["server_settings"]
    stamps = {"created_at": row["created_at"], "updated_at": row["updated_at"]}
    settings = {"id": row.id + 1, **row["settings"], "server_id": row.id, **stamps}
    return {name: value for name, value in settings.items() if name not in hidden}


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
