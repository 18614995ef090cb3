"""The domains of an application, of the file and of Coolify side by side; pure."""

import json
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

from coolify.api import Application
from coolify.api.settings import ComposeDomain
from coolify.config import Config

__all__ = ["ListedDomain", "compose_domains", "domain_urls", "list_domains", "stored_domains"]


class ListedDomain(BaseModel):
    """One URL under which an application is reached, or is to be."""

    model_config = ConfigDict(frozen=True)

    url: str
    host: str
    entry: str | None = Field(description="Name of the entry in the file, None where it is in Coolify only.")
    in_file: bool
    in_coolify: bool


def domain_urls(listed: str | None) -> tuple[str, ...]:
    """Return the URLs of Coolify's comma-separated list, in a form that can be compared.

    Coolify stores scheme and host in lower case (reference 3.1); a path is another one in capitals.
    """
    urls = (_comparable(one.strip()) for one in (listed or "").split(","))
    return tuple(dict.fromkeys(url for url in urls if url))


def compose_domains(stored: Any) -> tuple[ComposeDomain, ...]:  # noqa: ANN401 - settings are JSON
    """Return the URLs by service; Coolify keeps them as JSON in a text."""
    try:
        services = json.loads(stored) if isinstance(stored, str) else stored
    except ValueError:
        return ()
    if not isinstance(services, dict):
        return ()
    return tuple(
        ComposeDomain(name=str(name), domain=str(one.get("domain") or ""))
        for name, one in services.items()
        if isinstance(one, dict)
    )


def stored_domains(application: Application | None) -> str:
    """Return Coolify's list of all URLs of an application: its own, and those of each service of a compose file."""
    if application is None:
        return ""
    services = compose_domains(application.raw.get("docker_compose_domains"))
    return ",".join((application.fqdn or "", *(one.domain for one in services)))


def list_domains(config: Config, listed: str) -> tuple[ListedDomain, ...]:
    """Return the domains of the environment in the order of the file, then those that only Coolify has.

    Args:
        config: The application.
        listed: Coolify's list, empty where it has no application or no domain.
    """
    there = domain_urls(listed)
    wanted = {_comparable(domain.url): domain for domain in config.domains}
    return tuple(
        ListedDomain(
            url=url,
            host=urlsplit(url).hostname or "",
            entry=wanted[url].name if url in wanted else None,
            in_file=url in wanted,
            in_coolify=url in there,
        )
        for url in dict.fromkeys((*wanted, *there))
    )


def _comparable(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme.lower()}{separator}{host.lower()}{slash}{path}".rstrip("/") if separator else url.lower()
