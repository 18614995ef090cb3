"""Domains of applications: syntax, conflicts, how labels are stored (reference 3.1, 3.2, 3.5)."""

from __future__ import annotations

import base64
import re
from typing import Final
from urllib.parse import urlsplit

from coolify_sandbox.server.http import Call, Refusal
from coolify_sandbox.server.state import Row

__all__ = [
    "default_domain",
    "encoded_labels",
    "normalised",
    "plain_labels",
    "refuse_conflicts",
    "split_domains",
]

_FORBIDDEN: Final = re.compile(r"[`$;&|<>()\\\s*]")


def split_domains(domains: str | None) -> list[str]:
    """Return the single URLs of a comma-separated list."""
    return [one.strip() for one in (domains or "").split(",") if one.strip()]


def normalised(domains: str | None) -> tuple[str | None, list[str]]:
    """Return the list as Coolify stores it, and what is wrong with it."""
    urls = []
    errors = []
    for url in split_domains(domains):
        parts = urlsplit(url)
        if parts.scheme.lower() not in {"http", "https"} or not parts.hostname or _FORBIDDEN.search(url):
            errors.append(f"Invalid URL: {url}")
            continue
        head = f"{parts.scheme.lower()}://{parts.netloc.lower()}"
        urls.append(head + parts.path.rstrip("/") if parts.path != "/" else head)
    return (",".join(dict.fromkeys(urls)) or None), errors


def refuse_conflicts(call: Call, domains: str | None, own_uuid: str | None) -> None:
    """Answer 409 when another application of the team has one of the URLs."""
    wanted = set(split_domains(domains))
    conflicts = []
    for other in call.state.all("application", team_id=call.team_id):
        taken = set(split_domains(other["fqdn"]))
        if other.uuid == own_uuid:
            continue
        conflicts += [
            {
                "domain": domain,
                "resource_name": other["name"],
                "resource_uuid": other.uuid,
                "resource_type": "application",
                "message": f"Domain {domain} is already in use by application '{other['name']}'",
            }
            for domain in split_domains(domains)
            if domain in wanted & taken
        ]
    if conflicts:
        raise Refusal(
            409,
            {
                "message": "Domain conflicts detected. Use force_domain_override=true to proceed.",
                "conflicts": conflicts,
                "warning": "Using the same domain for multiple resources can cause routing conflicts and "
                "unpredictable behavior.",
            },
        )


def default_domain(server: Row, application_uuid: str) -> str:
    """Return the domain that Coolify invents: plain HTTP with sslip.io where no wildcard domain is set."""
    wildcard = server["settings"].get("wildcard_domain")
    if wildcard:
        parts = urlsplit(wildcard)
        return f"{parts.scheme}://{application_uuid}.{parts.netloc}"
    return f"http://{application_uuid}.{server['ip']}.sslip.io"


def encoded_labels(labels: str | None) -> str:
    """Return labels as the deployment job leaves them: in base64, whatever they were before (reference 3.5)."""
    return base64.b64encode(plain_labels(labels).encode()).decode()


def plain_labels(labels: str | None) -> str:
    """Return labels as text, one `key=value` a line."""
    try:
        return base64.b64decode(labels or "", validate=True).decode()
    except ValueError:
        return labels or ""
