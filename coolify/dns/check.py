"""Whether a domain leads to the server that is to serve it, and whether a certificate can be issued for it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Final

from coolify.dns.judgements import judge
from coolify.dns.measure import measure_domain
from coolify.dns.resolver import Resolver, ServerAddresses
from coolify.dns.settings import DnsSettings
from coolify.dns.zones import Zones
from coolify.finding import Finding

__all__ = ["check_domain", "check_domains"]

_DEFAULTS: Final = DnsSettings()


async def check_domain(
    host: str,
    server: ServerAddresses,
    resolver: Resolver,
    settings: DnsSettings = _DEFAULTS,
    zones: Zones | None = None,
) -> tuple[Finding, ...]:
    """Return everything that outsiders can see about a domain; ends in time whatever the network does.

    Args:
        host: Domain without scheme.
        server: Where it should lead.
        resolver: Whom to ask.
        settings: What to ask for beside the addresses.
        zones: Zones that are known already, shared by the domains of one check.
    """
    return judge(await measure_domain(host, server, resolver, settings, zones), settings)


async def check_domains(
    hosts: Iterable[str], server: ServerAddresses, resolver: Resolver, settings: DnsSettings = _DEFAULTS
) -> tuple[Finding, ...]:
    """Check many domains side by side; what they share is asked once."""
    zones = Zones(resolver, settings)
    checked = await asyncio.gather(*(check_domain(host, server, resolver, settings, zones) for host in hosts))
    return tuple(finding for findings in checked for finding in findings)
