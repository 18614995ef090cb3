"""Wait until every server that can be asked gives the right addresses, and say which one still lags."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Final

from coolify.dns.answer import Nameserver
from coolify.dns.measure import view
from coolify.dns.resolver import Resolver, ServerAddresses
from coolify.dns.settings import DnsSettings
from coolify.dns.survey import Zone
from coolify.dns.zones import Zones
from coolify.progress import StepDone, report

__all__ = ["Lagging", "Propagation", "wait_until_propagated"]

_DEFAULTS: Final = DnsSettings()


@dataclass(frozen=True, slots=True)
class Lagging:
    """A server that does not give the right answer yet."""

    server: str
    told: str
    """What it says instead."""
    seconds: int
    """How long a resolver may keep that; 0 for an authoritative server, which keeps nothing."""

    def __str__(self) -> str:
        kept = f", for up to {self.seconds} s" if self.seconds else ""
        return f"{self.server} still says {self.told}{kept}"


@dataclass(frozen=True, slots=True)
class Propagation:
    """How waiting ended."""

    host: str
    lagging: tuple[Lagging, ...]
    """Empty when all servers give the right answer."""

    @property
    def is_complete(self) -> bool:
        """Whether every server that answers gives the right addresses."""
        return not self.lagging


async def wait_until_propagated(
    host: str,
    server: ServerAddresses,
    resolver: Resolver,
    settings: DnsSettings = _DEFAULTS,
    *,
    patience: float,
    poll: float = 5.0,
) -> Propagation:
    """Ask authoritative servers and resolvers until all of them lead to the server, or time is up.

    Servers that do not answer at all are not waited for, as long as one answers: a network that lets DNS out to its own
    resolver only would never see them.

    Args:
        host: Host name in the form of the DNS.
        server: Where it is to lead.
        resolver: Whom to ask.
        settings: Public resolvers and limits.
        patience: Seconds to wait at most; one round is always made.
        poll: Seconds between rounds.
    """
    deadline = time.monotonic() + patience
    told: tuple[tuple[str, str], ...] = ()
    zone: Zone | None = None
    while True:
        # Name servers change seldom: they are looked for again only where none of them was of use.
        zone = zone if zone and zone.responsible else await Zones(resolver, settings).of(host)
        lagging = await _lagging(host, server, resolver, settings, zone.responsible if zone else ())
        left = deadline - time.monotonic()
        if not lagging or left <= 0:
            return Propagation(host, lagging)
        state = tuple((one.server, one.told) for one in lagging)
        if state != told:
            report(StepDone(f"waiting for DNS of {host}: {'; '.join(str(one) for one in lagging)}"))
            told = state
        await asyncio.sleep(min(poll, left))


async def _lagging(
    host: str, server: ServerAddresses, resolver: Resolver, settings: DnsSettings, own: tuple[Nameserver, ...]
) -> tuple[Lagging, ...]:
    others = (*resolver.nameservers, *settings.public_resolvers)
    authoritative, resolvers = await asyncio.gather(
        asyncio.gather(*(view(resolver, host, one, settings.server_seconds, recursive=False) for one in own)),
        asyncio.gather(*(view(resolver, host, one, settings.server_seconds, recursive=True) for one in others)),
    )
    # An alias may lead out of the zone: its servers then cannot know the addresses.
    direct = [one for one in authoritative if not one.v4.aliases and not one.v6.aliases]
    views = [(one, 0) for one in direct] + [(one, one.ttl) for one in resolvers]
    answering = [(one, ttl) for one, ttl in views if not one.is_silent] or views
    return tuple(Lagging(str(one.server), one.told, ttl) for one, ttl in answering if not server.has(one.addresses))
