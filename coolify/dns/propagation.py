"""Wait until every server that can be asked gives the right addresses, and say which one still lags."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
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
_SAY_AGAIN_SECONDS: Final = 30.0


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
    tell: Callable[[str], None] | None = None,
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
        tell: Told in one sentence who lags, when that changes and every half minute; the observer of this run when
            left out.
    """
    deadline = time.monotonic() + patience
    progress = _Progress(host, tell or _report)
    zone: Zone | None = None
    while True:
        if zone is None or not zone.responsible:
            # Name servers change seldom: they are looked for again only where none of them was of use.
            async with Zones(resolver, settings) as zones:
                zone = await zones.of(host)
        lagging = await _lagging(host, server, resolver, settings, zone.responsible if zone else ())
        left = deadline - time.monotonic()
        if not lagging or left <= 0:
            return Propagation(host, lagging)
        progress.say(lagging)
        await asyncio.sleep(min(poll, left))


def _report(text: str) -> None:
    report(StepDone(text))


class _Progress:
    """Says who lags, and not every time."""

    def __init__(self, host: str, tell: Callable[[str], None]) -> None:
        self._host = host
        self._tell = tell
        self._state: tuple[tuple[str, str], ...] = ()
        self._said = 0.0

    def say(self, lagging: tuple[Lagging, ...]) -> None:
        state = tuple((one.server, one.told) for one in lagging)
        now = time.monotonic()
        if state != self._state or now - self._said >= _SAY_AGAIN_SECONDS:
            self._tell(f"waiting for DNS of {self._host}: {'; '.join(str(one) for one in lagging)}")
            self._state, self._said = state, now


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
    if not views:
        return (Lagging("no name server", "nothing: none is known to ask", 0),)
    answering = [(one, ttl) for one, ttl in views if not one.is_silent] or views
    return tuple(Lagging(str(one.server), one.told, ttl) for one, ttl in answering if not server.has(one.addresses))
