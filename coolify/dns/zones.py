"""Measure: the zone of a name, its delegation, its servers and its signatures."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, Self

from coolify.dns.answer import Answer, Nameserver, Status
from coolify.dns.once import Once
from coolify.dns.resolver import Resolver
from coolify.dns.settings import DnsSettings
from coolify.dns.signatures import measure_signatures
from coolify.dns.survey import Zone

__all__ = ["Zones"]

_MOST_SERVERS: Final = 16
_PARENT_SERVERS: Final = 3
_SIGNATURE_SOURCES: Final = 2


@dataclass(frozen=True, slots=True)
class _Cut:
    """Where a zone begins."""

    zone: str
    fails: bool = False
    """Whether the zone itself could not be looked up, so that only its parent tells of it."""
    parent: str = ""


class Zones:
    """Looks zones up, each once: the hosts of one check often share theirs.

    Use it as a context manager: what is still under way at the end is given up.

    Args:
        resolver: Whom to ask.
        settings: Ports and limits.
    """

    def __init__(self, resolver: Resolver, settings: DnsSettings) -> None:
        self._resolver = resolver
        self._settings = settings
        self._zones = Once[Zone]()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._zones.close()

    async def of(self, host: str) -> Zone | None:
        """Return the zone of a host, None where no part of the tree can be looked up, or not in time."""
        try:
            async with asyncio.timeout(self._settings.zone_seconds):
                cut = await self._cut(host)
                return await self._zones.get(cut.zone, lambda: self._measure(cut)) if cut else None
        except TimeoutError:
            return None

    async def _cut(self, name: str) -> _Cut | None:
        """Climb from a name to the zone that holds it (RFC 2308: absence is told with the zone's SOA)."""
        failing = ""
        while name:
            answer = await self._resolver.ask(name, "SOA")
            if answer.status.is_silence:
                return None
            if answer.status.is_answer and not answer.aliases and _holds(answer.zone, name):
                return _Cut(failing, fails=True, parent=answer.zone) if failing else _Cut(answer.zone)
            if not answer.status.is_answer:
                failing = name
            name = name.partition(".")[2]
        return None

    async def _measure(self, cut: _Cut) -> Zone:
        parent = cut.parent
        above = cut.zone.partition(".")[2]
        if not parent and above:
            higher = await self._cut(above)
            parent = higher.zone if higher and not higher.fails else ""
        own, (delegated, glue) = await asyncio.gather(
            self._resolver.ask(cut.zone, "NS"), self._delegation(cut.zone, parent)
        )
        names = tuple(_host(one) for one in own.records)
        servers, without = await self._servers((*names, *(delegated or ())), glue)
        soas = tuple(await asyncio.gather(*(self._ask(server, cut.zone, "SOA") for server in servers)))
        zone = Zone(cut.zone, parent, names, delegated, without, servers, soas)
        signatures, detail = await measure_signatures(
            self._resolver, cut.zone, zone.responsible[:_SIGNATURE_SOURCES], self._settings.server_seconds
        )
        return replace(zone, signatures=signatures, signature_detail=detail)

    async def _delegation(self, zone: str, parent: str) -> tuple[tuple[str, ...] | None, tuple[tuple[str, str], ...]]:
        """Ask servers of the parent for the zone's NS records, and for the addresses that they know beside them."""
        if not parent:
            return None, ()
        names = await self._resolver.ask(parent, "NS")
        servers, _ = await self._servers((_host(one) for one in names.records), ())
        answers = await asyncio.gather(*(self._ask(one, zone, "NS") for one in servers[:_PARENT_SERVERS]))
        for answer in answers:
            if answer.status is Status.REFERRAL:
                return answer.referral, answer.glue
            if answer.status.is_answer and answer.authoritative:
                # The same server is responsible for both zones, or it knows of no delegation.
                return tuple(_host(one) for one in answer.records), ()
        return None, ()

    async def _servers(
        self, names: Iterable[str], glue: tuple[tuple[str, str], ...]
    ) -> tuple[tuple[Nameserver, ...], tuple[str, ...]]:
        unique = tuple(dict.fromkeys(names))
        found = await asyncio.gather(*(self._resolver.addresses(name) for name in unique))
        servers, without = [], []
        for name, one in zip(unique, found, strict=True):
            addresses = one.all or tuple(address for owner, address in glue if owner == name)
            servers += [Nameserver(address, self._settings.nameserver_port, name) for address in addresses]
            if not addresses:
                without.append(name)
        return tuple(servers[:_MOST_SERVERS]), tuple(without)

    async def _ask(self, server: Nameserver, name: str, kind: str) -> Answer:
        return await self._resolver.ask_server(server, name, kind, self._settings.server_seconds)


def _holds(zone: str, name: str) -> bool:
    return bool(zone) and (name == zone or name.endswith(f".{zone}"))


def _host(record: str) -> str:
    return record.removesuffix(".").lower()
