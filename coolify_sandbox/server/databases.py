"""Databases: create, read, change, act (reference 5.1). What runs is in `coolify_sandbox.runtime.databases`."""

from __future__ import annotations

import secrets
import string
from collections.abc import Iterator
from typing import Any, Final

from coolify_sandbox.runtime.databases import DatabaseRuntime
from coolify_sandbox.server.applications import placement_details
from coolify_sandbox.server.backups import backup_rows, show_backup
from coolify_sandbox.server.database_engines import COMMON, ENGINES, Engine, secret_fields
from coolify_sandbox.server.http import Call, Refusal, not_found, present, refuse, route, truthy
from coolify_sandbox.server.plain_variables import register_variables
from coolify_sandbox.server.projects import find_environment
from coolify_sandbox.server.state import Row, State, new_uuid
from coolify_sandbox.server.storages import register_storages
from coolify_sandbox.server.tags import ensure_tag, register_tags
from coolify_sandbox.server.validation import (
    NOT_ALLOWED,
    Rule,
    is_base64,
    matches,
    not_null,
    refuse_invalid,
    validate,
)
from coolify_sandbox.server.versions import at_least_version

__all__ = ["find_database", "find_team_database", "list_all"]

_PLACEMENT: Final = frozenset(
    {
        "project_uuid",
        "server_uuid",
        "environment_name",
        "environment_uuid",
        "destination_uuid",
        "tags",
        "instant_deploy",
    }
)
_COMMON_FIELDS: Final = frozenset({*COMMON, "name", "image"}) - {
    "config_hash",
    "deleted_at",
    "destination_type",
    "last_online_at",
    "last_restart_at",
    "last_restart_type",
    "restart_count",
    "started_at",
    "status",
}
_ALPHABET: Final = string.ascii_letters + string.digits
_ORDER: Final = ("postgresql", "redis", "mongodb", "mysql", "mariadb", "keydb", "dragonfly", "clickhouse")
_UNQUOTED: Final = r"^[A-Za-z0-9!@#%^*()_+\-=\[\]{}:,.?/~]+$"
_USER: Final = r"^[A-Za-z0-9_-]+$"


def _own_fields(engine: Engine) -> frozenset[str]:
    return frozenset({*engine.fields, *engine.passwords}) - {"database_type", "init_scripts"}


_ALL_FIELDS: Final = _COMMON_FIELDS | frozenset(name for engine in ENGINES.values() for name in _own_fields(engine))


@route("GET", "/databases", "read")
async def list_databases(call: Call) -> tuple[int, Any]:
    shown = []
    for name in _ORDER:
        for row in call.state.all(_kind(name), team_id=call.team_id):
            backups = [show_backup(one) | {"latest_log": None} for one in backup_rows(call.state, row)]
            shown.append(_show(row, call, brief=True) | {"backup_configs": backups})
    return 200, shown


@route("GET", "/databases/{uuid}", "read")
async def get_database(call: Call) -> tuple[int, Any]:
    return 200, _show(find_database(call), call)


async def _create(call: Call, engine: Engine) -> tuple[int, Any]:
    body = call.body
    unknown = [name for name in body if name not in _ALL_FIELDS | _PLACEMENT]
    if unknown:
        # The only place where the errors are a plain list of names.
        raise Refusal(422, {"message": "Validation failed.", "errors": unknown})
    environment, server, destination = _placement(call)
    allowed = _COMMON_FIELDS | _own_fields(engine)
    errors: dict[str, Any] = {name: [NOT_ALLOWED] for name in body if name not in allowed | _PLACEMENT}
    refuse_invalid(errors | _problems(body, engine))
    port = body.get("public_port")
    if port is not None and any(row["public_port"] == port for row in _all(call.state)):
        refuse(400, "Public port already used by another database.")
    row = _insert(call, engine, environment, server, destination)
    urls = _urls(row, call) if engine.tells_url else {}
    return 201, {"uuid": row.uuid} | {name: url for name, url in urls.items() if url is not None}


