"""Labels for Traefik: one middleware for each part of the section, attached to every router of the application.

Keys are those of Traefik's reference of HTTP middlewares: headers, ipAllowList, rateLimit, buffering, basicAuth.
"""

from __future__ import annotations

import re
from typing import Final

from coolify.config import Headers, Hsts
from coolify.security.wanted import WantedSecurity

__all__ = ["names", "with_security", "without"]

_MARK: Final = "flows"
_ROUTER: Final = re.compile(r"traefik\.http\.routers\.(?P<name>[^.=]+)\.(?P<option>[^=]+)=(?P<value>.*)", re.IGNORECASE)
_MIDDLEWARE: Final = re.compile(r"traefik\.http\.middlewares\.(?P<name>[^.=]+)\.", re.IGNORECASE)
_TITLES: Final = {
    "headers": "headers",
    "allow": "allow list",
    "limit": "rate limit",
    "body": "body size",
    "auth": "basic auth",
}
"""Middlewares in the order in which a request passes them."""


def without(labels: str, uuid: str) -> str:
    """Return the labels without the middlewares of ours and without their names at the routers."""
    prefix = _prefix(uuid)
    kept = []
    for line in labels.split("\n"):
        middleware = _MIDDLEWARE.match(line)
        if middleware and middleware["name"].lower().startswith(prefix):
            continue
        router = _ROUTER.fullmatch(line)
        if router and router["option"].lower() == "middlewares":
            attached = _listed(router["value"])
            others = [name for name in attached if not name.lower().startswith(prefix)]
            if others != attached:
                if others:
                    kept.append(f"{line.partition('=')[0]}={','.join(others)}")
                continue
        kept.append(line)
    return "\n".join(kept)


def with_security(labels: str, wanted: WantedSecurity, uuid: str, *, escaped: bool) -> str:
    """Add the middlewares to labels that have none of ours.

    Headers come first, so that refusals have them too and preflights, which carry no password, are answered; basic auth
    comes after Coolify's redirect to HTTPS, so that nobody is asked for a password over plain HTTP.
    """
    definitions = _definitions(wanted)
    first = [_prefix(uuid) + part for part in _TITLES if part in definitions and part != "auth"]
    last = [_prefix(uuid) + "auth"] if "auth" in definitions else []
    lines = labels.split("\n")
    routers = {match["name"] for line in lines if (match := _ROUTER.fullmatch(line))}
    if not routers:
        return labels
    result: list[str] = []
    done: set[str] = set()
    attached = {
        match["name"]
        for line in lines
        if (match := _ROUTER.fullmatch(line)) and match["option"].lower() == "middlewares"
    }
    for line in lines:
        match = _ROUTER.fullmatch(line)
        if match and match["option"].lower() == "middlewares":
            present = _listed(match["value"])
            line = f"{line.partition('=')[0]}={','.join([*first, *present, *last])}"  # noqa: PLW2901
        result.append(line)
        if match and match["name"] not in attached | done:
            done.add(match["name"])
            result.append(f"traefik.http.routers.{match['name']}.middlewares={','.join([*first, *last])}")
    at = max(index for index, line in enumerate(result) if line.lower().startswith("traefik.")) + 1
    return "\n".join(result[:at] + _written(definitions, uuid, escaped=escaped) + result[at:])


def names(labels: str, uuid: str) -> tuple[str, ...]:
    """Return in words what of ours the labels hold."""
    found = {match["name"].lower() for line in labels.split("\n") if (match := _MIDDLEWARE.match(line))}
    return tuple(title for part, title in _TITLES.items() if _prefix(uuid) + part in found)


def _prefix(uuid: str) -> str:
    return f"{_MARK}-{uuid.lower()}-"


def _listed(value: str) -> list[str]:
    return [name.strip() for name in value.split(",") if name.strip()]


def _written(definitions: dict[str, dict[str, str]], uuid: str, *, escaped: bool) -> list[str]:
    lines = [
        f"traefik.http.middlewares.{_prefix(uuid)}{part}.{key}={value}"
        for part, options in definitions.items()
        for key, value in options.items()
    ]
    # Docker Compose reads `$$` as `$`; Coolify doubles it itself unless that is switched off.
    return sorted(lines if escaped else [line.replace("$", "$$") for line in lines])


def _definitions(wanted: WantedSecurity) -> dict[str, dict[str, str]]:
    """Return part -> options of its middleware."""
    section = wanted.section
    parts = {
        "headers": _header_options(section.headers) | _cors_options(wanted),
        "allow": {"ipallowlist.sourcerange": ",".join(section.allow_list)} if section.allow_list else {},
        "limit": _limit_options(wanted),
        "body": {"buffering.maxRequestBodyBytes": str(section.max_body_bytes)} if section.max_body else {},
        "auth": _auth_options(wanted),
    }
    return {name: options for name, options in parts.items() if options}


def _header_options(headers: Headers) -> dict[str, str]:
    wanted = {
        "contentSecurityPolicy": headers.content_security_policy,
        "contentSecurityPolicyReportOnly": headers.content_security_policy_report_only,
        "frameDeny": "true" if headers.frame_options == "deny" else None,
        "customFrameOptionsValue": "SAMEORIGIN" if headers.frame_options == "sameorigin" else None,
        "contentTypeNosniff": "true" if headers.nosniff else None,
        "referrerPolicy": headers.referrer_policy,
        "permissionsPolicy": headers.permissions_policy,
        **{f"customResponseHeaders.{name}": value for name, value in headers.custom.items()},
        **(_hsts_options(headers.hsts) if headers.hsts else {}),
    }
    return {f"headers.{name}": value for name, value in wanted.items() if value is not None}


def _hsts_options(hsts: Hsts) -> dict[str, str | None]:
    if hsts.max_age == 0:
        # Traefik takes `stsSeconds=0` for no header at all.
        return {"customResponseHeaders.Strict-Transport-Security": hsts.value}
    return {
        "stsSeconds": str(hsts.max_age),
        "stsIncludeSubdomains": "true" if hsts.subdomains else None,
        "stsPreload": "true" if hsts.preload else None,
    }


def _cors_options(wanted: WantedSecurity) -> dict[str, str]:
    cors = wanted.section.cors
    if cors is None:
        return {}
    lists = {
        "accessControlAllowOriginList": cors.origins,
        "accessControlAllowMethods": cors.methods,
        "accessControlAllowHeaders": cors.headers,
        "accessControlExposeHeaders": cors.expose,
    }
    options = {name: ",".join(values) for name, values in lists.items() if values}
    if cors.credentials:
        options["accessControlAllowCredentials"] = "true"
    # Without `Vary: Origin` a cache hands the answer for one site to another.
    options |= {"accessControlMaxAge": str(cors.max_age), "addVaryHeader": "true"}
    return {f"headers.{name}": value for name, value in options.items()}


def _limit_options(wanted: WantedSecurity) -> dict[str, str]:
    limit = wanted.section.rate_limit
    if limit is None:
        return {}
    return {
        "ratelimit.average": str(limit.average),
        "ratelimit.burst": str(limit.at_once),
        "ratelimit.period": f"{limit.period}s",
    }


def _auth_options(wanted: WantedSecurity) -> dict[str, str]:
    users = [f"{user.name}:{user.hash.get_secret_value()}" for user in wanted.users if user.hash is not None]
    return {"basicauth.users": ",".join(users)} if users else {}
