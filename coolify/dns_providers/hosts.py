"""The plans for the hosts of an application, over one reading of their zone."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from coolify.dns import Resolver
from coolify.dns_providers.delegation import judge_delegation, public_servers
from coolify.dns_providers.plan import RecordPlan, plan_addresses
from coolify.dns_providers.zone import ManagedZone

__all__ = ["plan_hosts"]


async def plan_hosts(
    zone: ManagedZone,
    hosts: Iterable[str],
    addresses: Iterable[str],
    resolver: Resolver,
    *,
    owner: str,
    ttl: int,
    adopt: bool = False,
) -> tuple[RecordPlan, ...]:
    """Return what leads hosts to a server; reads only.

    Args:
        zone: Their zone.
        hosts: Host names in the form of the DNS.
        addresses: Addresses of the server.
        resolver: Who tells whether the world asks the provider of the zone at all.
        owner: Our mark.
        ttl: Seconds for the records that are written.
        adopt: Whether records of the hosts that are not ours become ours.

    Raises:
        OperatorError: The provider cannot be reached or refuses us.
    """
    there, public = await asyncio.gather(zone.read(), public_servers(zone.name, resolver))
    refusal = judge_delegation(there, public)
    plans = (plan_addresses(there, host, tuple(addresses), owner=owner, ttl=ttl, adopt=adopt) for host in hosts)
    if not refusal:
        return tuple(plans)
    # What would be written changes nothing then.
    return tuple(
        RecordPlan(host=plan.host, zone=plan.zone, provider=plan.provider, refusals=(refusal,)) for plan in plans
    )
