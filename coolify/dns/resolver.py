"""Look-ups against the system's or chosen name servers, with the reason when there is no answer."""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import dns.exception
import dns.message
import dns.resolver

from coolify.dns.answer import Answer, Nameserver, Status
from coolify.dns.exchange import Question, fetch, read
from coolify.hostnames import HostNameError, as_ascii

__all__ = ["HostAddresses", "LookupFailure", "Resolver", "ServerAddresses", "host_addresses"]

_ATTEMPT_SECONDS: Final = 2.0
_CONCURRENT: Final = 64
"""Questions under way at the same time: each has a socket of its own."""


class LookupFailure(StrEnum):
    """Why a name has no address."""

    NXDOMAIN = "NXDOMAIN"
    """The name does not exist (RFC 8020: nothing below it does either)."""
    NODATA = "NODATA"
    """The name exists, but has no record of this type (RFC 2308)."""
    SERVFAIL = "SERVFAIL"
    """The name servers failed or refused, or DNSSEC validation did."""
    TIMEOUT = "time-out"
    INVALID = "invalid name"


_FAILURES: Final = {
    Status.NXDOMAIN: LookupFailure.NXDOMAIN,
    Status.NODATA: LookupFailure.NODATA,
    Status.TIMEOUT: LookupFailure.TIMEOUT,
    Status.CLOSED: LookupFailure.TIMEOUT,
    Status.UNREACHABLE: LookupFailure.TIMEOUT,
    Status.INVALID: LookupFailure.INVALID,
}


@dataclass(frozen=True, slots=True)
class HostAddresses:
    """The addresses of a host name, or why there are none."""

    host: str
    ipv4: tuple[str, ...] = ()
    ipv6: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    """Targets of the CNAME chain, in order."""
    failure: LookupFailure | None = None
    answered_by: str = ""
    detail: str = ""
    """What the server added to a failure (RFC 8914)."""

    @property
    def all(self) -> tuple[str, ...]:
        """All addresses, IPv4 first."""
        return (*self.ipv4, *self.ipv6)


@dataclass(frozen=True, slots=True)
class ServerAddresses:
    """The addresses under which a Coolify server is reached."""

    name: str
    addresses: frozenset[str]

    def has(self, addresses: Collection[str]) -> bool:
        """Return whether there are addresses, and all of them are the server's."""
        return bool(addresses) and self.addresses.issuperset(addresses)


class Resolver:
    """Asynchronous look-ups without a cache.

    Args:
        nameservers: Servers to ask in this order; empty for the system's.
        timeout: Seconds for one look-up with all its repetitions.
    """

    def __init__(self, nameservers: tuple[Nameserver, ...] = (), timeout: float = 5.0) -> None:
        self.is_system = not nameservers
        self.nameservers = nameservers or _system_nameservers()
        self.timeout = timeout
        self._room = asyncio.Semaphore(_CONCURRENT)

    async def ask(self, name: str, kind: str, *, unchecked: bool = False) -> Answer:
        """Ask the name servers in their order until one knows an answer.

        Args:
            name: Host name, in any script.
            kind: Record type.
            unchecked: Whether a validating server is to leave out the validation.
        """
        try:
            question = Question(as_ascii(name), kind, unchecked=unchecked)
        except (dns.exception.DNSException, HostNameError):
            return Answer(name, kind, Status.INVALID)
        deadline = time.monotonic() + self.timeout
        worst = Answer(name, kind, Status.TIMEOUT)
        while True:
            lost = False
            for server in self.nameservers:
                left = deadline - time.monotonic()
                if left <= 0:
                    return worst
                answer = read(question, server, await self.fetch(server, question, min(left, _ATTEMPT_SECONDS)))
                if answer.status.is_answer:
                    return answer
                lost = lost or answer.status is Status.TIMEOUT
                if not answer.status.is_silence or worst.status.is_silence:
                    worst = answer
            if not worst.status.is_silence or not lost:
                # Servers that fail or refuse do so again; only a lost datagram is worth another one.
                return worst

    async def ask_server(
        self, server: Nameserver, name: str, kind: str, seconds: float, *, recursive: bool = False
    ) -> Answer:
        """Ask one server once, without the detour over a resolver.

        Args:
            server: Whom to ask.
            name: Host name in the form of the DNS.
            kind: Record type.
            seconds: How long to wait for the answer.
            recursive: Whether the server is to ask others, as a resolver does.
        """
        try:
            question = Question(name, kind, recursive=recursive)
        except dns.exception.DNSException:
            return Answer(name, kind, Status.INVALID, server)
        return read(question, server, await self.fetch(server, question, seconds))

    async def fetch(self, server: Nameserver, question: Question, seconds: float) -> dns.message.Message | Status:
        """Ask one server once and return the message as it is, or why there is none.

        Time spent waiting for one's turn does not count.
        """
        async with self._room:
            return await fetch(question, server, seconds)

    async def addresses(self, host: str) -> HostAddresses:
        """Return all addresses of a host name; an address literal is its own."""
        literal = _literal(host)
        if literal is not None:
            is_ipv6 = ":" in literal
            return HostAddresses(host, () if is_ipv6 else (literal,), (literal,) if is_ipv6 else ())
        return host_addresses(host, *await asyncio.gather(self.ask(host, "A"), self.ask(host, "AAAA")))

    async def server_addresses(self, *hosts: str) -> ServerAddresses:
        """Return the addresses of a server that is known by one or more addresses or host names."""
        found = await asyncio.gather(*(self.addresses(host) for host in hosts))
        return ServerAddresses(hosts[0], frozenset(address for one in found for address in one.all))


def host_addresses(host: str, v4: Answer, v6: Answer) -> HostAddresses:
    """Return the addresses that two answers hold, for A and AAAA."""
    # One family without records is normal; the name fails when both do, and the harder reason counts.
    failure = None
    if not v4.records and not v6.records:
        hard = v4 if v4.status is not Status.NODATA else v6
        failure = _FAILURES.get(hard.status, LookupFailure.SERVFAIL)
        if hard.loops:
            failure = LookupFailure.SERVFAIL
    server = next((one.server for one in (v4, v6) if one.status.is_answer and one.server), None)
    return HostAddresses(
        host,
        v4.records,
        v6.records,
        v4.aliases or v6.aliases,
        failure,
        str(server) if server else "",
        v4.detail or v6.detail,
    )


def _system_nameservers() -> tuple[Nameserver, ...]:
    """Return the servers of /etc/resolv.conf; none where the system has no such thing."""
    try:
        system = dns.resolver.Resolver(configure=True)
    except dns.resolver.NoResolverConfiguration:
        return ()
    return tuple(Nameserver(one, system.port) for one in _texts(system.nameservers))


def _texts(values: Iterable[object]) -> list[str]:
    return [one for one in values if isinstance(one, str)]


def _literal(host: str) -> str | None:
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return None
