"""Check a host's certificate at all of its addresses, side by side."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from coolify.dns import LookupFailure
from coolify.finding import Finding, Severity
from coolify.tls.handshake import Handshake, inspect_certificate, offered_protocols
from coolify.tls.issuance import judge_port_80
from coolify.tls.renewal import RenewalWindow, ask_renewal
from coolify.tls.surroundings import (
    judge_alpn,
    judge_clock,
    judge_hsts,
    judge_protocols,
    judge_redirect,
    judge_renewal,
)
from coolify.tls.verdict import TlsPolicy, judge_certificate, judge_sameness
from coolify.tls.web import WebAnswers, ask_web

__all__ = ["Detail", "HostCertificates", "check_certificate", "inspect_host", "judge_host"]

_WITHOUT_RECORDS: Final = frozenset({None, LookupFailure.NXDOMAIN, LookupFailure.NODATA})
"""Where a record is missing, and the look-up did not fail."""


@dataclass(frozen=True, slots=True)
class Detail:
    """What a detailed check looks at beyond the one handshake for each address."""

    http_port: int = 80
    path: str = "/"
    """Path to ask for: below a path of its own, an application does not answer elsewhere."""
    acme_directory: str | None = None
    """URL of the authority's ACME directory, for renewal information; known ones are known."""


@dataclass(frozen=True, slots=True)
class HostCertificates:
    """Everything that was measured about one host."""

    host: str
    handshakes: tuple[Handshake, ...]
    protocols: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Address and the TLS versions that it accepts; empty without a detailed look."""
    answers: tuple[WebAnswers, ...] = ()
    window: RenewalWindow | None = None
    """When the authority wants the first certificate renewed, None where it does not say."""
    detailed: bool = False
    lookup_failure: LookupFailure | None = None
    """Why its addresses are not known, None where they are or where nobody looked them up."""

    @property
    def serials(self) -> dict[str, str]:
        """Address -> serial number of what it serves."""
        return {one.address: one.certificate.serial for one in self.handshakes if one.certificate}


async def check_certificate(
    host: str,
    addresses: Iterable[str],
    *,
    port: int = 443,
    ca_file: Path | None = None,
    policy: TlsPolicy | None = None,
    detail: Detail | None = None,
) -> tuple[Finding, ...]:
    """Return what every address of the host serves, and whether all serve the same.

    Costs one handshake for each address, a second one where the certificate does not verify, and about six more
    connections with `detail`.

    Args:
        host: Domain.
        addresses: Where it is served.
        port: Port of HTTPS.
        ca_file: CA certificates to trust besides the system's.
        policy: What is demanded.
        detail: What else to look at; only the certificate when left out.
    """
    seen = await inspect_host(host, addresses, port=port, ca_file=ca_file, detail=detail)
    return judge_host(seen, policy or TlsPolicy(), datetime.now(UTC))


async def inspect_host(
    host: str,
    addresses: Iterable[str],
    *,
    port: int = 443,
    ca_file: Path | None = None,
    detail: Detail | None = None,
) -> HostCertificates:
    """Measure what every address of a host serves; see `check_certificate` for the arguments."""
    asked = tuple(addresses)
    handshakes = tuple(
        await asyncio.gather(*(inspect_certificate(host, address, port, ca_file=ca_file) for address in asked))
    )
    if detail is None:
        return HostCertificates(host, handshakes)
    protocols, answers, window = await asyncio.gather(
        asyncio.gather(*(offered_protocols(host, address, port) for address in asked)),
        asyncio.gather(
            *(ask_web(host, one, http_port=detail.http_port, https_port=port, path=detail.path) for one in asked)
        ),
        _ask_renewal(handshakes, detail.acme_directory, ca_file),
    )
    return HostCertificates(
        host,
        handshakes,
        protocols=tuple(zip(asked, protocols, strict=True)),
        answers=tuple(answers),
        window=window,
        detailed=True,
    )


def judge_host(seen: HostCertificates, policy: TlsPolicy, now: datetime) -> tuple[Finding, ...]:
    """Return what was measured means; pure."""
    handshakes = seen.handshakes
    if not handshakes:
        # Nothing was looked at: that must not count as good.
        return (_without_address(seen),)
    judged = [finding for one in handshakes for finding in judge_certificate(one, policy, now)]
    findings = [*judged, *judge_sameness(handshakes)]
    if seen.detailed:
        findings += judge_renewal(handshakes[0], seen.window, now)
        findings += judge_protocols(seen.host, dict(seen.protocols))
        findings += judge_alpn(seen.host, handshakes)
        findings += judge_port_80(seen.host, {one.address: one.http for one in seen.answers}, Severity.WARNING)
        findings += judge_redirect(seen.host, seen.answers)
        findings += judge_hsts(seen.host, seen.answers)
        findings += judge_clock(seen.host, seen.answers)
    return tuple(findings)


def _without_address(seen: HostCertificates) -> Finding:
    summary = f"{seen.host} has no address, so that there is no certificate to look at."
    remedy = "Create its A or AAAA record."
    if seen.lookup_failure not in _WITHOUT_RECORDS:
        summary = f"The address of {seen.host} could not be looked up ({seen.lookup_failure}), nor its certificate."
        remedy = "Check the name servers of the domain, and network.resolvers."
    return Finding(
        name="certificate-unreachable", severity=Severity.ERROR, subject=seen.host, summary=summary, remedy=remedy
    )


async def _ask_renewal(
    handshakes: tuple[Handshake, ...], directory: str | None, ca_file: Path | None
) -> RenewalWindow | None:
    """Ask for the first certificate: one that did not come from an authority has none to ask."""
    leaf = next((one.certificate for one in handshakes if one.certificate and one.trust_error is None), None)
    return await ask_renewal(leaf, directory, ca_file=ca_file) if leaf else None
