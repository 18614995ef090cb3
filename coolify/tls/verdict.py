"""Judge: what a handshake means; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from coolify.finding import Finding, Severity
from coolify.tls.certificate import Certificate, Link
from coolify.tls.handshake import Handshake

__all__ = ["TlsPolicy", "evidence_of", "judge_certificate", "judge_sameness"]

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
    if leaf is None:
        return (_without_certificate(handshake),)
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


def evidence_of(handshake: Handshake) -> tuple[str, ...]:
    """Return what was seen, one fact an entry."""
    leaf = handshake.certificate
    lines = [f"{handshake.where} {handshake.protocol or ''} {handshake.alpn or ''}".strip()]
    if leaf is not None:
        lines += [
            f"subject {leaf.subject}, issuer {leaf.issuer}, serial {leaf.serial}, {leaf.key}",
            f"names {', '.join(leaf.names) or 'none'}",
            f"valid {leaf.not_before:%Y-%m-%d %H:%M} to {leaf.not_after:%Y-%m-%d %H:%M} UTC",
        ]
    lines += [f"verification: {handshake.trust_error}"] if handshake.trust_error else []
    lines += [f"served chain: {' <- '.join(one.subject for one in handshake.served)}"] if handshake.served else []
    return tuple(lines)


def _without_certificate(handshake: Handshake) -> Finding:
    if handshake.has_no_certificate:
        summary = f"The proxy at {handshake.where} has no certificate for {handshake.host} yet."
        remedy = "Wait a minute after the first deployment; then check DNS, port 80, CAA records and the proxy's log."
        return _finding(handshake, "certificate-missing", Severity.ERROR, summary, remedy)
    summary = f"{handshake.host} offers no TLS at {handshake.where}: {handshake.connection_error}."
    remedy = "Check that the proxy runs and that the port is open to the outside."
    return _finding(handshake, "certificate-unreachable", Severity.ERROR, summary, remedy)


def _validity(handshake: Handshake, leaf: Certificate, policy: TlsPolicy, now: datetime) -> Finding | None:
    host = handshake.host
    if now < leaf.not_before:
        summary = f"The certificate of {host} is not valid before {leaf.not_before:%Y-%m-%d %H:%M} UTC."
        remedy = "Check the clock of this machine and of the server."
        return _finding(handshake, "certificate-not-yet-valid", Severity.ERROR, summary, remedy)
    if now >= leaf.not_after:
        summary = f"The certificate of {host} expired on {leaf.not_after:%Y-%m-%d %H:%M} UTC."
        remedy = "Renew it with `coolify ssl renew`, and read the proxy's log when that does not help."
        return _finding(handshake, "certificate-expired", Severity.ERROR, summary, remedy)
    left = leaf.life_left(now)
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
    elif _is_incomplete(handshake.served):
        source = f", from {leaf.issuer_url}" if leaf.issuer_url else ""
        name, summary, remedy = (
            "certificate-chain-incomplete",
            f"{host} serves its certificate without the intermediate certificate of {leaf.issuer}.",
            f"Serve the whole chain{source}; set network.ca_file when a private authority issues directly.",
        )
    else:
        name, summary, remedy = (
            "certificate-untrusted",
            f"The certificate of {host} by {leaf.issuer} does not verify: {handshake.trust_error}.",
            "Set network.ca_file when a private authority is meant; have it issued by a public one otherwise.",
        )
    return _finding(handshake, name, Severity.ERROR, summary, remedy)


def _is_incomplete(served: Sequence[Link]) -> bool:
    """Whether the leaf's issuer is not among the served certificates, as it must be below a root (RFC 8446 4.4.2)."""
    return bool(served) and not any(one.subject == served[0].issuer for one in served[1:])


def _covers(names: Sequence[str], host: str) -> bool:
    """Compare as RFC 6125 6.4.3: a wildcard stands for exactly one leftmost label."""
    parent = host.partition(".")[2].lower()
    return any(name.lower() == host.lower() or name.lower() == f"*.{parent}" for name in names)


def _finding(handshake: Handshake, name: str, severity: Severity, summary: str, remedy: str) -> Finding:
    return Finding(
        name=name,
        severity=severity,
        subject=handshake.host,
        summary=summary,
        evidence=evidence_of(handshake),
        remedy=remedy,
    )
