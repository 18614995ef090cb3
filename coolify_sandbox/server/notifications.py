"""Six channels by which a team is told of events (reference 6; 4.3.0 and later)."""

from __future__ import annotations

import ipaddress
from typing import Any, Final
from urllib.parse import urlsplit

from coolify_sandbox.server.http import Call, present, route
from coolify_sandbox.server.state import Row
from coolify_sandbox.server.validation import Rule, boolean, integer, refuse_invalid, text, validate

__all__: list[str] = []

_EVENTS: Final = {
    "backup_failure": True,
    "backup_success": False,
    "deployment_failure": True,
    "deployment_success": False,
    "docker_cleanup_failure": True,
    "docker_cleanup_success": False,
    "scheduled_task_failure": True,
    "scheduled_task_success": False,
    "server_disk_usage": True,
    "server_patch": True,
    "server_reachable": False,
    "server_unreachable": True,
    "status_change": False,
    "traefik_outdated": True,
}
_OWN: Final[dict[str, dict[str, Any]]] = {
    "email": {
        "resend_api_key": None,
        "resend_enabled": False,
        "smtp_ehlo_domain": None,
        "smtp_enabled": False,
        "smtp_encryption": None,
        "smtp_from_address": None,
        "smtp_from_name": None,
        "smtp_host": None,
        "smtp_password": None,
        "smtp_port": None,
        "smtp_recipients": None,
        "smtp_timeout": None,
        "smtp_username": None,
        "use_instance_email_settings": False,
    },
    "discord": {"discord_enabled": False, "discord_ping_enabled": True, "discord_webhook_url": None},
    "slack": {"slack_enabled": False, "slack_webhook_url": None},
    "telegram": {
        "telegram_chat_id": None,
        "telegram_enabled": False,
        "telegram_token": None,
        **{f"telegram_notifications_{event}_thread_id": None for event in _EVENTS},
    },
    "pushover": {"pushover_api_token": None, "pushover_enabled": False, "pushover_user_key": None},
    "webhook": {"webhook_enabled": False, "webhook_url": None},
}
_SHOWN_TO_ALL: Final = frozenset({"smtp_ehlo_domain", "smtp_encryption", "smtp_port", "smtp_timeout"})
_NUMBERS: Final = frozenset({"smtp_port", "smtp_timeout"})
_ALLOWED_ADDRESS: Final = "127.0.0.1"
"""As if the administrator had allowed this one; all other local and private addresses are refused."""


def _url(name: str, value: Any) -> str | None:  # noqa: ANN401 - JSON
    if value is None:
        return None
    host = urlsplit(str(value)).hostname
    if host is None:
        return f"The {name} must be a valid URL."
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    if address.is_global or host == _ALLOWED_ADDRESS:
        return None
    return (
        f"The {name.replace(' ', '_')} points to a local or private address that is not allowed. Configure allowed "
        "internal targets: http://127.0.0.1/settings/advanced#endpoint-section"
    )


def _rules(channel: str) -> dict[str, tuple[Rule, ...]]:
    rules: dict[str, tuple[Rule, ...]] = {f"{event}_{channel}_notifications": (boolean,) for event in _EVENTS}
    for name, default in _OWN[channel].items():
        if isinstance(default, bool):
            rules[name] = (boolean,)
        elif name.endswith("_url"):
            rules[name] = (_url,)
        else:
            rules[name] = (integer,) if name in _NUMBERS else (text,)
    return rules


def _register(channel: str) -> None:
    path = f"/notifications/{channel}"

    async def read(call: Call) -> tuple[int, Any]:
        return 200, _show(_row(call, channel), call, channel)

    async def update(call: Call) -> tuple[int, Any]:
        refuse_invalid(validate(call.body, _rules(channel)))
        return 200, _show(call.state.update(_row(call, channel), **call.body), call, channel)

    route("GET", path, "read", since="4.3.0")(read)
    route("PATCH", path, "write", body=True, since="4.3.0")(update)


def _row(call: Call, channel: str) -> Row:
    row = call.state.first("notification", team_id=call.team_id, channel=channel)
    if row is not None:
        return row
    events = {f"{event}_{channel}_notifications": default for event, default in _EVENTS.items()}
    if channel == "webhook":
        events |= {"deployment_success_webhook_notifications": True, "server_patch_webhook_notifications": False}
    return call.state.insert("notification", events | _OWN[channel] | {"team_id": call.team_id, "channel": channel})


def _show(row: Row, call: Call, channel: str) -> dict[str, Any]:
    hidden = {"channel", "created_at", "updated_at"}
    if not call.sees_secrets:
        hidden |= {name for name, one in _OWN[channel].items() if not isinstance(one, bool)} - _SHOWN_TO_ALL
    return present(row, call, drop=frozenset(hidden), id=1, team_id=row["team_id"])


for _channel in _OWN:
    _register(_channel)
