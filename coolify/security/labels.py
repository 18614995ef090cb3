"""Labels of an application with ours among them: a pure decision, repeated after each change of domains.

Coolify generates labels from domains and stores them whole (reference 3.5). Ours carry a mark in their names, so that
they are found again, replaced and removed, and everything else stays as it was, line for line.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from coolify.api import Ability, Application
from coolify.errors import OperatorError
from coolify.security import caddy, traefik
from coolify.security.wanted import WantedSecurity

__all__ = [
    "LabelsHiddenError",
    "LabelsPlan",
    "ProxyKind",
    "SecurityUnsupportedError",
    "plan_labels",
    "proxy_kind",
    "secured_labels",
    "summary_of",
]

_NOTHING: Final = "nothing"


class SecurityUnsupportedError(OperatorError):
    """The configuration wants what the proxy or the application cannot be told through Coolify."""


class LabelsHiddenError(OperatorError):
    """The token may not see labels, and labels that are not seen cannot be added to."""


class ProxyKind(StrEnum):
    """The proxy of a server (reference 3.6)."""

    TRAEFIK = "TRAEFIK"
    CADDY = "CADDY"
    NONE = "NONE"


@dataclass(frozen=True, slots=True)
class LabelsPlan:
    """What the labels have to become."""

    labels: str | None = field(repr=False)
    """All labels, one a line; None where they stay, or are not generated yet."""
    before: str
    """What of ours is there, in words."""
    after: str
    """What of ours is wanted, in words."""
    is_ours: bool = True
    """Whether anything of ours is there or wanted."""
    is_change: bool = False
    """Whether something has to change."""
    lacks_routes: bool = False
    """Whether Coolify has to generate labels first, although there are domains."""


def secured_labels(labels: str, wanted: WantedSecurity, proxy: ProxyKind, uuid: str, *, escaped: bool = True) -> str:
    """Return the labels with those that the configuration wants, and without those that it wanted once.

    Applying it twice is applying it once; lines that are not ours stay, in their order.

    Args:
        labels: Labels as Coolify generated or stored them, one a line.
        wanted: What the configuration wants.
        proxy: The proxy of the application's server.
        uuid: UUID of the application: names of middlewares are shared by all containers of a server.
        escaped: Whether Coolify escapes `$` on its way to Docker Compose, as it does by default.

    Raises:
        SecurityUnsupportedError: The proxy cannot do it.
    """
    bare = caddy.without(traefik.without(labels, uuid))
    if not wanted.in_labels:
        return bare
    match proxy:
        case ProxyKind.TRAEFIK:
            return traefik.with_security(bare, wanted, uuid, escaped=escaped)
        case ProxyKind.CADDY:
            if impossible := caddy.impossible(wanted):
                raise SecurityUnsupportedError(
                    f"The server's proxy is Caddy, which cannot be told {' and '.join(impossible)} through labels: "
                    "remove that from the section `security`, or use a server with Traefik."
                )
            return caddy.with_security(bare, wanted, escaped=escaped)
        case ProxyKind.NONE:
            raise SecurityUnsupportedError(
                "The server has no proxy that Coolify knows: headers, limits and access cannot be set. Remove the "
                "section `security`, or choose a proxy in Coolify under Servers, Proxy."
            )


def plan_labels(application: Application, wanted: WantedSecurity, *, regenerated: bool = False) -> LabelsPlan:
    """Return what the labels of an application have to become.

    Args:
        application: As it is on the server.
        wanted: What the configuration wants.
        regenerated: Whether a change that comes first makes Coolify generate all labels anew.

    Raises:
        LabelsHiddenError: Something is wanted and the token may not see labels.
        SecurityUnsupportedError: It cannot be done for this application.
    """
    uuid = application.uuid
    after = summary_of(wanted)
    wants = wanted.in_labels
    if not application.labels_known:
        if wants:
            raise LabelsHiddenError(
                f"The API token may not see the labels of {application.name}: the section `security` needs a token of "
                f"an admin or owner of the team with the ability {Ability.READ_SENSITIVE.value}."
            )
        return LabelsPlan(None, _NOTHING, after, is_ours=False)
    if wants and application.build_pack == "dockercompose":
        raise SecurityUnsupportedError(
            f"{application.name} is a Compose application: its labels belong into its compose file, where Coolify "
            "leaves them alone. Remove the section `security`, see docs/security.md."
        )
    labels = application.custom_labels or ""
    bare = caddy.without(traefik.without(labels, uuid))
    before = "" if labels == bare else ", ".join(traefik.names(labels, uuid) or caddy.names(labels))
    secured = secured_labels(labels, wanted, proxy_kind(application), uuid, escaped=_escapes(application))
    lacks_routes = wants and secured == bare and bool(application.fqdn)
    return LabelsPlan(
        None if secured == labels else secured,
        before or _NOTHING,
        after,
        is_ours=wants or labels != bare,
        is_change=secured != labels or lacks_routes or (wants and regenerated),
        lacks_routes=lacks_routes,
    )


def proxy_kind(application: Application) -> ProxyKind:
    """Return the proxy of the server that an application runs on, Traefik where the answer does not tell."""
    server = (application.raw.get("destination") or {}).get("server") or {}
    told = str((server.get("proxy") or {}).get("type") or ProxyKind.TRAEFIK).upper()
    return ProxyKind(told) if told in set(ProxyKind) else ProxyKind.NONE


def summary_of(wanted: WantedSecurity) -> str:
    """Return what is set by labels, in words, without values."""
    return ", ".join(wanted.parts) or _NOTHING


def _escapes(application: Application) -> bool:
    # Before 4.2.0 the settings are not told; it is on unless somebody has switched it off.
    return application.raw.get("is_container_label_escape_enabled") is not False
