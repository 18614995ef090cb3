"""Judge: what a handshake means; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from coolify.finding import Finding, Severity
from coolify.tls.handshake import Certificate, Handshake

__all__ = ["TlsPolicy", "judge_certificate", "judge_sameness"]

_DEFAULT_CERTIFICATES: Final = ("TRAEFIK DEFAULT CERT", "Caddy Local Authority")
_STAGING: Final = ("(STAGING)", "Fake LE")


@dataclass(frozen=True, slots=True)
class TlsPolicy:
    """What is demanded of a certificate.

    A certificate is renewed when a third of its life is left (Let's Encrypt's advice for lifetimes of six days to a
    year alike), so that less than `warn_below` of it means that a renewal is overdue.
    """

    warn_below: float = 0.25
    error_below: float = 0.05


def judge_certificate(handshake: Handshake, policy: TlsPolicy, now: datetime) -> tuple[Finding, ...]:
    """Return what one handshake shows; the first error explains the others away."""
    leaf = handshake.certificate
    where = f"{handshake.address}:{handshake.port}"
    if leaf is None:
        return (
            _finding(
                handshake,
                "certificate-unreachable",
                Severity.ERROR,
                f"{handshake.host} offers no TLS at {where}: {handshake.connection_error}.",
                "Check that the proxy runs and that the port is open to the outside.",
            ),
        )
    checks = (_validity(handshake, leaf, policy, now), _trust(handshake, leaf, now))
    findings = [finding for finding in checks if finding]
    if leaf.weak:
        summary = f"The certificate of {handshake.host} is weak: {leaf.weak}."
        remedy = "Have it issued again with an ECDSA P-256 or RSA 2048 key."
        findings.append(_finding(handshake, "certificate-weak", Severity.ERROR, summary, remedy))
    if any(finding.is_problem for finding in findings):
        return tuple(findings)
    days = (leaf.not_after - now).days
    good = f"{handshake.host} has a trusted certificate by {leaf.issuer}, valid for {days} more days."
    return (*findings, _finding(handshake, "certificate-valid", Severity.OK, good, ""))


def judge_sameness(handshakes: Sequence[Handshake]) -> tuple[Finding, ...]:
    """Return a warning when the addresses of a host serve different certificates."""
    serials = {one.certificate.serial for one in handshakes if one.certificate}
    if len(serials) < 2:
        return ()
    evidence = tuple(f"{one.address}: serial {one.certificate.serial}" for one in handshakes if one.certificate)
    return (
        Finding(
            name="certificate-differs",
            severity=Severity.WARNING,
            subject=handshakes[0].host,
            summary=f"The addresses of {handshakes[0].host} serve {len(serials)} different certificates.",
            evidence=evidence,
            remedy="Check that every address is a server that you meant, and that each renews its certificate.",
        ),
    )


def _validity(handshake: Handshake, leaf: Certificate, policy: TlsPolicy, now: datetime) -> Finding | None:
    host = handshake.host
    if now < leaf.not_before:
        summary = f"The certificate of {host} is not valid before {leaf.not_before:%Y-%m-%d %H:%M} UTC."
        remedy = "Check the clock of this machine and of the server."
        return _finding(handshake, "certificate-not-yet-valid", Severity.ERROR, summary, remedy)
    if now >= leaf.not_after:
        summary = f"The certificate of {host} expired on {leaf.not_after:%Y-%m-%d %H:%M} UTC."
        remedy = "Restart the application so that the proxy asks for a new one, and read the proxy's log."
        return _finding(handshake, "certificate-expired", Severity.ERROR, summary, remedy)
    left = (leaf.not_after - now) / max(leaf.not_after - leaf.not_before, timedelta(seconds=1))
    if left >= policy.warn_below:
        return None
    severity = Severity.ERROR if left < policy.error_below else Severity.WARNING
    summary = f"The certificate of {host} has {left:.0%} of its life left, until {leaf.not_after:%Y-%m-%d %H:%M} UTC."
    remedy = "Its renewal is overdue: check that port 80 is reachable and read the proxy's log."
    return _finding(handshake, "certificate-near-expiry", severity, summary, remedy)


def _trust(handshake: Handshake, leaf: Certificate, now: datetime) -> Finding | None:
    """Return why the certificate is not trusted, the most telling reason first."""
    if handshake.trust_error is None:
        return None
    host = handshake.host
    if any(name in f"{leaf.subject} {leaf.issuer}" for name in _DEFAULT_CERTIFICATES):
        name, summary, remedy = (
            "certificate-default",
            f"{host} still has the proxy's own default certificate: none was issued for it.",
            "Wait a minute after the first deployment; then check DNS, port 80, CAA records and the proxy's log.",
        )
    elif any(mark in leaf.issuer for mark in _STAGING):
        name, summary, remedy = (
            "certificate-staging",
            f"{host} has a certificate of a staging authority, which browsers do not trust.",
            "Switch the proxy's ACME server to the production one.",
        )
    elif leaf.self_signed:
        name, summary, remedy = (
            "certificate-self-signed",
            f"{host} has a self-signed certificate.",
            "Let the proxy obtain one, or set network.ca_file when a private authority is meant.",
        )
    elif not _covers(leaf.names, host):
        name, summary, remedy = (
            "certificate-wrong-host",
            f"The certificate at {host} is for {', '.join(leaf.names) or leaf.subject}.",
            "Check that the domain is entered in Coolify with https and that the right server answers.",
        )
    elif leaf.weak or not leaf.not_before <= now < leaf.not_after:
        # That alone fails verification, and has a finding of its own.
        return None
    else:
        name, summary, remedy = (
            "certificate-untrusted",
            f"The certificate of {host} by {leaf.issuer} does not verify: {handshake.trust_error}.",
            "Serve the whole chain, or set network.ca_file when a private authority is meant.",
        )
    return _finding(handshake, name, Severity.ERROR, summary, remedy)


def _covers(names: Sequence[str], host: str) -> bool:
    """Compare as RFC 6125 6.4.3: a wildcard stands for exactly one leftmost label."""
    parent = host.partition(".")[2].lower()
    return any(name.lower() == host.lower() or name.lower() == f"*.{parent}" for name in names)


def _finding(handshake: Handshake, name: str, severity: Severity, summary: str, remedy: str) -> Finding:
    leaf = handshake.certificate
    evidence = [f"{handshake.address}:{handshake.port} {handshake.protocol or ''}".strip()]
    if leaf is not None:
        evidence += [
            f"subject {leaf.subject}, issuer {leaf.issuer}, serial {leaf.serial}, {leaf.key}",
            f"names {', '.join(leaf.names) or 'none'}",
            f"valid {leaf.not_before:%Y-%m-%d %H:%M} to {leaf.not_after:%Y-%m-%d %H:%M} UTC",
        ]
    evidence += [f"verification: {handshake.trust_error}"] if handshake.trust_error else []
    return Finding(
        name=name,
        severity=severity,
        subject=handshake.host,
        summary=summary,
        evidence=tuple(evidence),
        remedy=remedy,
    )
