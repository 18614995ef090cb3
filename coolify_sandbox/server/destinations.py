"""Docker networks of servers (reference 1.4)."""

from __future__ import annotations

from typing import Any, Final

from coolify_sandbox.server.applications import show_application
from coolify_sandbox.server.databases import list_all
from coolify_sandbox.server.fields import SENSITIVE
from coolify_sandbox.server.http import Call, refuse, route
from coolify_sandbox.server.resources import has_resources
from coolify_sandbox.server.services import service_resources
from coolify_sandbox.server.state import Row, new_uuid
from coolify_sandbox.server.validation import Rule, matches, refuse_invalid, required, text, validate

__all__: list[str] = []

_NETWORK: Final = r"^[a-zA-Z0-9][a-zA-Z0-9_.-]*$"
_CREATE: Final[dict[str, tuple[Rule, ...]]] = {"network": (required, text, matches(_NETWORK)), "name": (text,)}


@route("GET", "/servers/{uuid}/destinations", "read", since="4.2.0")
async def server_destinations(call: Call) -> tuple[int, Any]:
    server = call.find("server", call.path["uuid"], "Server")
    return 200, [_destination(row, server) for row in call.state.all("destination", server_id=server.id)]


@route("GET", "/destinations", "read", since="4.2.0")
async def list_destinations(call: Call) -> tuple[int, Any]:
    servers = {row.id: row for row in call.state.all("server", team_id=call.team_id)}
    rows = call.state.all("destination", team_id=call.team_id)
    return 200, [_destination(row, servers[row["server_id"]]) for row in rows]


@route("GET", "/destinations/{uuid}", "read", since="4.2.0")
async def get_destination(call: Call) -> tuple[int, Any]:
    return 200, _destination(*_find(call))


@route("POST", "/servers/{uuid}/destinations", "write", body=True, since="4.2.0")
async def create_destination(call: Call) -> tuple[int, Any]:
    refuse_invalid(validate(call.body, _CREATE))
    server = call.find("server", call.path["uuid"], "Server")
    network = call.body["network"]
    if call.state.first("destination", server_id=server.id, network=network):
        refuse(409, "A destination with this network already exists on the server.")
    fields = {"name": call.body.get("name") or network, "network": network, "server_id": server.id}
    row = call.state.insert("destination", fields | {"team_id": call.team_id}, uuid=new_uuid())
    return 201, _destination(row, server)


@route("PATCH", "/destinations/{uuid}", "write", body=True, since="4.3.0")
async def patch_destination(call: Call) -> tuple[int, Any]:
    refuse_invalid(validate(call.body, {"name": (text,)}))
    row, server = _find(call)
    return 200, _destination(call.state.update(row, **call.body), server)


@route("DELETE", "/destinations/{uuid}", "write", since="4.2.0")
async def delete_destination(call: Call) -> tuple[int, Any]:
    row, _ = _find(call)
    if has_resources(call.state, destination_id=row.id):
        refuse(409, "Destination has resources, so it cannot be deleted.")
    call.state.delete(row)
    return 200, {"message": "Deleted."}


@route("GET", "/applications/{uuid}/destinations", "read", since="4.3.0")
async def application_destinations(call: Call) -> tuple[int, Any]:
    application = call.find("application", call.path["uuid"], "Application")
    row = call.state.by_id("destination", application["destination_id"])
    server = call.state.by_id("server", application["server_id"])
    if row is None or server is None:
        return 200, []
    shown = {"uuid": row.uuid, "name": row["name"], "network": row["network"]}
    return 200, [shown | {"server_uuid": server.uuid, "server_id": server.id, "is_primary": True}]


@route("POST", "/applications/{uuid}/destinations", "write", body=True, since="4.3.0")
async def add_application_destination(call: Call) -> tuple[int, Any]:
    application = call.find("application", call.path["uuid"], "Application")
    row = call.state.by_uuid("destination", str(call.body.get("destination_uuid")))
    if row is None or row["team_id"] != call.team_id:
        refuse(404, "Destination not found.")
    if row["server_id"] == application["server_id"]:
        refuse(422, "Cannot attach a destination on the same server as the primary destination.")
    # Further servers have no applications of their own here.
    refuse(422, "Only one server runs applications in this installation.")


@route("DELETE", "/applications/{uuid}/destinations/{destination}", "write", since="4.3.0")
async def remove_application_destination(call: Call) -> tuple[int, Any]:
    application = call.find("application", call.path["uuid"], "Application")
    row = call.state.by_uuid("destination", call.path["destination"])
    if row is None or row["team_id"] != call.team_id:
        refuse(404, "Destination not found.")
    if row.id == application["destination_id"]:
        refuse(422, "Cannot remove the primary destination.")
    refuse(404, "Destination is not attached to this application.")


@route("GET", "/resources", "read")
async def list_resources(call: Call) -> tuple[int, Any]:
    applications = call.state.all("application", team_id=call.team_id)
    more = {"laravel_through_key": 0, "domain_dns_statuses": None, "type": "application"}
    shown = [show_application(row, call, brief=True) | more | {"id": row.id} for row in applications]
    services = [one | {"laravel_through_key": 0} for one in service_resources(call)]
    databases = [one | {"laravel_through_key": 0} for one in list_all(call)]
    for one in (*shown, *services, *databases):
        # Here the server's settings come without what is hidden elsewhere, whatever the token may see.
        settings = one["destination"]["server"]["settings"]
        one["destination"]["server"]["settings"] = {
            name: value for name, value in settings.items() if name not in SENSITIVE["server_settings"]
        }
    return 200, shown + services + databases


def _find(call: Call) -> tuple[Row, Row]:
    row = call.state.by_uuid("destination", call.path["uuid"])
    server = call.state.by_id("server", row["server_id"]) if row else None
    if row is None or server is None or row["team_id"] != call.team_id:
        refuse(404, "No query results for model [App\\Models\\SwarmDocker].")
    return row, server


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
