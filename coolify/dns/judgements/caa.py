"""Judge: whether CAA records let the certificate authority issue (RFC 8659, RFC 8657)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from coolify.dns.settings import Authority
from coolify.dns.survey import CaaRecord, CaaSet, Survey
from coolify.finding import Finding, Severity

__all__ = ["judge_caa"]

_KNOWN_TAGS: Final = frozenset({"issue", "issuewild", "iodef", "issuemail", "issuevmc", "contactemail", "contactphone"})


def judge_caa(survey: Survey, authority: Authority) -> tuple[Finding, ...]:
    """Return whether the authority may issue for the host; nothing where nobody restricts it."""
    caa = survey.caa
    if caa is None:
        return ()
    if caa.failures:
        return (_unknown(survey, caa, authority),)
    if not caa.records:
        return ()
    critical = [one for one in caa.records if one.critical and one.tag not in _KNOWN_TAGS]
    if critical:
        return (_forbidden(survey, caa, authority, f"no authority knows its critical property '{critical[0].tag}'"),)
    issue = _properties(caa.records, "issue")
    if survey.host.startswith("*."):
        # For wildcards, issuewild goes before issue where there is one (section 4.3).
        issue = _properties(caa.records, "issuewild") or issue
    if not issue:
        return ()
    ours = [parameters for domain, parameters in issue if domain == authority.domain]
    if not ours:
        return (_forbidden(survey, caa, authority, f"it allows {_allowed(issue)}"),)
    by_method = [one for one in ours if _allows_method(one, authority.method)]
    if not by_method:
        return (_wrong_method(survey, caa, authority, ours),)
    accounts = [one.get("accounturi", "") for one in by_method]
    if "" in accounts or authority.account in accounts:
        return (_allowed_finding(survey, caa, authority),)
    return (_other_account(survey, caa, authority, accounts),)


def _properties(records: Iterable[CaaRecord], tag: str) -> list[tuple[str, dict[str, str]]]:
    """Return the domain and parameters of each property: `letsencrypt.org; accounturi=...` (section 4.2)."""
    properties = []
    for record in records:
        if record.tag == tag:
            domain, *rest = record.value.split(";")
            pairs = (one.partition("=") for one in rest if one.strip())
            parameters = {key.strip().lower(): value.strip() for key, _, value in pairs}
            properties.append((domain.strip().lower(), parameters))
    return properties


def _allows_method(parameters: dict[str, str], method: str) -> bool:
    methods = parameters.get("validationmethods")
    return methods is None or method in {one.strip().lower() for one in methods.split(",")}


def _allowed(issue: list[tuple[str, dict[str, str]]]) -> str:
    domains = sorted({domain for domain, _ in issue if domain})
    return ", ".join(domains) + " only" if domains else "no authority at all"


def _evidence(caa: CaaSet) -> tuple[str, ...]:
    return tuple(f'CAA {caa.at}: {128 if one.critical else 0} {one.tag} "{one.value}"' for one in caa.records)


def _allowed_finding(survey: Survey, caa: CaaSet, authority: Authority) -> Finding:
    return Finding(
        name="domain-caa-allows",
        severity=Severity.OK,
        subject=survey.host,
        summary=f"The CAA record of {caa.at} allows {authority.domain} to issue.",
        evidence=_evidence(caa),
    )


def _forbidden(survey: Survey, caa: CaaSet, authority: Authority, why: str) -> Finding:
    return Finding(
        name="domain-caa-forbids",
        severity=Severity.ERROR,
        subject=survey.host,
        summary=f"The CAA record of {caa.at} keeps {authority.domain} from issuing a certificate: {why}.",
        evidence=_evidence(caa),
        remedy=f'Add the record: {caa.at} CAA 0 issue "{authority.domain}". If the proxy uses another authority, set '
        "dns.certificate_authority.",
    )


def _wrong_method(survey: Survey, caa: CaaSet, authority: Authority, ours: list[dict[str, str]]) -> Finding:
    methods = ", ".join(sorted({one["validationmethods"] for one in ours}))
    return Finding(
        name="domain-caa-method",
        severity=Severity.ERROR,
        subject=survey.host,
        summary=f"The CAA record of {caa.at} allows {authority.domain} the challenge {methods} only; the proxy uses "
        f"{authority.method}.",
        evidence=_evidence(caa),
        remedy=f"Add {authority.method} to validationmethods (RFC 8657), or use the other challenge in the proxy.",
    )


def _other_account(survey: Survey, caa: CaaSet, authority: Authority, accounts: list[str]) -> Finding:
    known = bool(authority.account)
    return Finding(
        name="domain-caa-account",
        severity=Severity.ERROR if known else Severity.WARNING,
        subject=survey.host,
        summary=f"The CAA record of {caa.at} allows {authority.domain} for the account {', '.join(accounts)} only"
        + (f", not for {authority.account}." if known else "; whether that is the proxy's is not known."),
        evidence=_evidence(caa),
        remedy="Add the proxy's ACME account to accounturi (RFC 8657)."
        if known
        else "Compare it with the account in the proxy's acme.json, and set dns.acme_account to have it checked.",
    )


def _unknown(survey: Survey, caa: CaaSet, authority: Authority) -> Finding:
    return Finding(
        name="domain-caa-lookup-fails",
        severity=Severity.ERROR if any(not one.status.is_silence for one in caa.failures) else Severity.WARNING,
        subject=survey.host,
        summary=f"The CAA records of {caa.failures[0].name} cannot be looked up: {authority.domain} will not issue.",
        evidence=tuple(f"CAA {one.name}: {one.told}" for one in caa.failures),
        remedy="Name servers must answer questions for CAA, also where there is no such record: update them.",
    )
