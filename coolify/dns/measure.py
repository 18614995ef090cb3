"""Measure: everything about a host that can be asked, side by side, each question with its limit."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterable
from dataclasses import replace
from typing import Final, Self

from coolify.dns.answer import Answer, Nameserver, Status
from coolify.dns.once import Once
from coolify.dns.ownership import read_ownership
from coolify.dns.ports import measure_ports, walk_redirects
from coolify.dns.resolver import HostAddresses, LookupFailure, Resolver, ServerAddresses, host_addresses
from coolify.dns.settings import DnsSettings
from coolify.dns.survey import Aliases, CaaRecord, CaaSet, Survey, View, Zone
from coolify.dns.zones import Zones
from coolify.hostnames import HostNameError, check_host_name

__all__ = ["Shared", "measure_domain", "view"]

_MOST_ALIASES: Final = 12


class Shared:
    """What the hosts of one check have in common, found out once: zones, CAA records up the tree, wildcards.

    Use it as a context manager: what is still under way at the end of a check is given up.

    Args:
        resolver: Whom to ask.
        settings: Ports and limits.
    """

    def __init__(self, resolver: Resolver, settings: DnsSettings) -> None:
        self.resolver = resolver
        self.zones = Zones(resolver, settings)
        self._answers = Once[Answer]()
        self._beside = Once[View]()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.zones.__aexit__()
        self._answers.close()
        self._beside.close()

    async def caa(self, name: str) -> Answer:
        """Ask for the CAA records of one name."""
        return await self._answers.get(name, lambda: self.resolver.ask(name, "CAA"))

    async def beside(self, host: str) -> View | None:
        """Ask for a name beside the host that nobody can have written down: only a wildcard answers (RFC 4592)."""
        parent = host.partition(".")[2]
        if "." not in parent or host.startswith("*."):
            return None
        return await self._beside.get(parent, lambda: self._made_up(parent))

    async def _made_up(self, parent: str) -> View:
        return await _resolved(self.resolver, f"{secrets.token_hex(8)}.{parent}")


async def measure_domain(host: str, server: ServerAddresses, shared: Shared, settings: DnsSettings) -> Survey:
    """Ask for everything about a host.

    A name that nobody can look up in time is not asked about any further: the network is the reason, and every other
    question would wait as long.

    Args:
        host: Host name, in any script; `*.` and a name for a wildcard.
        server: Where it is to lead.
        shared: What other hosts of the same check have found out.
        settings: What to ask for, and with which limits.
    """
    try:
        name = _checked(host)
    except HostNameError as error:
        invalid = HostAddresses(host, failure=LookupFailure.INVALID)
        return Survey(host, server, invalid, written=host, name_problem=str(error))
    resolver = shared.resolver
    mine = await _resolved(resolver, name)
    found = host_addresses(name, mine.v4, mine.v6)
    if found.failure is LookupFailure.TIMEOUT:
        return Survey(name, server, found, written=host)
    zone, aliases, wildcard, unchecked, caa = await asyncio.gather(
        shared.zones.of(name),
        _aliases(resolver, found),
        shared.beside(name),
        _unchecked(resolver, found),
        _caa(shared, name) if settings.authority else _nothing(),
    )
    own, others = zone.responsible if zone else (), (*resolver.nameservers, *settings.public_resolvers)
    authoritative, resolvers, ownership = await asyncio.gather(
        _views(resolver, name, own, settings.server_seconds, recursive=False),
        _views(resolver, name, others, settings.server_seconds, recursive=True, known=mine),
        read_ownership(name, resolver, own, settings.server_seconds) if settings.owner else _nothing(),
    )
    survey = Survey(
        name,
        server,
        found,
        written=host,
        aliases=aliases,
        zone=zone,
        authoritative=authoritative,
        resolvers=resolvers,
        wildcard=wildcard,
        unchecked=unchecked,
        caa=_within(caa, zone) if caa else None,
        ownership=ownership,
    )
    if settings.ports is None or not survey.addresses.all:
        return survey
    reach, walk = await asyncio.gather(
        measure_ports(survey.addresses.all, settings.ports, https=settings.https),
        _nothing() if name.startswith("*.") else walk_redirects(name, survey.addresses.all, settings.ports, resolver),
    )
    return replace(survey, reach=reach, walk=walk)


def _checked(host: str) -> str:
    wildcard = "*." if host.startswith("*.") else ""
    return wildcard + check_host_name(host.removeprefix(wildcard))


async def _resolved(resolver: Resolver, name: str) -> View:
    """Return what the resolver of this run says; its servers stand in for each other."""
    v4, v6 = await asyncio.gather(resolver.ask(name, "A"), resolver.ask(name, "AAAA"))
    return View(v4.server or v6.server or Nameserver(""), v4, v6)


async def view(resolver: Resolver, host: str, server: Nameserver, seconds: float, *, recursive: bool) -> View:
    """Return what one server says about the addresses of a host."""
    v4, v6 = await asyncio.gather(
        *(resolver.ask_server(server, host, kind, seconds, recursive=recursive) for kind in ("A", "AAAA"))
    )
    return View(server, v4, v6)


async def _views(
    resolver: Resolver,
    host: str,
    servers: Iterable[Nameserver],
    seconds: float,
    *,
    recursive: bool,
    known: View | None = None,
) -> tuple[View, ...]:
    """Ask all servers side by side, but not the one that has given both answers already."""

    async def ask(server: Nameserver) -> View:
        if known is not None and server == known.v4.server == known.v6.server:
            return known
        return await view(resolver, host, server, seconds, recursive=recursive)

    return tuple(await asyncio.gather(*(ask(server) for server in servers)))


async def _nothing() -> None:
    return None


async def _aliases(resolver: Resolver, found: HostAddresses) -> Aliases:
    """Follow a chain of aliases by hand where the resolver failed on it, as it does on a circle."""
    if found.aliases or found.failure is not LookupFailure.SERVFAIL:
        return Aliases(found.aliases, loops=_comes_back(found.host, found.aliases))
    name = found.host
    targets: list[str] = []
    for _ in range(_MOST_ALIASES):
        answer = await resolver.ask(name, "CNAME")
        if answer.status is not Status.FOUND:
            break
        name = answer.records[0].removesuffix(".").lower()
        targets.append(name)
        if _comes_back(found.host, targets):
            return Aliases(tuple(targets), loops=True)
    return Aliases(tuple(targets))


def _comes_back(host: str, targets: Iterable[str]) -> bool:
    passed = [host, *targets]
    return len(set(passed)) != len(passed)


async def _unchecked(resolver: Resolver, found: HostAddresses) -> Answer | None:
    """Ask again without validation: an answer then means that the validation is what failed."""
    if found.failure is not LookupFailure.SERVFAIL:
        return None
    return await resolver.ask(found.host, "A", unchecked=True)


async def _caa(shared: Shared, host: str) -> CaaSet:
    """Ask for CAA records of the name and of every name above it, all at once; the nearest count (RFC 8659)."""
    labels = host.removeprefix("*.").split(".")
    names = [".".join(labels[index:]) for index in range(len(labels))]
    failures: list[Answer] = []
    for answer in await asyncio.gather(*(shared.caa(name) for name in names)):
        if answer.status is Status.FOUND:
            return CaaSet(answer.name, tuple(_caa_record(one) for one in answer.records), tuple(failures))
        if not answer.status.is_answer:
            failures.append(answer)
    return CaaSet(failures=tuple(failures))


def _caa_record(text: str) -> CaaRecord:
    flags, tag, value = text.split(" ", 2)
    return CaaRecord(bool(int(flags) & 128), tag.lower(), value.strip('"').replace('\\"', '"'))


def _within(caa: CaaSet, zone: Zone | None) -> CaaSet:
    """Leave out failures above the zone: a resolver of a private network may know nothing above it."""
    inside = zone.name if zone else ""
    failures = tuple(one for one in caa.failures if inside and (one.name == inside or one.name.endswith(f".{inside}")))
    return CaaSet(caa.at, caa.records, failures)