def _register() -> None:
    for engine in ENGINES.values():

        async def create(call: Call, engine: Engine = engine) -> tuple[int, Any]:
            return await _create(call, engine)

        route("POST", f"/databases/{engine.name}", "write", body=True)(create)


def _placement(call: Call) -> tuple[Row, Row, Row]:
    body = call.body
    project = call.find("project", str(body.get("project_uuid")), "Project")
    wanted = str(body.get("environment_name") or body.get("environment_uuid"))
    try:
        environment = find_environment(call, project, wanted)
    except Refusal:
        refuse(422, "You need to provide a valid environment_name or environment_uuid.")
    server = call.find("server", str(body.get("server_uuid")), "Server")
    destinations = call.state.all("destination", server_id=server.id)
    chosen = [one for one in destinations if one.uuid == body.get("destination_uuid")]
    if len(destinations) > 1 and not chosen:
        refuse(400, "Server has multiple destinations and you do not set destination_uuid.")
    return environment, server, (chosen or destinations)[0]


def _problems(fields: dict[str, Any], engine: Engine) -> dict[str, Any]:
    rules: dict[str, tuple[Rule, ...]] = dict.fromkeys(
        ("postgres_initdb_args", "postgres_host_auth_method"), (not_null,)
    )
    for name in _own_fields(engine):
        if name.endswith(("_user", "_username")):
            rules[name] = (not_null, matches(_USER))
        if name.endswith("_password"):
            rules[name] = (not_null, matches(_UNQUOTED))
    errors = validate({name: fields[name] for name in rules if name in fields}, rules)
    for name in _own_fields(engine):
        if name.endswith("_conf") and fields.get(name) is not None and not is_base64(fields[name]):
            errors[name] = f"The {name} should be base64 encoded."
    return errors


def _insert(call: Call, engine: Engine, environment: Row, server: Row, destination: Row) -> Row:
    uuid = new_uuid()
    body = {name: value for name, value in call.body.items() if name not in _PLACEMENT and value is not None}
    generated = {name: "".join(secrets.choice(_ALPHABET) for _ in range(64)) for name in engine.passwords}
    own = {
        "name": str(body.pop("name", f"{engine.name}-database-{uuid}")),
        "image": engine.image,
        "is_public": truthy(body.pop("is_public", False)) and body.get("public_port") is not None,
        "environment_id": environment.id,
        "destination_id": destination.id,
        "server_id": server.id,
        "team_id": call.team_id,
        "tags": [ensure_tag(call.state, call.team_id, name)["name"] for name in call.body.get("tags") or []],
    }
    row = call.state.insert(_kind(engine.name), COMMON | engine.fields | generated | own | body, uuid=uuid)
    prefix, mount_path = engine.volume
    model = f"App\\Models\\{engine.model}"
    volume = {"name": f"{prefix}-{uuid}", "mount_path": mount_path, "host_path": None, "container_id": None}
    owner = {"resource_type": model, "resource_id": row.id, "is_preview_suffix_enabled": True}
    call.state.insert("database_volume", volume | owner, uuid=new_uuid())
    return row


@route("PATCH", "/databases/{uuid}", "write", body=True)
async def patch_database(call: Call) -> tuple[int, Any]:
    row = find_database(call)
    engine = _engine(row)
    allowed = _COMMON_FIELDS | _own_fields(engine) | {"instant_deploy"}
    if not at_least_version(call.state.settings.version, "4.1.2"):
        allowed = frozenset(name for name in allowed if not name.startswith("health_check_"))
    errors: dict[str, Any] = {name: [NOT_ALLOWED] for name in call.body if name not in allowed}
    refuse_invalid(errors | _problems(call.body, engine))
    # To deploy at once is taken and does nothing (trap 32).
    call.state.update(row, **{name: value for name, value in call.body.items() if name != "instant_deploy"})
    return 200, {"message": "Database updated."}


