"""Who a name belongs to, by a TXT record that only the owner of its zone can write.

The record `_coolify-flows.HOST TXT "coolify-flows-owner=MARK"` is challenge and marker in one: that it is there proves
control of the zone, and the mark in it says which application the other records of the name belong to. What stands
behind a comma says more about it (`coolify.dns_providers.marks`).

Where a wildcard answers for the host, the record must not come alone: a name below the host makes the host exist, and
wildcards answer only for names that do not (RFC 4592, section 2.2.2). The host then needs address records of its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from coolify.dns.answer import Answer, Nameserver
from coolify.dns.resolver import Resolver
from coolify.dns.settings import DnsSettings
from coolify.dns.zones import Zones

__all__ = [
    "PREFIX",
    "Ownership",
    "find_ownership",
    "mark_text",
    "owner_of",
    "owners_in",
    "read_ownership",
    "record_name",
]

PREFIX: Final = "_coolify-flows"
"""Label of the ownership record, below the name that it speaks of (RFC 8552: an underscore keeps it from hosts)."""
_KEY: Final = "coolify-flows-owner"
_DEFAULTS: Final = DnsSettings()


def owner_of(server: str, project: str, environment: str, application: str) -> str:
    """Return the mark of one application: stable, and telling nothing of what it is made from."""
    text = f"{server}\n{project}\n{environment}\n{application}"
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def record_name(host: str) -> str:
    """Return the name of the ownership record of a host; that of a wildcard is the record of the name below it."""
    return f"{PREFIX}.{host.removeprefix('*.')}"


def mark_text(owner: str) -> str:
    """Return the text of an ownership record; without a space, which some zone editors take for the end of a text."""
    return f"{_KEY}={owner}"


def owners_in(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the marks that TXT records hold, each once; into how many strings a record is cut does not matter.

    Other TXT records at the name are left alone.
    """
    pairs = (text.replace('" "', "").strip('"').partition("=") for text in texts)
    marks = (value.partition(",")[0] for key, _, value in pairs if key == _KEY)
    return tuple(dict.fromkeys(mark for mark in marks if mark))


@dataclass(frozen=True, slots=True)
class Ownership:
    """What the ownership record of a host says."""

    host: str
    answer: Answer
    """Answer to the question for the TXT record."""

    @property
    def is_known(self) -> bool:
        """Whether the question was answered; where it was not, nothing may be concluded from a missing owner."""
        return self.answer.status.is_answer

    @property
    def owners(self) -> tuple[str, ...]:
        """Marks of the applications that the name belongs to: none or one, several where two claim it."""
        return owners_in(self.answer.records)

    def is_of(self, owner: str) -> bool:
        """Return whether the name belongs to this application and to no other."""
        return self.owners == (owner,)


async def find_ownership(host: str, resolver: Resolver, settings: DnsSettings = _DEFAULTS) -> Ownership:
    """Return whom a host belongs to, as the servers of its zone say now.

    Args:
        host: Host name in the form of the DNS.
        resolver: Whom to ask.
        settings: Ports and limits.
    """
    async with Zones(resolver, settings) as zones:
        zone = await zones.of(host)
    return await read_ownership(host, resolver, zone.responsible if zone else (), settings.server_seconds)


async def read_ownership(host: str, resolver: Resolver, servers: Iterable[Nameserver], seconds: float) -> Ownership:
    """Return whom a host belongs to.

    The servers of the zone are asked before the resolver, which may remember for minutes that there was no record.

    Args:
        host: Host name in the form of the DNS.
        resolver: Whom to ask where no server answers.
        servers: Servers that are responsible for the zone.
        seconds: Limit for the question to one server.
    """
    name = record_name(host)
    for server in servers:
        answer = await resolver.ask_server(server, name, "TXT", seconds)
        if answer.status.is_answer:
            return Ownership(host, answer)
    return Ownership(host, await resolver.ask(name, "TXT"))
