"""Why an authority may not issue: what can be seen from the outside, besides the DNS that has checks of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Final

from coolify.finding import Finding, Severity
from coolify.tls.web import WebAnswer, ask_http

__all__ = ["ask_port_80", "judge_port_80", "judge_proxy", "rate_limit_hint"]

_CHALLENGE_PATH: Final = "/.well-known/acme-challenge/coolify-flows"
"""Where the authority asks (RFC 8555 section 8.3), with a token that nobody has issued: any answer is good."""
_STOPPED: Final = frozenset({"exited", "stopped", "dead"})


async def ask_port_80(
    host: str, addresses: Iterable[str], port: int = 80, *, timeout_seconds: float = 5.0
) -> dict[str, WebAnswer]:
    """Return what every address answers where an authority would ask."""
    asked = tuple(addresses)
    answers = await asyncio.gather(
        *(ask_http(host, one, port, path=_CHALLENGE_PATH, timeout_seconds=timeout_seconds) for one in asked)
    )
    return dict(zip(asked, answers, strict=True))


def judge_port_80(
    host: str, answers: Mapping[str, WebAnswer], severity: Severity = Severity.ERROR
) -> tuple[Finding, ...]:
    """Return a finding when an address does not answer plain HTTP; pure.

    Args:
        host: Domain.
        answers: Address -> answer of its port 80.
        severity: An error while a certificate is missing, a warning as long as there is one.
    """
    closed = tuple(f"{address}: {one.error}" for address, one in answers.items() if one.status is None)
    if not closed:
        return ()
    summary = f"Port 80 of {host} does not answer, and most certificates are issued and renewed through it."
    remedy = "Open port 80 in the firewall (HTTP-01, RFC 8555 section 8.3), unless DNS-01 or TLS-ALPN-01 is used."
    return (
        Finding(
            name="certificate-port-80-closed",
            severity=severity,
            subject=host,
            summary=summary,
            evidence=closed,
            remedy=remedy,
        ),
    )


def judge_proxy(server: str, kind: str | None, status: str | None) -> tuple[Finding, ...]:
    """Return what Coolify's word about the proxy means for certificates; pure.

    Args:
        server: Name of the server.
        kind: `TRAEFIK`, `CADDY` or `NONE`; None where Coolify does not tell.
        status: State of the proxy's container; None where Coolify does not tell.
    """
    if (kind or "").upper() == "NONE":
        return (
            Finding(
                name="certificate-proxy-none",
                severity=Severity.ERROR,
                subject=server,
                summary=f"The server {server} has no proxy: Coolify ignores its domains, and nobody gets certificates.",
                evidence=("proxy type NONE",),
                remedy="Choose a proxy in Coolify under Servers, Proxy.",
            ),
        )
    if status in _STOPPED:
        return (
            Finding(
                name="certificate-proxy-stopped",
                severity=Severity.ERROR,
                subject=server,
                summary=f"The proxy of the server {server} does not run.",
                evidence=(f"Coolify calls it {status}",),
                remedy="Start it in Coolify under Servers, Proxy, and read its log when it stops again.",
            ),
        )
    return ()


def rate_limit_hint(host: str) -> Finding:
    """Return what is left to suspect when nothing else hinders the authority; pure."""
    return Finding(
        name="certificate-rate-limited",
        severity=Severity.WARNING,
        subject=host,
        summary=f"Nothing visible hinders a certificate for {host}; the authority's rate limit may.",
        evidence=(
            "Let's Encrypt: 5 failed validations for a host and an hour, 5 certificates for the same names and a week",
        ),
        remedy="Look for rateLimited in the proxy's log and wait for the time that it names; then `coolify ssl renew`.",
    )
