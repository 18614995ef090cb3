"""Labels for Caddy, as its plugin for Docker reads them: `caddy_0.header.Name=value` is a directive in a block.

A number before a directive (`9870_header`) keeps it apart from Coolify's own `header` and is not part of it; it is also
how ours are found again. Only what stock Caddy does without taking part in Coolify's routing is possible.
"""

from __future__ import annotations

import re
from typing import Final

from coolify.security.wanted import WantedSecurity

__all__ = ["impossible", "names", "with_security", "without"]

_MARK: Final = "9870"
_OURS: Final = re.compile(rf"caddy_\d+\.{_MARK}_(?P<directive>[a-z_]+)\.")
_SITE: Final = re.compile(r"(?P<site>caddy_\d+)=.*")
_TITLES: Final = {"header": "headers", "request_body": "body size"}


def without(labels: str) -> str:
    """Return the labels without ours."""
    return "\n".join(line for line in labels.split("\n") if not _OURS.match(line))


def impossible(wanted: WantedSecurity) -> tuple[str, ...]:
    """Return in words what the configuration wants and Caddy cannot be told."""
    section = wanted.section
    # Caddy replaces what stands in braces, and a backslash is read in two ways on the way to it.
    special = any(set(value) & set("{}\\") for value in section.headers.expected().values())
    found = {
        "CORS": section.cors is not None,
        "rate limits": section.rate_limit is not None,
        "an allow list": bool(section.allow_list),
        "users with hashes": section.basic_auth is not None and section.basic_auth.by_hash,
        "header values with braces or backslashes": special,
    }
    return tuple(name for name, is_wanted in found.items() if is_wanted)


def with_security(labels: str, wanted: WantedSecurity, *, escaped: bool) -> str:
    """Add our directives to every site of labels that have none of ours."""
    lines = labels.split("\n")
    sites = sorted({match["site"] for line in lines if (match := _SITE.fullmatch(line))})
    if not sites:
        return labels
    at = max(index for index, line in enumerate(lines) if line.startswith("caddy_")) + 1
    ours = [f"{site}.{_MARK}_{directive}" for site in sites for directive in _directives(wanted)]
    return "\n".join(lines[:at] + (ours if escaped else [one.replace("$", "$$") for one in ours]) + lines[at:])


def names(labels: str) -> tuple[str, ...]:
    """Return in words what of ours the labels hold."""
    found = {match["directive"] for line in labels.split("\n") if (match := _OURS.match(line))}
    return tuple(title for directive, title in _TITLES.items() if directive in found)


def _directives(wanted: WantedSecurity) -> list[str]:
    headers = wanted.section.headers.expected()
    set_ = [f"header.{name}={_quoted(value)}" if value else f"header.-{name}=" for name, value in headers.items()]
    # At the end, so that they replace what the application sends instead of standing beside it.
    directives = sorted(set_) + (["header.defer="] if set_ else [])
    if wanted.section.max_body_bytes is not None:
        directives.append(f"request_body.max_size={wanted.section.max_body_bytes}")
    return directives


def _quoted(value: str) -> str:
    return '"' + value.replace('"', '\\"') + '"'
