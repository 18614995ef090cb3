"""The decision about domains that do not lead to the server: which way is taken, taking it, and waiting for it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from coolify.decisions import ABORT, DOMAIN_NOT_POINTING
from coolify.dns import ServerAddresses, dns_settings, wait_until_propagated
from coolify.dns_providers import RecordPlan, wanted_records
from coolify.errors import OperatorError
from coolify.finding import Finding
from coolify.hostnames import as_ascii
from tasks.decision_points import take_decision
from tasks.dns_records import RecordPlans, plan_records, write_records
from tasks.phases import step_done
from tasks.session import Session

__all__ = ["DomainsNotReadyError", "Way", "choose_way", "take_way", "wait_for_domains"]

_POLL_SECONDS: Final = 10.0
"""Between two looks at records that are entered by hand."""
_FOLLOW_SECONDS: Final = 5.0
"""Between two questions to name servers that are to follow a change of ours."""
_TTL_BY_HAND: Final = 300
_WRITING: Final = frozenset({"auto", "automate"})
"""Policies that write records without asking."""
_ADDRESS_FINDINGS: Final = frozenset(
    {
        "domain-does-not-exist",
        "domain-points-elsewhere",
        "domain-stray-a",
        "domain-stray-aaaa",
        "domain-without-address",
    }
)

Look = Callable[[], Awaitable[tuple[Finding, ...]]]
"""Checks the domains and returns what hinders them."""


class DomainsNotReadyError(OperatorError):
    """A domain does not lead to the server."""


@dataclass(frozen=True, slots=True)
class Way:
    """How hosts come to lead to the server."""

    hosts: tuple[str, ...]
    """Those that do not yet."""
    server: ServerAddresses
    look: Look
    option: str = ""
    """Id of the option that was chosen; empty when there is nothing to decide."""
    plans: tuple[RecordPlan, ...] = ()
    problems: tuple[Finding, ...] = field(default=())


async def choose_way(
    session: Session, hosts: tuple[str, ...], server: ServerAddresses, look: Look, prepared: RecordPlans | None = None
) -> Way:
    """Look at domains and decide, as the policy says, what is done where one does not lead to the server.

    Args:
        session: The application.
        hosts: Host names in the form of the DNS.
        server: Where they should lead.
        look: Checks them.
        prepared: What would be written, where it is known already; then it is written also when a check would be
            content, for example with a wildcard that answers for the name.
    """
    # Who asks for a name before it exists lets resolvers remember that it does not (RFC 2308): write first, look later.
    writes = prepared is not None and prepared.has_changes and session.config.policy(DOMAIN_NOT_POINTING) in _WRITING
    problems = () if writes else await look()
    if not problems and not writes:
        return Way(hosts, server, look)
    troubled = {as_ascii(finding.subject) for finding in problems}
    concerned = tuple(host for host in hosts if host in troubled) or hosts
    records = prepared or await plan_records(session, concerned, server)
    obstacle = records.obstacle
    if not obstacle and not records.has_changes and not any(one.name in _ADDRESS_FINDINGS for one in problems):
        # Where addresses are wrong, records that were written just now have to become known: that is waited for.
        obstacle = "the records of addresses are as they should be already"
    evidence = " ".join(finding.summary for finding in problems) or "The records are not there yet."
    unavailable = {"automate": obstacle} if obstacle else {}
    choice = await take_decision(DOMAIN_NOT_POINTING, session, evidence, unavailable)
    return Way(concerned, server, look, choice.option.id, records.plans, problems)


async def take_way(session: Session, way: Way) -> None:
    """Write the records, or show which ones to enter.

    Raises:
        DomainsNotReadyError: The decision is to go no further.
        OperatorError: The provider refuses.
    """
    section = session.config.dns.records
    if way.option == "automate" and section is not None:
        await write_records(session, section, way.plans)
    elif way.option == "guide":
        for host in _without_address(way):
            for record in wanted_records(host, way.server.addresses, _TTL_BY_HAND):
                for line in record.lines:
                    step_done(f"enter this DNS record: {line}")
    elif way.option == ABORT:
        raise DomainsNotReadyError(_told(way.problems) or "The records of the domain are not written by decision.")


async def wait_for_domains(session: Session, way: Way) -> None:
    """Wait until the domains lead to the server everywhere.

    Raises:
        DomainsNotReadyError: Time is up.
    """
    if not way.option:
        return
    section = session.config.dns.records
    if way.option == "automate" and section is not None:
        settings = dns_settings(session.config)
        ended = await asyncio.gather(
            *(
                wait_until_propagated(
                    host, way.server, session.resolver, settings, patience=section.wait, poll=_FOLLOW_SECONDS
                )
                for host in way.hosts
            )
        )
        lagging = [f"{one.host}: {'; '.join(str(server) for server in one.lagging)}" for one in ended if one.lagging]
        if lagging:
            raise DomainsNotReadyError(
                f"The DNS records are written, but after {section.wait:.0f} s not everybody follows: "
                f"{' '.join(lagging)}. Run this again later."
            )
        if problems := await way.look():
            raise DomainsNotReadyError(_told(problems))
        return
    deadline = time.monotonic() + DOMAIN_NOT_POINTING.timeout_seconds
    problems = way.problems
    while problems and time.monotonic() < deadline:
        for finding in problems:
            step_done(f"waiting for DNS: {finding.summary} {finding.remedy}")
        await asyncio.sleep(_POLL_SECONDS)
        problems = await way.look()
    if problems:
        minutes = DOMAIN_NOT_POINTING.timeout_seconds / 60
        raise DomainsNotReadyError(f"Still so after {minutes:.0f} minutes: {_told(problems)}")


def _without_address(way: Way) -> tuple[str, ...]:
    """Return the hosts for which addresses are to be entered; other problems tell their remedies themselves."""
    by_address = {as_ascii(one.subject) for one in way.problems if one.name in _ADDRESS_FINDINGS}
    return tuple(host for host in way.hosts if host in by_address or not way.problems)


def _told(problems: tuple[Finding, ...]) -> str:
    return " ".join([*(finding.summary for finding in problems), problems[0].remedy]) if problems else ""
