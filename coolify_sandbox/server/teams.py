"""Liveness, version, switches, teams and their members, settings of the instance (reference 1.0)."""

from __future__ import annotations

import re
from typing import Any, Final

from coolify_sandbox.server.http import Call, present, refuse, route
from coolify_sandbox.server.validation import Rule, boolean, integer, refuse_invalid, text, validate

__all__: list[str] = []

_EMAIL: Final[dict[str, Any]] = {
    "smtp_enabled": False,
    "smtp_from_address": None,
    "smtp_from_name": None,
    "smtp_host": None,
    "smtp_port": None,
    "smtp_encryption": None,
    "smtp_username": None,
    "smtp_password": None,
    "smtp_timeout": None,
    "resend_enabled": False,
    "resend_api_key": None,
    "smtp_ehlo_domain": None,
}
_EMAIL_RULES: Final[dict[str, tuple[Rule, ...]]] = dict.fromkeys(_EMAIL, (text,)) | {
    "smtp_enabled": (boolean,),
    "resend_enabled": (boolean,),
    "smtp_port": (integer,),
    "smtp_timeout": (integer,),
}


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


@route("GET", "/teams/current/members", "read")
async def current_members(call: Call) -> tuple[int, Any]:
    return 200, _members(call)


@route("GET", "/team", "read", since="4.3.0")
async def team(call: Call) -> tuple[int, Any]:
    return 200, _team(call)


@route("GET", "/team/members", "read", since="4.3.0")
async def members(call: Call) -> tuple[int, Any]:
    return 200, _members(call)


@route("GET", "/teams/{team}", "read")
async def team_by_id(call: Call) -> tuple[int, Any]:
    _find(call)
    return 200, _team(call)


@route("GET", "/teams/{team}/members", "read")
async def members_by_id(call: Call) -> tuple[int, Any]:
    _find(call)
    return 200, _members(call)


@route("GET", "/settings/email", "read", since="4.3.0")
async def get_email(call: Call) -> tuple[int, Any]:
    _refuse_members(call)
    return 200, _email(call)


@route("PATCH", "/settings/email", "write:sensitive", body=True, since="4.3.0")
async def patch_email(call: Call) -> tuple[int, Any]:
    _refuse_members(call)
    refuse_invalid(validate(call.body, _EMAIL_RULES))
    instance = call.state.by_id("instance", 0)
    if instance is not None:
        call.state.update(instance, email=_email(call) | call.body)
    return 200, _email(call)


def _find(call: Call) -> None:
    """Look for a team among the user's; PHP reads a number from any text, 0 where there is none."""
    digits = re.match(r"\d+", call.path["team"])
    if (int(digits.group()) if digits else 0) != call.team_id:
        refuse(404, "Team not found.")


def _refuse_members(call: Call) -> None:
    if call.token is not None and call.token.role == "member":
        refuse(403, "You are not authorized to perform this action.", error="Unauthorized")


def _email(call: Call) -> dict[str, Any]:
    instance = call.state.by_id("instance", 0)
    stored = instance.get("email") if instance else None
    return {**_EMAIL, **(stored or {})}


def _members(call: Call) -> list[dict[str, Any]]:
    users = [row for row in call.state.all("user") if call.team_id in row["teams"]]
    return [{name: value for name, value in {"id": row.id, **row.data}.items() if name != "teams"} for row in users]


def _team(call: Call) -> dict[str, Any]:
    row = call.state.by_id("team", call.team_id)
    assert row is not None, "a token's team exists"  # noqa: S101 - kept by create_token's callers
    return present(row, call, drop=frozenset({"custom_server_limit"}), id=row.id)
