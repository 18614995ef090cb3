"""Whether the world asks the servers of the provider at all."""

from __future__ import annotations

from coolify.dns import Resolver
from coolify.dns.answer import Status
from coolify.dns_providers.records import ZoneRecords

__all__ = ["judge_delegation", "public_servers"]


async def public_servers(zone: str, resolver: Resolver) -> tuple[str, ...]:
    """Return the name servers that the world asks about a zone, none where that cannot be found out."""
    answer = await resolver.ask(zone, "NS")
    return tuple(one.rstrip(".").lower() for one in answer.records) if answer.status is Status.FOUND else ()


def judge_delegation(zone: ZoneRecords, public: tuple[str, ...]) -> str:
    """Return why records written to the zone would be seen by nobody, nothing when they are; pure.

    Args:
        zone: The zone with the servers that its provider names.
        public: The servers that the world asks; empty when they are not known, which says nothing.
    """
    if not public or not zone.servers or set(public) & set(zone.servers):
        return ""
    return (
        f"The zone {zone.zone} is delegated to {', '.join(sorted(public))}, not to the servers of {zone.provider} "
        f"({', '.join(zone.servers)}): nobody would see the records. Change the name servers at the registrar, or "
        "dns.records to the provider that is asked."
    )
