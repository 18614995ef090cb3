"""Look-ups against the system's or chosen name servers, with the reason when there is no answer."""

from __future__ import annotations

import asyncio
import ipaddress
from dataclasses import dataclass
from enum import StrEnum

import dns.asyncresolver
import dns.exception
import dns.name
import dns.nameserver
import dns.rdatatype
import dns.resolver

__all__ = ["HostAddresses", "LookupFailure", "Nameserver", "Resolver", "ServerAddresses"]


@dataclass(frozen=True, slots=True)
class Nameserver:
    """Address and port of a name server."""

    address: str
    port: int = 53


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

    @property
    def all(self) -> tuple[str, ...]:
        """All addresses, IPv4 first."""
        return (*self.ipv4, *self.ipv6)


@dataclass(frozen=True, slots=True)
class ServerAddresses:
    """The addresses under which a Coolify server is reached."""

    name: str
    addresses: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Lookup:
    addresses: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    failure: LookupFailure | None = None
    answered_by: str = ""


class Resolver:
    """Asynchronous look-ups without a cache.

    Args:
        nameservers: Servers to ask in this order; empty for the system's.
        timeout: Seconds for one look-up with all its repetitions.
    """

    def __init__(self, nameservers: tuple[Nameserver, ...] = (), timeout: float = 5.0) -> None:
        self._resolver = dns.asyncresolver.Resolver(configure=not nameservers)
        if nameservers:
            self._resolver.nameservers = [
                dns.nameserver.Do53Nameserver(server.address, server.port) for server in nameservers
            ]
        self._resolver.lifetime = timeout
        self._resolver.cache = None

    async def addresses(self, host: str) -> HostAddresses:
        """Return all addresses of a host name; an address literal is its own."""
        literal = _literal(host)
        if literal is not None:
            is_ipv6 = ":" in literal
            return HostAddresses(host, () if is_ipv6 else (literal,), (literal,) if is_ipv6 else ())
        v4, v6 = await asyncio.gather(self._look_up(host, "A"), self._look_up(host, "AAAA"))
        # One family without records is normal; the name fails when both do, and the harder reason counts.
        failure = None
        if not v4.addresses and not v6.addresses:
            failure = v4.failure if v4.failure is not LookupFailure.NODATA else v6.failure
        return HostAddresses(
            host,
            v4.addresses,
            v6.addresses,
            v4.aliases or v6.aliases,
            failure,
            v4.answered_by or v6.answered_by,
        )

    async def server_addresses(self, *hosts: str) -> ServerAddresses:
        """Return the addresses of a server that is known by one or more addresses or host names."""
        found = await asyncio.gather(*(self.addresses(host) for host in hosts))
        return ServerAddresses(hosts[0], frozenset(address for one in found for address in one.all))

    async def _look_up(self, host: str, kind: str) -> _Lookup:
        try:
            answer = await self._resolver.resolve(dns.name.from_text(host), kind, search=False)
        except dns.resolver.NXDOMAIN:
            return _Lookup(failure=LookupFailure.NXDOMAIN)
        except dns.resolver.NoAnswer:
            return _Lookup(failure=LookupFailure.NODATA)
        except dns.resolver.LifetimeTimeout:
            return _Lookup(failure=LookupFailure.TIMEOUT)
        except (dns.resolver.NoNameservers, dns.resolver.YXDOMAIN):
            return _Lookup(failure=LookupFailure.SERVFAIL)
        except (dns.exception.DNSException, UnicodeError):
            return _Lookup(failure=LookupFailure.INVALID)
        cnames = [rrset for rrset in answer.response.answer if rrset.rdtype == dns.rdatatype.CNAME]
        return _Lookup(
            tuple(sorted(record.to_text() for record in answer)),
            tuple(str(rrset[0].target).rstrip(".") for rrset in cnames),
            None,
            f"{answer.nameserver}:{answer.port}",
        )


def _literal(host: str) -> str | None:
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return None
