"""Judge: chains of CNAME records."""

from __future__ import annotations

from typing import Final

from coolify.dns.resolver import LookupFailure
from coolify.dns.survey import Survey
from coolify.finding import Finding, Severity

__all__ = ["judge_aliases"]

_LONG: Final = 6
"""Links from which resolvers begin to give up; Unbound follows 11, some firewalls' far fewer."""


def judge_aliases(survey: Survey) -> tuple[Finding, ...]:
    """Find circles, targets that are not there, and chains that are too long."""
    targets = survey.aliases.targets
    if not targets:
        return ()
    evidence = (f"CNAME {' -> '.join((survey.host, *targets))}",)
    failure = survey.addresses.failure
    if survey.aliases.loops:
        return (
            Finding(
                name="domain-alias-loop",
                severity=Severity.ERROR,
                subject=survey.host,
                summary=f"{survey.host} is an alias (CNAME) that leads in a circle.",
                evidence=evidence,
                remedy="Replace one of the CNAME records by A and AAAA records of the server.",
            ),
        )
    if failure in {LookupFailure.NXDOMAIN, LookupFailure.NODATA}:
        why = "does not exist" if failure is LookupFailure.NXDOMAIN else "has no address"
        return (
            Finding(
                name="domain-alias-dangling",
                severity=Severity.ERROR,
                subject=survey.host,
                summary=f"{survey.host} is an alias (CNAME) of {targets[-1]}, which {why}.",
                evidence=evidence,
                remedy="Point the CNAME record at a name that leads to the server, or remove it: whoever registers the "
                "missing name gets your visitors.",
            ),
        )
    if len(targets) < _LONG:
        return ()
    return (
        Finding(
            name="domain-alias-chain-long",
            severity=Severity.WARNING,
            subject=survey.host,
            summary=f"{survey.host} leads to its address over {len(targets)} aliases; some resolvers give up before.",
            evidence=evidence,
            remedy="Point the first CNAME record at the last name of the chain.",
        ),
    )
