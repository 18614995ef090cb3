"""Judge what stands around a certificate: protocols, redirect, HSTS, clock, the authority's wish; pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from coolify.finding import Finding, Severity
from coolify.tls.handshake import Handshake
from coolify.tls.renewal import RenewalWindow
from coolify.tls.verdict import evidence_of
from coolify.tls.web import WebAnswers

__all__ = ["judge_alpn", "judge_clock", "judge_hsts", "judge_protocols", "judge_redirect", "judge_renewal"]

_OLD: Final = frozenset({"TLSv1", "TLSv1.1"})
"""Deprecated by RFC 8996."""
_SHORT_HSTS: Final = timedelta(days=180)
_TOLERATED_SKEW: Final = timedelta(seconds=60)


def judge_protocols(host: str, offered: Mapping[str, Sequence[str]]) -> tuple[Finding, ...]:
    """Return what the TLS versions mean that each address accepts.

    Args:
        host: Domain.
        offered: Address -> versions.
    """
    evidence = tuple(f"{address}: {', '.join(versions) or 'none'}" for address, versions in offered.items())
    seen = {version for versions in offered.values() for version in versions}
    findings = []
    if old := sorted(seen & _OLD):
        only = not seen - _OLD
        summary = f"{host} accepts {' and '.join(old)}{' only' if only else ''}, which RFC 8996 forbids."
        severity = Severity.ERROR if only else Severity.WARNING
        remedy = "Set the minimum version of the proxy's TLS options to 1.2."
        findings.append(_finding(host, "https-old-protocol", severity, summary, evidence, remedy))
    if seen and "TLSv1.3" not in seen:
        summary = f"{host} does not offer TLS 1.3."
        remedy = "Bring the proxy up to date, or allow the version in its TLS options."
        findings.append(_finding(host, "https-without-tls13", Severity.INFO, summary, evidence, remedy))
    return tuple(findings)


def judge_alpn(host: str, handshakes: Iterable[Handshake]) -> tuple[Finding, ...]:
    """Return a hint where an address does not offer HTTP/2."""
    without = [one for one in handshakes if one.certificate and one.alpn != "h2"]
    if not without:
        return ()
    evidence = tuple(f"{one.where}: {one.alpn or 'no ALPN'}" for one in without)
    summary = f"{host} does not offer HTTP/2."
    return (_finding(host, "https-without-http2", Severity.INFO, summary, evidence, "Nothing breaks; it is slower."),)


def judge_redirect(host: str, answers: Iterable[WebAnswers]) -> tuple[Finding, ...]:
    """Return a warning where plain HTTP answers something else than the way to HTTPS."""
    wrong = tuple(
        f"{one.address}: {one.http.status} {one.http.location or ''}".strip()
        for one in answers
        if one.http.status is not None and not (300 <= one.http.status < 400 and _is_secure(one.http.location))
    )
    if not wrong:
        return ()
    summary = f"http://{host} does not redirect to HTTPS."
    remedy = "Switch on *Force HTTPS* of the application in Coolify, then send its domains again and restart it."
    return (_finding(host, "https-redirect-missing", Severity.WARNING, summary, wrong, remedy),)


def judge_hsts(host: str, answers: Iterable[WebAnswers]) -> tuple[Finding, ...]:
    """Return a hint where Strict-Transport-Security is missing or short (RFC 6797)."""
    seen = [one for one in answers if one.https.status is not None]
    weak = [one for one in seen if _max_age(one.https.hsts) < _SHORT_HSTS]
    if not weak:
        return ()
    evidence = tuple(f"{one.address}: {one.https.hsts or 'no header'}" for one in weak)
    summary = f"{host} does not tell browsers to use HTTPS only (Strict-Transport-Security of at least half a year)."
    remedy = "Set it once HTTPS is meant to stay: browsers remember it for as long as it says."
    return (_finding(host, "https-hsts-missing", Severity.INFO, summary, evidence, remedy),)


def judge_clock(host: str, answers: Iterable[WebAnswers]) -> tuple[Finding, ...]:
    """Return a warning where the server's clock and ours are apart."""
    skews = {
        one.address: skew
        for one in answers
        if (skew := one.https.skew if one.https.skew is not None else one.http.skew) is not None
    }
    apart = {address: skew for address, skew in skews.items() if abs(skew) > _TOLERATED_SKEW}
    if not apart:
        return ()
    evidence = tuple(
        f"{address}: {abs(skew).total_seconds():.0f} s {'ahead' if skew > timedelta() else 'behind'}"
        for address, skew in apart.items()
    )
    worst = max(abs(skew) for skew in apart.values()).total_seconds()
    summary = f"The clocks of {host} and of this machine are {worst:.0f} s apart."
    remedy = "Synchronise both by NTP: certificates, tokens and logs rely on it."
    return (_finding(host, "https-clock-skew", Severity.WARNING, summary, evidence, remedy),)


def judge_renewal(handshake: Handshake, window: RenewalWindow | None, now: datetime) -> tuple[Finding, ...]:
    """Return a warning when the authority wants the certificate to be renewed by now (RFC 9773)."""
    if window is None or not window.is_open(now):
        return ()
    host = handshake.host
    why = f" Its reason: {window.explanation_url}" if window.explanation_url else ""
    late = window.is_over(now)
    summary = (
        f"The authority wanted the certificate of {host} renewed by {window.end:%Y-%m-%d %H:%M} UTC."
        if late
        else f"The authority wants the certificate of {host} renewed before {window.end:%Y-%m-%d %H:%M} UTC."
    )
    remedy = f"Renew it with `coolify ssl renew`; after the window it may be revoked.{why}"
    evidence = (
        *evidence_of(handshake),
        f"suggested window {window.start:%Y-%m-%d %H:%M} to {window.end:%Y-%m-%d %H:%M} UTC",
    )
    severity = Severity.WARNING if late else Severity.INFO
    return (_finding(host, "certificate-renewal-asked", severity, summary, evidence, remedy),)


def _is_secure(location: str | None) -> bool:
    return urlsplit(location or "").scheme.lower() == "https"


def _max_age(header: str | None) -> timedelta:
    match = re.search(r'(?:^|;)\s*max-age\s*=\s*"?(\d{1,10})"?', header or "", re.IGNORECASE)
    return timedelta(seconds=int(match.group(1))) if match else timedelta()


def _finding(host: str, name: str, severity: Severity, summary: str, evidence: tuple[str, ...], remedy: str) -> Finding:
    return Finding(name=name, severity=severity, subject=host, summary=summary, evidence=evidence, remedy=remedy)
