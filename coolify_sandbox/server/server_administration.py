"""What is set up on servers: proxy, agent, cleaning, log drains, tunnel (reference 3.6, 6.1; 4.3.0 and later)."""

from __future__ import annotations

import base64
from typing import Any, Final
from urllib.parse import urlsplit

from coolify_sandbox.server.frequency import is_frequency
from coolify_sandbox.server.http import Call, refuse, route
from coolify_sandbox.server.servers import server_settings
from coolify_sandbox.server.state import Row, new_uuid
from coolify_sandbox.server.validation import (
    Rule,
    at_least,
    boolean,
    integer,
    is_base64,
    matches,
    not_null,
    refuse_invalid,
    required,
    text,
    validate,
)

__all__: list[str] = []

_SINCE: Final = "4.3.0"
_PROXIES: Final = ("traefik", "caddy", "nginx", "none")
_SAFE: Final = r"^[a-zA-Z0-9_\-.]+$"


def _url(name: str, value: Any) -> str | None:  # noqa: ANN401 - JSON
    parts = urlsplit(str(value))
    fine = value is None or (parts.scheme in {"http", "https"} and parts.hostname)
    return None if fine else f"The {name} field must be a valid URL."


def _frequency(_: str, value: Any) -> str | None:  # noqa: ANN401 - JSON
    return None if value is None or is_frequency(value) else "Invalid Cron / Human expression for Docker Cleanup."


_PROXY: Final[dict[str, tuple[Rule, ...]]] = {
    "redirect_enabled": (boolean,),
    "redirect_url": (text, _url),
    "generate_exact_labels": (boolean,),
    "proxy_type": (text,),
}
_SENTINEL: Final[dict[str, tuple[Rule, ...]]] = {
    "is_sentinel_enabled": (boolean,),
    "is_metrics_enabled": (boolean,),
    "is_sentinel_debug_enabled": (boolean,),
    "sentinel_token": (not_null, matches(r"^[a-zA-Z0-9._\-+=/]+$")),
    "sentinel_metrics_refresh_rate_seconds": (integer, at_least(1)),
    "sentinel_metrics_history_days": (integer, at_least(1)),
    "sentinel_push_interval_seconds": (integer, at_least(10)),
    "sentinel_custom_url": (text, _url),
}
_SENTINEL_SHOWN: Final = (
    "is_sentinel_enabled",
    "is_metrics_enabled",
    "is_sentinel_debug_enabled",
    "sentinel_metrics_refresh_rate_seconds",
    "sentinel_metrics_history_days",
    "sentinel_push_interval_seconds",
    "sentinel_token",
    "sentinel_custom_url",
)
_CLEANUP: Final[dict[str, tuple[Rule, ...]]] = {
    "docker_cleanup_frequency": (text, _frequency),
    "docker_cleanup_threshold": (integer,),
    "force_docker_cleanup": (boolean,),
    "delete_unused_volumes": (boolean,),
    "delete_unused_networks": (boolean,),
    "disable_application_image_retention": (boolean,),
}
_DRAINS: Final[dict[str, tuple[Rule, ...]]] = {
    "is_logdrain_newrelic_enabled": (boolean,),
    "logdrain_newrelic_base_uri": (text, _url),
    "is_logdrain_axiom_enabled": (boolean,),
    "logdrain_axiom_dataset_name": (text, matches(_SAFE)),
    "is_logdrain_custom_enabled": (boolean,),
    "logdrain_newrelic_license_key": (text, matches(_SAFE)),
    "logdrain_axiom_api_key": (text, matches(_SAFE)),
    "logdrain_custom_config": (text,),
    "logdrain_custom_config_parser": (text,),
}
_NEEDED: Final = {
    "is_logdrain_newrelic_enabled": {
        "logdrain_newrelic_license_key": "The New Relic license key is required when New Relic log drain is enabled.",
        "logdrain_newrelic_base_uri": "The New Relic base URI is required when New Relic log drain is enabled.",
    },
    "is_logdrain_axiom_enabled": {
        "logdrain_axiom_dataset_name": "The Axiom dataset name is required when Axiom log drain is enabled.",
        "logdrain_axiom_api_key": "The Axiom API key is required when Axiom log drain is enabled.",
    },
    "is_logdrain_custom_enabled": {
        "logdrain_custom_config": "The custom log drain config is required when custom log drain is enabled.",
    },
}
_ON_LOCALHOST: Final = "Cloudflare Tunnel cannot be configured on the localhost server."


