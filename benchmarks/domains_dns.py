"""The DNS half of checking a thousand domains: what the checks add to bare look-ups of the same number.

The name server is a process of its own, answers from prepared bytes and is the same for both; so are number and kinds
of the questions, which the server counts. A bare look-up is one UDP socket of asyncio, one question in wire format, and
the answer read by dnspython: less does not tell an address.
"""

from __future__ import annotations

import asyncio
import ipaddress
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import dns.message
import dns.name
import dns.rdatatype

from benchmarks.comparison import Comparison
from coolify.dns import DnsSettings, Nameserver, Resolver, ServerAddresses
from coolify.dns.check import check_domains

__all__ = ["compare_lookups", "count_questions"]

_ZONE: Final = "bench.test"
_ADDRESS: Final = "192.0.2.10"
_AT_ONCE: Final = 64
_KINDS: Final = ("A", "AAAA", "SOA", "CAA", "A", "AAAA")
"""What a check asks about each host: its addresses twice, of the resolver and of the server of the zone."""
_COUNT: Final = f"count.{_ZONE}"
"""Name whose address is the number of questions so far."""


async def compare_lookups(number: int, directory: Path, *, rounds: int = 3) -> Comparison:  # noqa: ARG001 - no files
    """Check domains against a name server on loopback and send as many bare questions, in turns.

    Args:
        number: How many hosts of one zone are checked.
        directory: Not needed.
        rounds: How often; the quickest counts, for all others were hindered by something else.

    Raises:
        RuntimeError: A domain was not found to be good: what was measured is not what is promised.
    """
    hosts = _hosts(number)
    checked, bare = [], []
    with _name_server() as server:
        for _ in range(rounds):
            started = time.perf_counter()
            questions = await _check(hosts, server)
            checked.append(time.perf_counter() - started)
            started = time.perf_counter()
            await _bare(hosts, questions, server)
            bare.append(time.perf_counter() - started)
    return Comparison(f"{questions} questions of DNS", number, min(checked), min(bare))


async def count_questions(number: int) -> int:
    """Return how many questions it takes to check some hosts of one zone."""
    with _name_server() as server:
        return await _check(_hosts(number), server)


def _hosts(number: int) -> list[str]:
    return [f"host{place}.{_ZONE}" for place in range(number)]


async def _check(hosts: list[str], server: Nameserver) -> int:
    """Check hosts, and return the number of questions that the name server was asked."""
    settings = DnsSettings(nameserver_port=server.port)
    expected = ServerAddresses("server", frozenset({_ADDRESS}))
    before = await _counted(server)
    findings = await check_domains(hosts, expected, Resolver((server,)), settings)
    questions = await _counted(server) - before - 1
    good = sum(finding.name == "domain-points-to-server" for finding in findings)
    if good != len(hosts) or any(finding.is_problem for finding in findings):
        raise RuntimeError(f"{good} of {len(hosts)} domains were found to be good")
    return questions


async def _bare(hosts: list[str], questions: int, server: Nameserver) -> None:
    room = asyncio.Semaphore(_AT_ONCE)

    async def ask(number: int) -> None:
        async with room:
            await _look_up(hosts[number % len(hosts)], _KINDS[number % len(_KINDS)], server)

    await asyncio.gather(*(ask(number) for number in range(questions)))


async def _look_up(host: str, kind: str, server: Nameserver) -> list[str]:
    query = dns.message.make_query(host, kind)
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[bytes] = loop.create_future()
    transport, _ = await loop.create_datagram_endpoint(
        lambda: _Answer(answer), remote_addr=(server.address, server.port)
    )
    try:
        transport.sendto(query.to_wire())
        response = dns.message.from_wire(await asyncio.wait_for(answer, 30))
    finally:
        transport.close()
    return [record.to_text() for rrset in response.answer for record in rrset]


async def _counted(server: Nameserver) -> int:
    (address,) = await _look_up(_COUNT, "A", server)
    return int(ipaddress.IPv4Address(address))


class _Answer(asyncio.DatagramProtocol):
    def __init__(self, answer: asyncio.Future[bytes]) -> None:
        self._answer = answer

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:  # noqa: ARG002 - signature of asyncio
        if not self._answer.done():
            self._answer.set_result(data)


@contextmanager
def _name_server() -> Iterator[Nameserver]:
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.domains_dns"], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield Nameserver("127.0.0.1", int(process.stdout.readline()) if process.stdout else 0)
        finally:
            process.terminate()


class _Zone(asyncio.DatagramProtocol):
    """Answers for one zone without reading more of a question than its name and type."""

    def __init__(self) -> None:
        self._questions = 0
        self._apex = dns.name.from_text(_ZONE).to_digestable()
        self._count = dns.name.from_text(_COUNT).to_digestable()
        name_server = dns.name.from_text(f"ns.{_ZONE}").to_digestable()
        self._ns = _record(self._apex, dns.rdatatype.NS, name_server)
        numbers = b"".join(number.to_bytes(4) for number in (1, 3600, 600, 86400, 60))
        self._soa = _record(self._apex, dns.rdatatype.SOA, name_server + name_server + numbers)
        self._address = ipaddress.IPv4Address(_ADDRESS).packed
        self._own = ipaddress.IPv4Address("127.0.0.1").packed
        self._name_server = name_server

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._questions += 1
        end = data.index(b"\0", 12) + 1
        name, kind = data[12:end].lower(), int.from_bytes(data[end : end + 2])
        answer, authority = self._say(name, kind)
        # A response that is authoritative, with recursion as asked for, and made-up names do not exist.
        code = 3 if not answer and len(name) > 28 else 0
        head = data[:2] + (0x8480 | data[2] << 8 & 0x100 | code).to_bytes(2)
        counts = b"\0\1" + bool(answer).to_bytes(2) + bool(authority).to_bytes(2) + b"\0\0"
        self._transport.sendto(head + counts + data[12 : end + 4] + answer + authority, addr)

    def _say(self, name: bytes, kind: int) -> tuple[bytes, bytes]:
        """Return answer and authority section."""
        if kind == dns.rdatatype.A and name != self._apex and len(name) <= 28:
            address = self._questions.to_bytes(4) if name == self._count else self._address
            return _record(name, kind, self._own if name == self._name_server else address), b""
        if name == self._apex and kind == dns.rdatatype.NS:
            return self._ns, b""
        if name == self._apex and kind == dns.rdatatype.SOA:
            return self._soa, b""
        return b"", self._soa


def _record(name: bytes, kind: int, data: bytes) -> bytes:
    return name + kind.to_bytes(2) + b"\0\1" + (60).to_bytes(4) + len(data).to_bytes(2) + data


async def _serve() -> None:
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(_Zone, local_addr=("127.0.0.1", 0))
    print(transport.get_extra_info("sockname")[1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve())
