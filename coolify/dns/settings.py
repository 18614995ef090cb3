"""What a check of a domain needs to know beside the name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from coolify.dns.answer import Nameserver

__all__ = ["LETS_ENCRYPT", "PUBLIC_RESOLVERS", "Authority", "DnsSettings", "Ports"]

PUBLIC_RESOLVERS: Final = (
    Nameserver("1.1.1.1", name="Cloudflare"),
    Nameserver("8.8.8.8", name="Google"),
    Nameserver("9.9.9.9", name="Quad9"),
)
"""Resolvers that many visitors use; asked only where the configuration names no resolvers of its own."""


@dataclass(frozen=True, slots=True)
class Authority:
    """The certificate authority that is to issue, as CAA records see it."""

    domain: str = "letsencrypt.org"
    """Its identifier in `issue` and `issuewild` (RFC 8659)."""
    account: str = ""
    """URI of the ACME account (RFC 8657); empty when it is not known."""
    method: str = "http-01"
    """Challenge that the proxy uses (RFC 8657)."""


LETS_ENCRYPT: Final = Authority()


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the host is to be reached."""

    http: int = 80
    https: int = 443
    expected: bool = True
    """Whether the proxy is to answer already; before a first deployment it need not."""


@dataclass(frozen=True, slots=True)
class DnsSettings:
    """How a domain is checked."""

    public_resolvers: tuple[Nameserver, ...] = ()
    """Resolvers to compare with, beside the one that the checks use."""
    nameserver_port: int = 53
    """Port at which the authoritative servers are asked."""
    https: bool = True
    """Whether the host is served over HTTPS."""
    authority: Authority | None = LETS_ENCRYPT
    """Who is to issue its certificate; None leaves CAA records out."""
    ports: Ports | None = None
    """Ports to connect to; None leaves that out."""
    owner: str = ""
    """Our mark in the ownership record; empty leaves ownership out."""
    require_ownership: bool = False
    """Whether a missing ownership record is an error."""
    server_seconds: float = 3.0
    """Limit for the questions to one authoritative server or public resolver."""
    zone_seconds: float = 15.0
    """Limit for all questions about one zone, its delegation and its signatures."""
