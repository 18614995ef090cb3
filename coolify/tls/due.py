"""Whether a certificate is to be renewed, and what came of trying; pure."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from coolify.tls.check import HostCertificates, judge_host
from coolify.tls.verdict import TlsPolicy

__all__ = ["is_renewed", "is_served", "why_due", "why_hopeless"]

_MENDED_BY_ISSUING: Final = (
    "certificate-missing",
    "certificate-default",
    "certificate-self-signed",
    "certificate-expired",
    "certificate-wrong-host",
    "certificate-near-expiry",
    "certificate-weak",
)
"""Findings that a newly issued certificate can mend."""

_PROXY_ALONE: Final = frozenset({None, 404, 502, 503, 504})
"""What is answered where the proxy knows no container, or one that does not run; None for nothing at all."""


def why_due(seen: HostCertificates, policy: TlsPolicy, now: datetime) -> str | None:
    """Return why a host should get a new certificate, None when it should not.

    The proxy renews by itself when a third of the lifetime is left, so that a certificate is due here when that did not
    happen, when there is none, or when the time that the authority suggested is over (RFC 9773).
    """
    for finding in judge_host(seen, policy, now):
        if finding.name in _MENDED_BY_ISSUING:
            return finding.summary
    if seen.window is not None and seen.window.is_over(now):
        return f"The authority wanted the certificate of {seen.host} renewed by {seen.window.end:%Y-%m-%d %H:%M} UTC."
    return None


def why_hopeless(seen: HostCertificates, policy: TlsPolicy, now: datetime) -> str | None:
    """Return the defect of a host that no new certificate can mend, None where there is none."""
    for finding in judge_host(seen, policy, now):
        if finding.is_problem and finding.name not in _MENDED_BY_ISSUING:
            return f"{finding.summary} {finding.remedy}"
    return None


def is_renewed(before: HostCertificates, after: HostCertificates, policy: TlsPolicy, now: datetime) -> bool:
    """Whether every address serves another certificate than before, and a good one.

    The serial number decides: that something was restarted is no proof.
    """
    old, new = set(before.serials.values()), after.serials
    complete = bool(after.handshakes) and len(new) == len(after.handshakes)
    good = not any(finding.is_problem for finding in judge_host(after, policy, now))
    return complete and good and not old & set(new.values())


def is_served(seen: HostCertificates) -> bool:
    """Whether something behind the proxy answers, a redirect of the application's router included."""
    return any(one.status not in _PROXY_ALONE for both in seen.answers for one in (both.http, both.https))
