"""Everything that was measured about a domain, as data; the judgements read it and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from coolify.dns.answer import Answer, Nameserver, Status
from coolify.dns.networks import is_private
from coolify.dns.resolver import HostAddresses, ServerAddresses, host_addresses

if TYPE_CHECKING:
    from coolify.dns.ownership import Ownership

__all__ = ["Aliases", "CaaRecord", "CaaSet", "PortState", "Reach", "Signatures", "Survey", "View", "Walk", "Zone"]


@dataclass(frozen=True, slots=True)
class View:
    """What one server says about the addresses of the host."""

    server: Nameserver
    v4: Answer
    v6: Answer

    @property
    def answers(self) -> bool:
        """Whether it told something about both types."""
        return self.v4.status.is_answer and self.v6.status.is_answer

    @property
    def is_silent(self) -> bool:
        """Whether nothing came back."""
        return self.v4.status.is_silence and self.v6.status.is_silence

    @property
    def records(self) -> frozenset[str]:
        """The addresses it tells; of an alias the first target, for what follows may be another server's."""
        alias = self.v4.aliases or self.v6.aliases
        return frozenset({f"CNAME {alias[0]}"}) if alias else frozenset((*self.v4.records, *self.v6.records))

    @property
    def addresses(self) -> frozenset[str]:
        """The addresses it tells, those of an alias included."""
        return frozenset((*self.v4.records, *self.v6.records))

    @property
    def ttl(self) -> int:
        """Seconds for which the answer may be remembered."""
        kept = [one.ttl for one in (self.v4, self.v6) if one.records] or [self.v4.ttl, self.v6.ttl]
        return max(kept)

    @property
    def told(self) -> str:
        """What it said, in a few words."""
        if self.records:
            return ", ".join(sorted(self.records))
        return self.v4.told if self.v4.status is not Status.NODATA else self.v6.told


class Signatures(StrEnum):
    """What DNSSEC says about a zone."""

    UNSIGNED = "unsigned"
    """The parent has no DS record: nothing is promised."""
    VALID = "valid"
    BOGUS = "bogus"
    """A DS record promises signatures, and they do not verify: validating resolvers answer SERVFAIL."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Zone:
    """The zone of a host, its delegation and its servers."""

    name: str
    parent: str = ""
    """The zone above; empty where it is not known to the resolver."""
    nameservers: tuple[str, ...] = ()
    """Names in the zone's own NS records."""
    delegated: tuple[str, ...] | None = None
    """Names in the parent's NS records; None where no server of the parent could be asked."""
    without_address: tuple[str, ...] = ()
    """Name servers whose names lead nowhere."""
    servers: tuple[Nameserver, ...] = ()
    """Every address of every name server."""
    soas: tuple[Answer, ...] = ()
    """What each of the servers says about the zone's SOA record, in their order."""
    signatures: Signatures = Signatures.UNKNOWN
    signature_detail: str = ""

    @property
    def responsible(self) -> tuple[Nameserver, ...]:
        """The servers that answer for the zone; of the others nothing is to be learned."""
        return tuple(one.server for one in self.soas if one.server and one.status is Status.FOUND and one.authoritative)

    def soa_of(self, server: Nameserver) -> Answer | None:
        """Return what a server said about the zone."""
        return next((one for one in self.soas if one.server == server), None)


@dataclass(frozen=True, slots=True)
class Aliases:
    """A chain of CNAME records, followed one by one where the resolver gave none."""

    targets: tuple[str, ...] = ()
    loops: bool = False


@dataclass(frozen=True, slots=True)
class CaaRecord:
    """One property of a CAA record set (RFC 8659, section 4.1)."""

    critical: bool
    tag: str
    """In lower case."""
    value: str


@dataclass(frozen=True, slots=True)
class CaaSet:
    """The record set that counts for a name: the nearest up the tree (RFC 8659, section 3)."""

    at: str = ""
    """Name that has it; empty where no name has any."""
    records: tuple[CaaRecord, ...] = ()
    failures: tuple[Answer, ...] = ()
    """Look-ups within the zone that failed before a record set was found."""


class PortState(StrEnum):
    """How a connection attempt ended."""

    OPEN = "open"
    REFUSED = "refused"
    SILENT = "no answer"
    UNREACHABLE = "no way there from here"


@dataclass(frozen=True, slots=True)
class Reach:
    """One port at one address."""

    address: str
    port: int
    state: PortState


@dataclass(frozen=True, slots=True)
class Walk:
    """Where redirects lead, from the plain HTTP address of the host."""

    steps: tuple[str, ...] = ()
    """The addresses, in order, beginning with the first."""
    loops: bool = False
    end: str = ""
    """How it ended: a status, or why there was no answer."""


@dataclass(frozen=True, slots=True)
class Survey:
    """All that was measured about one host."""

    host: str
    server: ServerAddresses
    found: HostAddresses
    """What the resolver of this run says."""
    written: str = ""
    """The name as it was given, before it was brought into the form of the DNS."""
    name_problem: str = ""
    """Why the name is no host name."""
    aliases: Aliases = Aliases()
    zone: Zone | None = None
    authoritative: tuple[View, ...] = ()
    resolvers: tuple[View, ...] = ()
    """The run's own resolvers, then the public ones."""
    wildcard: View | None = None
    """What a random name beside the host gets; None where there is none to ask for."""
    unchecked: Answer | None = None
    """The answer without validation, where the validated one failed."""
    caa: CaaSet | None = None
    ownership: Ownership | None = None
    reach: tuple[Reach, ...] = ()
    walk: Walk | None = None

    @property
    def is_by_wildcard(self) -> bool:
        """Whether any other name beside the host would get the same addresses."""
        beside = self.wildcard
        return beside is not None and bool(beside.addresses) and beside.addresses == frozenset(self.addresses.all)

    @property
    def truth(self) -> frozenset[str] | None:
        """What all authoritative servers that answer say; None where none does or they disagree."""
        said = {view.records for view in self.authoritative if view.answers}
        return next(iter(said)) if len(said) == 1 else None

    @property
    def addresses(self) -> HostAddresses:
        """The addresses that count: those of the authoritative servers, else those of the resolver.

        An alias may lead to another zone, of which they know nothing: then the resolver's answer counts. It counts as
        well where it is the server's own address in a private network: the zone that the world sees says nothing about
        that (split horizon).
        """
        views = [view for view in self.authoritative if view.answers]
        if self.truth is None or self.is_internal:
            return self.found
        told = host_addresses(self.host, views[0].v4, views[0].v6)
        if told.aliases and not told.all:
            return self.found
        return replace(told, answered_by=", ".join(str(one.server) for one in views))

    @property
    def is_internal(self) -> bool:
        """Whether the resolver leads to the server within a private network."""
        return self.server.has(self.found.all) and all(is_private(address) for address in self.found.all)
