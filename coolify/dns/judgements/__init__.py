"""Judge: small pure functions from what was measured to findings; nothing here asks anybody."""

from __future__ import annotations

from coolify.dns.judgements.addresses import judge_addresses, judge_private
from coolify.dns.judgements.aliases import judge_aliases
from coolify.dns.judgements.caa import judge_caa
from coolify.dns.judgements.names import judge_helper_service, judge_international, judge_name, judge_wildcard
from coolify.dns.judgements.ownership import judge_ownership
from coolify.dns.judgements.propagation import judge_agreement, judge_propagation
from coolify.dns.judgements.reach import judge_ports, judge_redirects
from coolify.dns.judgements.zone import judge_delegation, judge_servers, judge_signatures
from coolify.dns.settings import DnsSettings
from coolify.dns.survey import Survey
from coolify.finding import Finding

__all__ = ["judge", "judge_addresses"]


def judge(survey: Survey, settings: DnsSettings) -> tuple[Finding, ...]:
    """Return everything that a survey means, the addresses first."""
    if survey.name_problem:
        return judge_name(survey)
    aliases = judge_aliases(survey)
    signatures = judge_signatures(survey)
    # "Does not exist" would mislead where the reason for it is known better.
    explained = any(finding.is_problem for finding in (*aliases, *signatures))
    addresses = judge_addresses(survey.addresses, survey.server)
    if survey.addresses.failure is not None and explained:
        addresses = ()
    return (
        *addresses,
        *judge_private(survey.addresses, survey.server),
        *aliases,
        *judge_wildcard(survey),
        *judge_agreement(survey),
        *judge_propagation(survey),
        *judge_delegation(survey),
        *judge_servers(survey),
        *signatures,
        *(judge_caa(survey, settings.authority) if settings.authority else ()),
        *judge_ownership(survey, settings),
        *judge_international(survey),
        *judge_helper_service(survey, https=settings.https),
        *judge_ports(survey, settings.ports),
        *judge_redirects(survey, settings.ports),
    )