def _find(call: Call) -> Row:
    return call.find("server", call.path["uuid"], "Server")


@route("GET", "/servers/{uuid}/proxy", "read", since=_SINCE)
async def show_proxy(call: Call) -> tuple[int, Any]:
    return 200, _proxy(_find(call), call)


@route("PATCH", "/servers/{uuid}/proxy", "write", body=True, since=_SINCE)
async def patch_proxy(call: Call) -> tuple[int, Any]:
    refuse_invalid(validate(call.body, _PROXY))
    row = _find(call)
    kind = call.body.get("proxy_type")
    if kind and str(kind).lower() not in _PROXIES:
        refuse_invalid({"proxy_type": ["Invalid proxy type."]})
    proxy = dict(row["proxy"]) | {name: call.body[name] for name in _PROXY if name in call.body and "redirect" in name}
    if kind:
        proxy["type"] = str(kind).upper()
    settings = dict(row["settings"])
    if "generate_exact_labels" in call.body:
        settings["generate_exact_labels"] = bool(call.body["generate_exact_labels"])
    return 200, _proxy(call.state.update(row, proxy=proxy, settings=settings), call)


@route("PUT", "/servers/{uuid}/proxy/configuration", "write", body=True, since=_SINCE)
async def put_proxy_configuration(call: Call) -> tuple[int, Any]:
    refuse_invalid(validate(call.body, {"configuration": (required, text)}))
    row = _find(call)
    configuration = str(call.body["configuration"])
    # Text that happens to be base64 is decoded (trap 9).
    plain = base64.b64decode(configuration).decode() if is_base64(configuration) else configuration
    row = call.state.update(row, proxy=dict(row["proxy"]) | {"configuration": plain})
    return 200, {"message": "Proxy configuration saved."} | _proxy(row, call)


@route("POST", "/servers/{uuid}/proxy/restart", "write", since=_SINCE)
async def restart_proxy(call: Call) -> tuple[int, Any]:
    _find(call)
    await call.request.app.state.queue.restart_proxy()
    return 200, {"message": "Proxy restart queued."}


@route("GET", "/servers/{uuid}/sentinel", "read", since=_SINCE)
async def show_sentinel(call: Call) -> tuple[int, Any]:
    return 200, _sentinel(_find(call), call)


@route("PATCH", "/servers/{uuid}/sentinel", "write", body=True, since=_SINCE)
async def patch_sentinel(call: Call) -> tuple[int, Any]:
    row = _find(call)
    refuse_invalid(validate(call.body, _SENTINEL))
    return 200, _sentinel(_with_settings(row, call), call)


@route("GET", "/servers/{uuid}/docker-cleanup", "read", since=_SINCE)
async def show_cleanup(call: Call) -> tuple[int, Any]:
    return 200, _chosen(_find(call), call, *_CLEANUP)


@route("PATCH", "/servers/{uuid}/docker-cleanup", "write", body=True, since=_SINCE)
async def patch_cleanup(call: Call) -> tuple[int, Any]:
    refuse_invalid(validate(call.body, _CLEANUP))
    return 200, _chosen(_with_settings(_find(call), call), call, *_CLEANUP)


@route("POST", "/servers/{uuid}/docker-cleanup/run", "write", since=_SINCE)
async def run_cleanup(call: Call) -> tuple[int, Any]:
    row = _find(call)
    data = {"server_id": row.id, "status": "running", "message": None, "finished_at": None}
    execution = call.state.insert("cleanup", data, uuid=new_uuid())
    await call.request.app.state.queue.clean_up(row, execution)
    return 200, {"message": "Manual cleanup job started."}


@route("GET", "/servers/{uuid}/docker-cleanup/executions", "read", since=_SINCE)
async def cleanup_executions(call: Call) -> tuple[int, Any]:
    row = _find(call)
    names = ("status", "message", "finished_at", "created_at", "updated_at")
    runs = reversed(call.state.all("cleanup", server_id=row.id))
    return 200, [{"uuid": run.uuid, **{name: run[name] for name in names}} for run in runs]


