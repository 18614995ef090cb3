"""The domains of an application, of the file and of Coolify side by side; pure."""

from __future__ import annotations

from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

from coolify.config import Config

__all__ = ["ListedDomain", "domain_urls", "list_domains"]


class ListedDomain(BaseModel):
    """One URL under which an application is reached, or is to be."""

    model_config = ConfigDict(frozen=True)

    url: str
    host: str
    entry: str | None = Field(description="Name of the entry in the file, None where it is in Coolify only.")
    in_file: bool
    in_coolify: bool


def domain_urls(listed: str | None) -> tuple[str, ...]:
    """Return the URLs of Coolify's comma-separated list, in a form that can be compared (reference 3.1)."""
    urls = (one.strip().rstrip("/").lower() for one in (listed or "").split(","))
    return tuple(dict.fromkeys(url for url in urls if url))


def list_domains(config: Config, listed: str | None) -> tuple[ListedDomain, ...]:
    """Return the domains of the environment in the order of the file, then those that only Coolify has.

    Args:
        config: The application.
        listed: Coolify's list, None where it has no application or no domain.
    """
    there = domain_urls(listed)
    wanted = {domain.url.lower(): domain for domain in config.domains}
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