@route("DELETE", "/databases/{uuid}", "write")
async def delete_database(call: Call) -> tuple[int, Any]:
    row = find_database(call)
    if runtime := _runtime(call):
        # Left out means yes (trap 15).
        runtime.remove_later(row, wipe=truthy(call.parameter("delete_volumes", default=True)))
    await call.request.app.state.queue.delete_later(row)
    return 200, {"message": "Database deletion request queued."}


@route("POST", "/databases/{uuid}/start", "deploy")
async def start_database(call: Call) -> tuple[int, Any]:
    row = find_database(call)
    if str(row["status"]).startswith("running"):
        refuse(400, "Database is already running.")
    if runtime := _runtime(call):
        runtime.start_later(row)
    return 200, {"message": "Database starting request queued."}


@route("POST", "/databases/{uuid}/restart", "deploy")
async def restart_database(call: Call) -> tuple[int, Any]:
    row = find_database(call)
    if runtime := _runtime(call):
        runtime.restart_later(row)
    return 200, {"message": "Database restarting request queued."}


@route("POST", "/databases/{uuid}/stop", "deploy")
async def stop_database(call: Call) -> tuple[int, Any]:
    row = find_database(call)
    if str(row["status"]).startswith(("exited", "stopped")):
        refuse(400, "Database is already stopped.")
    if runtime := _runtime(call):
        runtime.stop_later(row)
    return 200, {"message": "Database stopping request queued."}


@route("GET", "/databases/{uuid}/logs", "read", since="4.2.0")
async def database_logs(call: Call) -> tuple[int, Any]:
    find_database(call)
    # What databases store is not run here.
    refuse(400, "Database is not running.")


def _runtime(call: Call) -> DatabaseRuntime | None:
    """Return what runs databases; nothing does where the state alone is served."""
    runtime: DatabaseRuntime | None = call.request.app.state.databases
    return runtime


def list_all(call: Call, engine: str | None = None) -> list[dict[str, Any]]:
    """Return all databases of the team, or those of one engine, serialised as in lists, in the order of the engines."""
    names = (engine,) if engine else _ORDER
    rows = [row for name in names for row in call.state.all(_kind(name), team_id=call.team_id)]
    return [_show(row, call, brief=True) | {"id": row.id, "type": f"standalone-{_engine(row).name}"} for row in rows]


def find_database(call: Call) -> Row:
    """Return the team's database that the path names, or answer 404."""
    found = find_team_database(call, call.path["uuid"])
    if found is None:
        not_found("Database")
    return found


def find_team_database(call: Call, uuid: str) -> Row | None:
    """Return the team's database with this UUID."""
    return next((row for row in _all(call.state) if row.uuid == uuid and row["team_id"] == call.team_id), None)


def _all(state: State) -> Iterator[Row]:
    for name in ENGINES:
        yield from state.all(_kind(name))


def _kind(engine: str) -> str:
    """Every engine has a table and numbers of its own."""
    return f"database {engine}"


def _engine(row: Row) -> Engine:
    return ENGINES[row.kind.partition(" ")[2]]


def _urls(row: Row, call: Call) -> dict[str, Any]:
    engine = _engine(row)
    inside = engine.url.format(**row.data, host=row.uuid, port=engine.port)
    port = row["public_port"]
    address = call.state.settings.server_ip
    outside = engine.url.format(**row.data, host=address, port=port) if row["is_public"] and port else None
    return {"internal_db_url": inside, "external_db_url": outside}


def _show(row: Row, call: Call, *, brief: bool = False) -> dict[str, Any]:
    engine = _engine(row)
    details = placement_details(row, call, brief=brief)
    shown = present(row, call, uuid=row.uuid, **details, **_urls(row, call))
    hidden = {"server_id", "tags", *engine.hidden} | (set() if call.sees_secrets else secret_fields(engine))
    return {name: value for name, value in shown.items() if name not in hidden}


_register()
register_variables("databases", find_database, bulk_is_brief=False)
register_tags("databases", find_database)
register_storages("databases", find_database)