@route("GET", "/servers/{uuid}/log-drains", "read", since=_SINCE)
async def log_drains(call: Call) -> tuple[int, Any]:
    return 200, _chosen(_find(call), call, *_DRAINS)


@route("PATCH", "/servers/{uuid}/log-drains", "write", body=True, since=_SINCE)
async def patch_log_drains(call: Call) -> tuple[int, Any]:
    row = _find(call)
    refuse_invalid(validate(call.body, _DRAINS))
    settings = dict(row["settings"]) | call.body
    for switch, needed in _NEEDED.items():
        if settings[switch]:
            refuse_invalid({name: [message] for name, message in needed.items() if not settings[name]})
    return 200, _chosen(_with_settings(row, call), call, *_DRAINS)


@route("GET", "/servers/{uuid}/cloudflare-tunnel", "read", since=_SINCE)
async def show_tunnel(call: Call) -> tuple[int, Any]:
    return 200, _tunnel(_find(call), call)


@route("PATCH", "/servers/{uuid}/cloudflare-tunnel", "write", body=True, since=_SINCE)
async def patch_tunnel(call: Call) -> tuple[int, Any]:
    row = _not_localhost(call)
    refuse_invalid(validate(call.body, {"is_cloudflare_tunnel": (required, boolean)}))
    return 200, _tunnel(_switch_tunnel(call, row, on=bool(call.body["is_cloudflare_tunnel"])), call)


@route("POST", "/servers/{uuid}/cloudflare-tunnel/enable", "write", since=_SINCE)
async def enable_tunnel(call: Call) -> tuple[int, Any]:
    row = _switch_tunnel(call, _not_localhost(call), on=True)
    return 200, {"message": "Cloudflare Tunnel enabled."} | _tunnel(row, call)


@route("POST", "/servers/{uuid}/cloudflare-tunnel/disable", "write", since=_SINCE)
async def disable_tunnel(call: Call) -> tuple[int, Any]:
    before = _not_localhost(call)
    row = _switch_tunnel(call, before, on=False)
    more = (
        "Server IP restored to its previous IP address."
        if before["ip_previous"]
        else "Action required: Update the server IP address to its real IP address if needed."
    )
    return 200, {"message": f"Cloudflare Tunnel disabled. {more}"} | _tunnel(row, call)


def _not_localhost(call: Call) -> Row:
    row = _find(call)
    if row["is_coolify_host"]:
        refuse(422, _ON_LOCALHOST)
    return row


def _switch_tunnel(call: Call, row: Row, *, on: bool) -> Row:
    address = {"ip": row["ip_previous"]} if not on and row["ip_previous"] else {}
    return call.state.update(row, settings=dict(row["settings"]) | {"is_cloudflare_tunnel": on}, **address)


def _with_settings(row: Row, call: Call) -> Row:
    return call.state.update(row, settings=dict(row["settings"]) | call.body)


def _proxy(row: Row, call: Call) -> dict[str, Any]:
    proxy = row["proxy"]
    shown = {
        "proxy_type": proxy["type"],
        "status": proxy["status"],
        "redirect_enabled": proxy["redirect_enabled"],
        "redirect_url": proxy.get("redirect_url"),
        "generate_exact_labels": row["settings"]["generate_exact_labels"],
    }
    return shown | ({"configuration": proxy.get("configuration")} if call.sees_secrets else {})


def _sentinel(row: Row, call: Call) -> dict[str, Any]:
    return _chosen(row, call, *_SENTINEL_SHOWN) | {"sentinel_updated_at": row["sentinel_updated_at"]}


def _tunnel(row: Row, call: Call) -> dict[str, Any]:
    return _chosen(row, call, "is_cloudflare_tunnel") | {"ip": row["ip"], "ip_previous": row["ip_previous"]}


def _chosen(row: Row, call: Call, *names: str) -> dict[str, Any]:
    settings = server_settings(row, sees_secrets=call.sees_secrets)
    return {name: settings[name] for name in names if name in settings}
