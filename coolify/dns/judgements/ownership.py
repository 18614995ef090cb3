"""Judge: whether the zone's owner says that the host is this application's."""

from __future__ import annotations

from coolify.dns.ownership import mark_text, record_name
from coolify.dns.settings import DnsSettings
from coolify.dns.survey import Survey
from coolify.finding import Finding, Severity

__all__ = ["judge_ownership"]


def judge_ownership(survey: Survey, settings: DnsSettings) -> tuple[Finding, ...]:
    """Compare the ownership record with our mark; a missing one matters only where it is demanded."""
    ownership = survey.ownership
    if ownership is None:
        return ()
    evidence = (f"TXT {record_name(survey.host)}: {ownership.answer.told}",)
    record = f'{record_name(survey.host)} TXT "{mark_text(settings.owner)}"'
    if ownership.is_of(settings.owner):
        return (
            Finding(
                name="domain-owned",
                severity=Severity.OK,
                subject=survey.host,
                summary=f"The ownership record says that {survey.host} is this application's.",
                evidence=evidence,
            ),
        )
    if ownership.owners:
        return (
            Finding(
                name="domain-owned-by-another",
                severity=Severity.ERROR if settings.require_ownership else Severity.WARNING,
                subject=survey.host,
                summary=f"The ownership record of {survey.host} names another application.",
                evidence=evidence,
                remedy=f"Two applications claim the name. If this one is right, set the record: {record}",
            ),
        )
    if not settings.require_ownership:
        return ()
    return (
        Finding(
            name="domain-ownership-unproven",
            severity=Severity.ERROR,
            subject=survey.host,
            summary=f"Nothing proves that {survey.host} is yours: there is no ownership record.",
            evidence=evidence,
            remedy=f"Create the record: {record}{_beside_it(survey)}",
        ),
    )


def _beside_it(survey: Survey) -> str:
    if not survey.is_by_wildcard:
        return ""
    return (
        f" and with it address records for {survey.host} itself ({', '.join(survey.addresses.all)}): a name that has "
        "another one below it is not answered by a wildcard any more (RFC 4592)."
    )
