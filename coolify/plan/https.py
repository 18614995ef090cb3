"""Switch domains to HTTPS: in the configuration file, and in Coolify's list of URLs; pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from urllib.parse import urlsplit

from coolify.config import Config, Domain
from coolify.config.writer import ConfigDocument, Key

__all__ = ["https_edits", "lost_middlewares", "with_https"]


def https_edits(config: Config, document: ConfigDocument, hosts: Collection[str]) -> dict[tuple[Key, ...], bool]:
    """Return what to set in the file so that the hosts are served over HTTPS; empty when it says so already.

    The list of an environment's overlay goes before that of the file.
    """
    overlay: tuple[Key, ...] = ("environments", config.environment, "domains")
    where = overlay if document.get(*overlay) is not None else ("domains",)
    return {
        (*where, place, "ssl"): True
        for place, domain in enumerate(config.all_domains)
        if domain.host in hosts and domain in config.domains and not domain.ssl
    }


def with_https(fqdn: str | None, domains: Iterable[Domain]) -> str:
    """Return Coolify's list of URLs with HTTPS for the domains; other URLs stay, missing ones are added.

    Args:
        fqdn: The list as Coolify tells it (reference 3.1), None for an empty one.
        domains: What is to be served over HTTPS.
    """
    wanted = tuple(domains)
    hosts = {one.host for one in wanted}
    urls = [
        f"https{url[4:]}" if url.startswith("http://") and urlsplit(url).hostname in hosts else url
        for url in (one.strip() for one in (fqdn or "").split(","))
        if url
    ]
    present = {urlsplit(url).hostname for url in urls}
    urls += [f"https://{one.host}{one.path.rstrip('/')}" for one in wanted if one.host not in present]
    return ",".join(dict.fromkeys(urls))


def lost_middlewares(before: str | None, after: str | None) -> tuple[str, ...]:
    """Return the Traefik middlewares that regenerated labels do not have any more (reference 3.5)."""
    return tuple(sorted(_middlewares(before) - _middlewares(after)))


def _middlewares(labels: str | None) -> set[str]:
    prefix = "traefik.http.middlewares."
    return {line.removeprefix(prefix).split(".")[0] for line in (labels or "").splitlines() if line.startswith(prefix)}
