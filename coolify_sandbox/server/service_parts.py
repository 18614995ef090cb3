"""Containers of a service, one by one (reference 5.5; 4.2.0 and later). They are not run here."""

from __future__ import annotations

from typing import Any, Final

from coolify_sandbox.server.domains import normalised
from coolify_sandbox.server.http import Call, present, refuse, route
from coolify_sandbox.server.services import find_service, parts_of
from coolify_sandbox.server.state import Row
from coolify_sandbox.server.storages import register_storages
from coolify_sandbox.server.validation import Rule, boolean, integer, refuse_invalid, text, validate

__all__: list[str] = []

_SINCE: Final = "4.2.0"
_COMMON: Final[dict[str, tuple[Rule, ...]]] = {
    "human_name": (text,),
    "description": (text,),
    "image": (text,),
    "exclude_from_status": (boolean,),
    "is_log_drain_enabled": (boolean,),
}
_APPLICATION: Final = _COMMON | {"url": (text,), "is_gzip_enabled": (boolean,), "is_stripprefix_enabled": (boolean,)}
_DATABASE: Final = _COMMON | {"is_public": (boolean,), "public_port": (integer,), "public_port_timeout": (integer,)}
_GROUPS: Final = {
    "applications": ("service_application", "Service application", _APPLICATION),
    "databases": ("service_database", "Service database", _DATABASE),
}
_ACTIONS: Final = {"start": "Deploy", "restart": "Restart", "stop": "Stop"}


def _part(call: Call, kind: str, what: str) -> Row:
    rows = parts_of(call, find_service(call), kind)
    found = next((row for row in rows if row.uuid == call.path["part"]), None)
    if found is None:
        refuse(404, f"{what} not found.")
    return found


def _show(part: Row, call: Call) -> dict[str, Any]:
    return present(part, call, uuid=part.uuid)


def _register(group: str, kind: str, what: str, rules: dict[str, tuple[Rule, ...]]) -> None:
    path = f"/services/{{uuid}}/{group}"

    @route("GET", path, "read", since=_SINCE)
    async def list_parts(call: Call) -> tuple[int, Any]:
        return 200, [_show(part, call) for part in parts_of(call, find_service(call), kind)]

    @route("GET", f"{path}/{{part}}", "read", since=_SINCE)
    async def get_part(call: Call) -> tuple[int, Any]:
        return 200, _show(_part(call, kind, what), call)

    @route("PATCH", f"{path}/{{part}}", "write", body=True, since=_SINCE)
    async def patch_part(call: Call) -> tuple[int, Any]:
        part = _part(call, kind, what)
        refuse_invalid(validate(call.body, rules))
        changes = dict(call.body)
        if "url" in changes:
            domains, problems = normalised(changes.pop("url"))
            refuse_invalid(problems)
            changes["fqdn"] = domains
        return 200, _show(call.state.update(part, **changes), call)

    async def logs(call: Call) -> tuple[int, Any]:
        _part(call, kind, what)
        refuse(400, f"{what} is not running.")

    route("GET", f"{path}/{{part}}/logs", "read", since=_SINCE)(logs)
    route("POST", f"{path}/{{part}}/logs", "read", since=_SINCE)(logs)
    for action, verb in _ACTIONS.items():

        async def act(call: Call, verb: str = verb) -> tuple[int, Any]:
            _part(call, kind, what)
            return 200, {"message": f"{verb} request queued."}

        route("POST", f"{path}/{{part}}/{action}", "deploy", since=_SINCE)(act)


def _all_parts(call: Call) -> list[Row]:
    return parts_of(call, find_service(call))


for _group, (_kind, _what, _rules) in _GROUPS.items():
    _register(_group, _kind, _what, _rules)
register_storages("services", find_service, _all_parts)
