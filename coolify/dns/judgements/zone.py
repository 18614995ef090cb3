"""Judge: delegation, name servers and signatures of the zone."""

from __future__ import annotations

from coolify.dns.answer import Answer, Status
from coolify.dns.survey import Signatures, Survey, Zone
from coolify.finding import Finding, Severity

__all__ = ["judge_delegation", "judge_servers", "judge_signatures"]


def judge_delegation(survey: Survey) -> tuple[Finding, ...]:
    """Compare the NS records of the zone with those at its parent (RFC 1034, section 4.2.2: they are the same)."""
    zone = survey.zone
    if zone is None or zone.delegated is None:
        return ()
    own, above = set(zone.nameservers), set(zone.delegated)
    if own == above or not own:
        return ()
    evidence = (
        f"NS of {zone.name}: {_joined(own)}",
        f"NS of {zone.name} at {zone.parent}: {_joined(above) or 'none'}",
    )
    if not above:
        return (
            Finding(
                name="domain-not-delegated",
                severity=Severity.WARNING,
                subject=survey.host,
                summary=f"{zone.parent} does not delegate {zone.name}: only resolvers that know its servers find it.",
                evidence=evidence,
                remedy=f"Enter the name servers {_joined(own)} for {zone.name} at the registrar or in {zone.parent}.",
            ),
        )
    return (
        Finding(
            name="domain-delegation-differs",
            severity=Severity.WARNING,
            subject=survey.host,
            summary=f"The name servers of {zone.name} are not those that {zone.parent} delegates it to.",
            evidence=evidence,
            remedy="Make both lists the same: at the registrar, or in the NS records of the zone.",
        ),
    )


def judge_servers(survey: Survey) -> tuple[Finding, ...]:
    """Find name servers that do not answer for the zone."""
    zone = survey.zone
    if zone is None:
        return ()
    if not zone.nameservers and not zone.delegated:
        return (
            Finding(
                name="domain-nameservers-unknown",
                severity=Severity.INFO,
                subject=survey.host,
                summary=f"The resolver names no name servers of {zone.name}, so that they could not be asked.",
                evidence=(f"NS {zone.name}: none",),
            ),
        )
    good = [one for one in zone.soas if one.status is Status.FOUND and one.authoritative]
    silent = [one for one in zone.soas if one.status.is_silence]
    lame = [one for one in zone.soas if one not in good and one not in silent]
    # Silence of all of them tells more about the way there than about them.
    blocked = bool(silent) and not good and not lame
    return (
        *_without_address(survey, zone),
        *(_lame(survey, zone, lame, any_good=bool(good)) if lame else ()),
        *(_silent(survey, zone, silent) if silent and not blocked else ()),
        *(_blocked(survey, zone, silent) if blocked else ()),
    )


def _without_address(survey: Survey, zone: Zone) -> tuple[Finding, ...]:
    if not zone.without_address:
        return ()
    return (
        Finding(
            name="domain-nameserver-without-address",
            severity=Severity.WARNING if zone.servers else Severity.ERROR,
            subject=survey.host,
            summary=f"Name servers of {zone.name} have no address: {_joined(zone.without_address)}.",
            evidence=(f"NS of {zone.name}: {_joined({*zone.nameservers, *(zone.delegated or ())})}",),
            remedy="Create A records for them (and glue at the registrar), or remove them from the NS records.",
        ),
    )


def _lame(survey: Survey, zone: Zone, lame: list[Answer], *, any_good: bool) -> tuple[Finding, ...]:
    is_found = survey.found.failure is None
    if any_good:
        consequence = "some visitors do not find the domain at times"
    elif is_found:
        # Either a resolver remembers the time before, or somebody on the way answers in the servers' stead.
        consequence = "a resolver finds the domain all the same"
    else:
        consequence = "nobody finds the domain"
    hint = " If all of them do: see whether the network here answers DNS questions itself." if not any_good else ""
    return (
        Finding(
            name="domain-lame-nameserver",
            severity=Severity.WARNING if any_good or is_found else Severity.ERROR,
            subject=survey.host,
            summary=f"{zone.name} is delegated to servers that do not answer for it, {_named(lame)}: {consequence}.",
            evidence=tuple(f"{one.server} about {zone.name}: {_said(one)}" for one in lame),
            remedy=f"Set up the zone there, or remove them at the registrar and from the NS records.{hint}",
        ),
    )


def _silent(survey: Survey, zone: Zone, silent: list[Answer]) -> tuple[Finding, ...]:
    missing = [one for one in silent if one.status is not Status.UNREACHABLE]
    if not missing:
        return ()
    return (
        Finding(
            name="domain-nameserver-silent",
            severity=Severity.WARNING,
            subject=survey.host,
            summary=f"Name servers of {zone.name} do not answer: {_named(missing)}.",
            evidence=tuple(f"{one.server} about {zone.name}: {_said(one)}" for one in silent),
            remedy="See whether they run with port 53 open, UDP and TCP; until then look-ups are slow at times.",
        ),
    )


def _blocked(survey: Survey, zone: Zone, silent: list[Answer]) -> tuple[Finding, ...]:
    return (
        Finding(
            name="domain-nameservers-unreachable",
            severity=Severity.INFO,
            subject=survey.host,
            summary=f"None of the name servers of {zone.name} could be asked from here, so that only resolvers were.",
            evidence=tuple(f"{one.server}: {one.status}" for one in silent),
            remedy="Most often the network of this machine lets DNS out to its own resolver only.",
        ),
    )


def judge_signatures(survey: Survey) -> tuple[Finding, ...]:
    """Tell a zone whose signatures fail from one that has none."""
    zone, unchecked = survey.zone, survey.unchecked
    refused = unchecked is not None and unchecked.status.is_answer
    if refused or (zone is not None and zone.signatures is Signatures.BOGUS):
        reasons = (zone.signature_detail if zone else "", survey.found.detail)
        detail = "; ".join(one for one in reasons if one)
        evidence: tuple[str, ...] = (f"signatures of {zone.name if zone else survey.host}: {detail or 'not valid'}",)
        if unchecked is not None and refused:
            evidence += (f"without validation {unchecked.server} answers {unchecked.told}", "with validation: SERVFAIL")
        return (
            Finding(
                name="domain-dnssec-bogus",
                severity=Severity.ERROR,
                subject=survey.host,
                summary=f"DNSSEC of {zone.name if zone else survey.host} is broken: certificate authorities and many "
                "visitors cannot look it up.",
                evidence=evidence,
                remedy="Have the zone signed anew, or remove the DS record at the registrar until it is.",
            ),
        )
    if zone is None or zone.signatures is Signatures.UNKNOWN:
        return ()
    if zone.signatures is Signatures.VALID:
        return (
            Finding(
                name="domain-dnssec-valid",
                severity=Severity.OK,
                subject=survey.host,
                summary=f"{zone.name} is signed, and the signatures verify.",
            ),
        )
    return (
        Finding(
            name="domain-dnssec-unsigned",
            severity=Severity.INFO,
            subject=survey.host,
            summary=f"{zone.name} is not signed with DNSSEC.",
            evidence=(f"DS {zone.name}: none",),
        ),
    )


def _said(answer: Answer) -> str:
    if answer.status is Status.FOUND:
        return "answers, but not as responsible (no AA)"
    return answer.told


def _named(answers: list[Answer]) -> str:
    return _joined({one.server.name or str(one.server) for one in answers if one.server})


def _joined(names: set[str] | tuple[str, ...]) -> str:
    return ", ".join(sorted(names))
