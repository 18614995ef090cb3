"""The container labels that Coolify generates from an application's domains (reference 3.4), line for line."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from coolify_sandbox.htpasswd import hash_password
from coolify_sandbox.server.domains import split_domains

__all__ = ["generated_labels"]

_ROUTERS = "traefik.http.routers"
_SERVICES = "traefik.http.services"
_MIDDLEWARES = "traefik.http.middlewares"


def generated_labels(uuid: str, attributes: dict[str, Any], settings: dict[str, Any]) -> str:
    """Return the labels for the application's domains, one `key=value` a line; none without domains."""
    urls = split_domains(attributes.get("fqdn"))
    if not urls:
        return ""
    login = (
        (str(attributes["http_basic_auth_username"]), str(attributes["http_basic_auth_password"]))
        if attributes.get("is_http_basic_auth_enabled")
        else None
    )
    ports = str(attributes.get("ports_exposes") or "80")
    traefik = {"traefik.enable": "true", f"{_MIDDLEWARES}.redirect-to-https.redirectscheme.scheme": "https"}
    if settings.get("is_gzip_enabled", True):
        traefik[f"{_MIDDLEWARES}.gzip.compress"] = "true"
    if login:
        traefik[f"{_MIDDLEWARES}.http-basic-auth-{uuid}.basicauth.users"] = f"{login[0]}:{hash_password(login[1])}"
    caddy = {"caddy_ingress_network": "coolify"}
    for index, url in enumerate(urls):
        port = str(urlsplit(url).port or ports.split(",", maxsplit=1)[0])
        traefik |= _traefik(index, url, port, uuid, attributes, settings)
        caddy |= _caddy(index, url, port, attributes, settings, login)
    return "\n".join([*_lines(traefik), *_lines(caddy)])


def _lines(labels: dict[str, str]) -> list[str]:
    return sorted(f"{key}={value}" for key, value in labels.items())


def _traefik(
    index: int, url: str, port: str, uuid: str, attributes: dict[str, Any], settings: dict[str, Any]
) -> dict[str, str]:
    parts = urlsplit(url)
    path = parts.path or "/"
    labels: dict[str, str] = {}
    attached = []
    if path != "/" and settings.get("is_stripprefix_enabled", True):
        labels[f"{_MIDDLEWARES}.http-{index}-{uuid}-stripprefix.stripprefix.prefixes"] = path
        attached.append(f"http-{index}-{uuid}-stripprefix")
    if settings.get("is_gzip_enabled", True):
        attached.append("gzip")
    direction = {"www": "to-www", "non-www": "to-non-www"}.get(attributes.get("redirect") or "")
    if direction is not None and _leads_away(parts.hostname or "", direction):
        name = f"{index}-{uuid}-{direction}"
        regex, replacement = _REDIRECTS[direction]
        options = {"permanent": "false", "regex": regex, "replacement": replacement}
        labels |= {f"{_MIDDLEWARES}.{name}.redirectregex.{key}": value for key, value in options.items()}
        attached.append(name)
    if attributes.get("is_http_basic_auth_enabled"):
        attached.append(f"http-basic-auth-{uuid}")
    is_forced = parts.scheme == "https" and settings.get("is_force_https_enabled", True)
    entries = ("http", "https") if parts.scheme == "https" else ("http",)
    for entry in entries:
        router = f"{entry}-{index}-{uuid}"
        chain = ["redirect-to-https"] if entry == "http" and is_forced else attached
        labels |= {
            f"{_ROUTERS}.{router}.entryPoints": entry,
            f"{_ROUTERS}.{router}.rule": f"Host(`{parts.hostname}`) && PathPrefix(`{path}`)",
            f"{_ROUTERS}.{router}.service": router,
            f"{_SERVICES}.{router}.loadbalancer.server.port": port,
        }
        if chain:
            labels[f"{_ROUTERS}.{router}.middlewares"] = ",".join(chain)
        if entry == "https":
            labels |= {f"{_ROUTERS}.{router}.tls": "true", f"{_ROUTERS}.{router}.tls.certresolver": "letsencrypt"}
    return labels


_REDIRECTS = {
    "to-www": (r"^(http|https)://(?:www\.)?(.+)", "${1}://www.${2}"),
    "to-non-www": (r"^(http|https)://www\.(.+)", "${1}://${2}"),
}


def _leads_away(host: str, direction: str) -> bool:
    return host.startswith("www.") is (direction == "to-non-www")


def _caddy(
    index: int,
    url: str,
    port: str,
    attributes: dict[str, Any],
    settings: dict[str, Any],
    login: tuple[str, str] | None,
) -> dict[str, str]:
    parts = urlsplit(url)
    site = f"caddy_{index}"
    handle = "handle_path" if settings.get("is_stripprefix_enabled", True) else "handle"
    open_too = parts.scheme == "https" and not settings.get("is_force_https_enabled", True)
    labels = {
        site: f"http://{parts.hostname}, https://{parts.hostname}"
        if open_too
        else f"{parts.scheme}://{parts.hostname}",
        f"{site}.header": "-Server",
        f"{site}.try_files": "{path} /index.html /index.php",
        f"{site}.{handle}": f"{parts.path or '/'}*",
        f"{site}.{handle}.0_reverse_proxy": f"{{{{upstreams {port}}}}}",
    }
    if settings.get("is_gzip_enabled", True):
        labels[f"{site}.encode"] = "zstd gzip"
    host = parts.hostname or ""
    direction = {"www": "to-www", "non-www": "to-non-www"}.get(attributes.get("redirect") or "")
    if direction is not None and _leads_away(host, direction):
        target = host.removeprefix("www.") if direction == "to-non-www" else f"www.{host}"
        labels[f"{site}.redir"] = f"{{scheme}}://{target}{{uri}}"
    if login:
        labels[f"{site}.basicauth.{login[0]}"] = f'"{hash_password(login[1])}"'
    return labels
