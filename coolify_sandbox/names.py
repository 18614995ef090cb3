"""An authoritative DNS server on loopback, UDP and TCP, whose records can be changed while it runs."""

from __future__ import annotations

import asyncio
import socket
from collections import defaultdict
from enum import Enum
from typing import Final, cast

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset

__all__ = ["NameServer", "ScriptedFailure"]

_TTL: Final = 60
_CHAIN_LIMIT: Final = 8


class ScriptedFailure(Enum):
    """How the server misbehaves for a name, on demand."""

    SERVFAIL = "servfail"
    SILENCE = "silence"


class NameServer:
    """Answers for its zones, refuses everything else."""

    def __init__(self, *zones: str) -> None:
        self._zones = [dns.name.from_text(zone) for zone in zones]
        self._records: defaultdict[dns.name.Name, dict[dns.rdatatype.RdataType, list[str]]] = defaultdict(dict)
        self._failures: dict[dns.name.Name, ScriptedFailure] = {}
        self._udp: asyncio.DatagramTransport | None = None
        self._tcp: asyncio.Server | None = None
        self.address: tuple[str, int] = ("127.0.0.1", 0)

    def add_zone(self, zone: str) -> None:
        """Become authoritative for a zone."""
        self._zones.append(dns.name.from_text(zone))

    def set(self, name: str, kind: str, *values: str) -> None:
        """Replace the records of a name and type; no values remove them. `*.zone` is a wildcard (RFC 4592)."""
        records = self._records[dns.name.from_text(name)]
        if values:
            records[dns.rdatatype.from_text(kind)] = list(values)
        else:
            records.pop(dns.rdatatype.from_text(kind), None)

    def fail(self, name: str, failure: ScriptedFailure | None) -> None:
        """Misbehave for a name from now on, or stop doing so."""
        if failure is None:
            self._failures.pop(dns.name.from_text(name), None)
        else:
            self._failures[dns.name.from_text(name)] = failure

    async def start(self) -> None:
        """Listen on one free loopback port for both protocols."""
        loop = asyncio.get_running_loop()
        for _ in range(20):
            self._tcp = await asyncio.start_server(self._serve_tcp, "127.0.0.1", 0)
            self.address = self._tcp.sockets[0].getsockname()
            try:
                self._udp, _protocol = await loop.create_datagram_endpoint(
                    lambda: _Datagrams(self), local_addr=self.address, family=socket.AF_INET
                )
            except OSError:
                # Somebody has the UDP half of this port: take another pair.
                self._tcp.close()
                continue
            return
        raise OSError("no port is free for both UDP and TCP")

    async def stop(self) -> None:
        """Stop listening."""
        if self._udp is not None:
            self._udp.close()
        if self._tcp is not None:
            self._tcp.close()
            await self._tcp.wait_closed()

    def answer(self, wire: bytes, *, udp: bool) -> bytes | None:
        """Return the answer to a query in wire format, None for silence."""
        try:
            query = dns.message.from_wire(wire)
        except dns.exception.DNSException:
            return None
        response = dns.message.make_response(query)
        if not query.question:
            response.set_rcode(dns.rcode.FORMERR)
            return response.to_wire()
        question = query.question[0]
        failure = self._failures.get(question.name)
        if failure is ScriptedFailure.SILENCE:
            return None
        if failure is ScriptedFailure.SERVFAIL:
            response.set_rcode(dns.rcode.SERVFAIL)
        else:
            self._resolve(question.name, question.rdtype, response)
        size = max(query.payload, 512) if udp else 65535
        try:
            return response.to_wire(max_size=size)
        except dns.exception.TooBig:
            truncated = dns.message.make_response(query)
            truncated.flags |= dns.flags.TC
            return truncated.to_wire()

    def _resolve(self, name: dns.name.Name, kind: dns.rdatatype.RdataType, response: dns.message.Message) -> None:
        zone = self._zone_of(name)
        if zone is None:
            response.set_rcode(dns.rcode.REFUSED)
            return
        response.flags |= dns.flags.AA
        for _ in range(_CHAIN_LIMIT):
            records = self._records_of(name, zone)
            if records is None:
                # Of the last name in a chain of aliases, too (RFC 6604, section 3).
                response.set_rcode(dns.rcode.NXDOMAIN)
                self._add_soa(zone, response)
                return
            if kind in records:
                response.answer.append(_rrset(name, kind, records[kind]))
                return
            if dns.rdatatype.CNAME not in records:
                self._add_soa(zone, response)
                return
            response.answer.append(_rrset(name, dns.rdatatype.CNAME, records[dns.rdatatype.CNAME]))
            name = dns.name.from_text(records[dns.rdatatype.CNAME][0])
            target_zone = self._zone_of(name)
            if target_zone is None:
                return
            zone = target_zone

    def _zone_of(self, name: dns.name.Name) -> dns.name.Name | None:
        enclosing = [zone for zone in self._zones if name.is_subdomain(zone)]
        return max(enclosing, key=len, default=None)

    def _records_of(self, name: dns.name.Name, zone: dns.name.Name) -> dict[dns.rdatatype.RdataType, list[str]] | None:
        """Return the records of a name, None if it does not exist; a name with something below it does."""
        own = self._records.get(name)
        if own or name == zone or any(other.is_subdomain(name) and records for other, records in self._records.items()):
            return own or {}
        parent = name
        while parent != zone:
            parent = parent.parent()
            wildcard = self._records.get(dns.name.from_text("*", parent))
            if wildcard:
                return wildcard
            if self._records.get(parent):
                break
        return None

    def _add_soa(self, zone: dns.name.Name, response: dns.message.Message) -> None:
        text = f"ns.{zone} hostmaster.{zone} 1 3600 600 86400 {_TTL}"
        response.authority.append(_rrset(zone, dns.rdatatype.SOA, [text]))

    async def _serve_tcp(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while header := await reader.readexactly(2):
                answer = self.answer(await reader.readexactly(int.from_bytes(header)), udp=False)
                if answer is not None:
                    writer.write(len(answer).to_bytes(2) + answer)
                    await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, server: NameServer) -> None:
        self._server = server
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # asyncio's own transport is one in behaviour, not by inheritance.
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        answer = self._server.answer(data, udp=True)
        if answer is not None and self._transport is not None:
            self._transport.sendto(answer, addr)


def _rrset(name: dns.name.Name, kind: dns.rdatatype.RdataType, values: list[str]) -> dns.rrset.RRset:
    rrset = dns.rrset.RRset(name, dns.rdataclass.IN, kind)
    for value in values:
        rrset.add(dns.rdata.from_text(dns.rdataclass.IN, kind, value, origin=dns.name.root, relativize=False), _TTL)
    return rrset
