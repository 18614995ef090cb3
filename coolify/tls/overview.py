"""Certificates as rows of a table, for terminal, JSON and artifact; pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from coolify.finding import Finding, Severity
from coolify.tls.check import HostCertificates, judge_host
from coolify.tls.handshake import Handshake
from coolify.tls.verdict import TlsPolicy

__all__ = ["CertificateRow", "HostStatus", "host_status"]


class CertificateRow(BaseModel):
    """What one address of a host serves."""

    model_config = ConfigDict(frozen=True)

    address: str
    issuer: str | None = None
    serial: str | None = None
    not_before: datetime | None = None
    not_after: datetime | None = None
    days_left: int | None = None
    """Whole days; negative after the end."""
    life_left: float | None = None
    """Share of the lifetime that is left, from 0 to 1."""
    key: str | None = None
    signature: str | None = None
    protocol: str | None = None
    protocols: tuple[str, ...] = ()
    alpn: str | None = None
    names: tuple[str, ...] = ()


class HostStatus(BaseModel):
    """A host: its addresses, and what is to be said about them."""

    model_config = ConfigDict(frozen=True)

    host: str
    addresses: tuple[CertificateRow, ...]
    findings: tuple[Finding, ...]

    @property
    def problems(self) -> tuple[Finding, ...]:
        """Errors and warnings, errors first."""
        told = [one for one in self.findings if one.severity.rank >= Severity.WARNING.rank]
        return tuple(sorted(told, key=lambda one: -one.severity.rank))


def host_status(seen: HostCertificates, policy: TlsPolicy, now: datetime) -> HostStatus:
    """Return what was measured about a host, judged."""
    protocols = dict(seen.protocols)
    return HostStatus(
        host=seen.host,
        addresses=tuple(_rows(seen.handshakes, protocols, now)),
        findings=judge_host(seen, policy, now),
    )


def _rows(
    handshakes: Iterable[Handshake], protocols: dict[str, tuple[str, ...]], now: datetime
) -> Iterable[CertificateRow]:
    for one in handshakes:
        leaf = one.certificate
        offered = protocols.get(one.address, ())
        if leaf is None:
            yield CertificateRow(address=one.address, protocols=offered)
            continue
        yield CertificateRow(
            address=one.address,
            issuer=leaf.issuer,
            serial=leaf.serial,
            not_before=leaf.not_before,
            not_after=leaf.not_after,
            days_left=(leaf.not_after - now).days,
            life_left=round(min(max(leaf.life_left(now), 0.0), 1.0), 3),
            key=leaf.key,
            signature=leaf.signature,
            protocol=one.protocol,
            protocols=offered,
            alpn=one.alpn,
            names=leaf.names,
        )
