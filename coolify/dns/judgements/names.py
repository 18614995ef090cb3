"""Judge: the name itself, and names that a wildcard answers for."""

from __future__ import annotations

from typing import Final

from coolify.dns.survey import Survey
from coolify.finding import Finding, Severity
from coolify.hostnames import as_unicode

__all__ = ["judge_helper_service", "judge_international", "judge_name", "judge_wildcard"]

_HELPER_SERVICES: Final = ("sslip.io", "nip.io", "xip.io", "traefik.me")
"""Services that answer with the address that stands in the name."""


def judge_name(survey: Survey) -> tuple[Finding, ...]:
    """Say why a name is no host name; nothing more can be known about it."""
    return (
        Finding(
            name="domain-name-invalid",
            severity=Severity.ERROR,
            subject=survey.host,
            summary=f"'{survey.host}' is not a valid host name: it {survey.name_problem}",
            evidence=(f"written: {survey.written}",),
            remedy="Correct it in the section domains.",
        ),
    )


def judge_international(survey: Survey) -> tuple[Finding, ...]:
    """Show both forms of a name in another script, for records are entered in one and people read the other."""
    readable = as_unicode(survey.host)
    if readable == survey.host:
        return ()
    return (
        Finding(
            name="domain-international",
            severity=Severity.INFO,
            subject=survey.host,
            summary=f"{survey.host} is the form of {readable} in the DNS.",
            evidence=(f"UTS 46: {readable} -> {survey.host}",),
        ),
    )


def judge_helper_service(survey: Survey, *, https: bool) -> tuple[Finding, ...]:
    """Warn of names such as 192.0.2.10.sslip.io: fine to try things out, not to be relied upon."""
    service = next((one for one in _HELPER_SERVICES if survey.host.endswith(f".{one}")), None)
    if service is None:
        return ()
    return (
        Finding(
            name="domain-of-helper-service",
            severity=Severity.WARNING if https else Severity.INFO,
            subject=survey.host,
            summary=f"{survey.host} belongs to {service}, which answers with the address in the name.",
            evidence=(f"addresses: {', '.join(survey.addresses.all) or 'none'}",),
            remedy="Use a domain of your own: the service may end, and its users share one limit of certificates.",
        ),
    )


def judge_wildcard(survey: Survey) -> tuple[Finding, ...]:
    """Tell that a wildcard answers where the name itself may not have been entered."""
    beside, found = survey.wildcard, survey.addresses
    if beside is None or not survey.is_by_wildcard:
        return ()
    parent = survey.host.partition(".")[2]
    right = survey.server.has(found.all)
    return (
        Finding(
            name="domain-wildcard-answers",
            severity=Severity.INFO if right else Severity.WARNING,
            subject=survey.host,
            summary=f"{survey.host} is answered as any other name below {parent}: by the wildcard *.{parent}.",
            evidence=(
                f"{survey.host}: {', '.join(found.all)}",
                f"{beside.v4.name} (made up): {', '.join(sorted(beside.addresses))}",
            ),
            remedy="" if right else f"Create records for {survey.host} itself: they go before the wildcard (RFC 4592).",
        ),
    )
