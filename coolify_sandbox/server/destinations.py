"""Docker networks of servers (reference 1.4)."""

from __future__ import annotations

from typing import Any, Final

from coolify_sandbox.server.http import Call, Refusal, refuse, route
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


@route("PATCH", "/destinations/{uuid}", "write", body=True, since="4.2.0")
async def patch_destination(call: Call) -> tuple[int, Any]:
    refuse_invalid(validate(call.body, {"name": (text,)}))
    row, server = _find(call)
    return 200, _destination(call.state.update(row, **call.body), server)


@route("DELETE", "/destinations/{uuid}", "write", since="4.2.0")
async def delete_destination(call: Call) -> tuple[int, Any]:
    row, server = _find(call)
    if not server["settings"]["is_usable"] or call.state.settings.server_ip == server["ip"]:
        # It wants to remove the Docker network over SSH first, and there is no SSH here.
        raise Refusal(500, {"message": "Server Error"})
    call.state.delete(row)
    return 200, {"message": "Destination deleted."}


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
