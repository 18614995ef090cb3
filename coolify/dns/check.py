"""Whether domains lead to the server that is to serve them, and whether certificates can be issued for them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from coolify.dns.judgements import judge
from coolify.dns.measure import Shared, measure_domain
from coolify.dns.resolver import Resolver, ServerAddresses
from coolify.dns.settings import DnsSettings
from coolify.finding import Finding

__all__ = ["DomainStatus", "check_domain", "check_domains", "check_each"]

_DEFAULTS: Final = DnsSettings()
_AT_ONCE: Final = 64
"""Hosts under way at the same time, so that a thousand need no more room than these."""


class DomainStatus(BaseModel):
    """What was found out about one host."""

    model_config = ConfigDict(frozen=True)

    host: str = Field(description="Name in the form of the DNS.")
    addresses: tuple[str, ...] = Field(description="Addresses that count: those that the zone's own servers tell.")
    findings: tuple[Finding, ...]

    @property
    def is_ready(self) -> bool:
        """Whether nothing hinders a release (no finding of severity error)."""
        return not any(finding.is_problem for finding in self.findings)


async def check_domain(
    host: str, server: ServerAddresses, resolver: Resolver, settings: DnsSettings = _DEFAULTS
) -> tuple[Finding, ...]:
    """Return everything that outsiders can see about a domain; ends in time whatever the network does.

    Args:
        host: Domain without scheme.
        server: Where it should lead.
        resolver: Whom to ask.
        settings: What to ask for beside the addresses.
    """
    return await check_domains((host,), server, resolver, settings)


async def check_domains(
    hosts: Iterable[str], server: ServerAddresses, resolver: Resolver, settings: DnsSettings = _DEFAULTS
) -> tuple[Finding, ...]:
    """Check many domains side by side; what they share is asked once."""
    checked = await check_each(((host, settings) for host in hosts), server, resolver)
    return tuple(finding for one in checked for finding in one.findings)


async def check_each(
    wanted: Iterable[tuple[str, DnsSettings]], server: ServerAddresses, resolver: Resolver
) -> tuple[DomainStatus, ...]:
    """Check hosts with settings of their own, side by side; what they share is asked once.

    Args:
        wanted: Hosts with what to ask for; limits and ports of name servers are those of the first.
        server: Where all of them should lead.
        resolver: Whom to ask.
    """
    pairs = tuple(wanted)
    room = asyncio.Semaphore(_AT_ONCE)
    async with Shared(resolver, pairs[0][1] if pairs else _DEFAULTS) as shared:

        async def check(host: str, settings: DnsSettings) -> DomainStatus:
            async with room:
                survey = await measure_domain(host, server, shared, settings)
            return DomainStatus(host=survey.host, addresses=survey.addresses.all, findings=judge(survey, settings))

        return tuple(await asyncio.gather(*(check(host, settings) for host, settings in pairs)))
