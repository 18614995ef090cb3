"""Judge: whether the servers of the zone agree, and who still remembers something older."""

from __future__ import annotations

from coolify.dns.survey import Survey, View
from coolify.finding import Finding, Severity

__all__ = ["judge_agreement", "judge_propagation"]


def judge_agreement(survey: Survey) -> tuple[Finding, ...]:
    """Compare the answers of the authoritative servers with each other."""
    views = [view for view in survey.authoritative if view.answers]
    if len({view.records for view in views}) < 2:
        return ()
    # A zone may spread its visitors over the addresses of the server.
    meant = all(survey.server.has(view.addresses) for view in views)
    return (
        Finding(
            name="domain-servers-disagree",
            severity=Severity.INFO if meant else Severity.WARNING,
            subject=survey.host,
            summary=f"The name servers of {survey.zone.name if survey.zone else survey.host} answer differently.",
            evidence=tuple(f"{view.server}{_serial(survey, view)}: {view.told}" for view in views),
            remedy="A change needs some minutes to reach all of them. If it stays so, look at the zone transfers; "
            "the serial numbers tell who has the old zone.",
        ),
    )


def judge_propagation(survey: Survey) -> tuple[Finding, ...]:
    """Compare the answers of resolvers with those of the authoritative servers."""
    truth = survey.truth
    if truth is None:
        return ()
    answering = [view for view in survey.resolvers if view.answers]
    silent = [view for view in survey.resolvers if view.is_silent]
    missing = [view for view in answering if truth and not view.records]
    # An answer that leads to the server is not old: it is another of its addresses, or a private network's own.
    old = [
        view
        for view in answering
        if view.records != truth and view not in missing and not survey.server.has(view.addresses)
    ]
    findings = []
    if missing:
        findings.append(
            Finding(
                name="domain-negative-cached",
                severity=Severity.WARNING,
                subject=survey.host,
                summary=f"{_named(missing)} still remembers that {survey.host} has no address, for up to "
                f"{max(view.ttl for view in missing)} s.",
                evidence=(_truth(truth), *(f"{view.server}: {view.told}, kept {view.ttl} s" for view in missing)),
                remedy="Wait: a look-up before the record was there is remembered for as long as the SOA record says "
                "(RFC 2308).",
            )
        )
    if old:
        findings.append(
            Finding(
                name="domain-propagation-pending",
                severity=Severity.WARNING,
                subject=survey.host,
                summary=f"{_named(old)} still gives another answer for {survey.host}, for up to "
                f"{max(view.ttl for view in old)} s.",
                evidence=(_truth(truth), *(f"{view.server}: {view.told}, kept {view.ttl} s" for view in old)),
                remedy="Wait until the time to live (TTL) of the old record has passed.",
            )
        )
    if silent:
        findings.append(
            Finding(
                name="domain-resolver-silent",
                severity=Severity.INFO,
                subject=survey.host,
                summary=f"{_named(silent)} did not answer, so that propagation there is not known.",
                evidence=tuple(f"{view.server}: {view.told}" for view in silent),
            )
        )
    return tuple(findings)


def _serial(survey: Survey, view: View) -> str:
    soa = survey.zone.soa_of(view.server) if survey.zone else None
    return f", serial {soa.serial}" if soa and soa.serial is not None else ""


def _truth(records: frozenset[str]) -> str:
    return f"authoritative servers: {', '.join(sorted(records)) or 'no address'}"


def _named(views: list[View]) -> str:
    return ", ".join(str(view.server) for view in views)
