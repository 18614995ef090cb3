"""Certificates of many domains, checked by handshake, beside bare handshakes with the same servers.

One TLS server on loopback chooses a certificate for each domain by the name that is sent (SNI), in the process that
checks. Both sides verify chain and name, and have as many connections open at the same time.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from benchmarks.comparison import Comparison
from coolify.tls import check_certificate
from coolify.trust import trusting
from coolify_sandbox.authority import CertificateAuthority

__all__ = ["compare_handshakes"]

_LOOPBACK: Final = "127.0.0.1"
_AT_ONCE: Final = 64
"""Bare handshakes under way, as many as the product allows itself."""


async def compare_handshakes(number: int, directory: Path, *, rounds: int = 3) -> Comparison:
    """Check the certificates of some domains, and only shake hands with them; both several times, in turn.

    Args:
        number: How many domains, each with a certificate of its own.
        directory: Where the authority keeps its files.
        rounds: How often; the fastest round of each counts, because others disturb and never help.

    Raises:
        RuntimeError: A certificate was not found to be valid, so that the time says nothing.
    """
    authority = CertificateAuthority(directory)
    hosts = [f"shop-{place}.bench.test" for place in range(number)]
    async with _serving(authority, hosts) as port:

        async def ours() -> None:
            found = await asyncio.gather(
                *(check_certificate(host, [_LOOPBACK], port=port, ca_file=authority.ca_file) for host in hosts)
            )
            names = {finding.name for findings in found for finding in findings}
            if names != {"certificate-valid"} or len(found) != number:
                raise RuntimeError(f"expected valid certificates only, found {', '.join(sorted(names))}")

        async def bare() -> None:
            room = asyncio.Semaphore(_AT_ONCE)
            context = trusting(authority.ca_file)
            await asyncio.gather(*(_shake_hands(room, context, host, port) for host in hosts))

        spent_bare, spent_ours = await _fastest(rounds, bare, ours)
    return Comparison("certificates by handshake", number, spent_ours, spent_bare)


async def _shake_hands(room: asyncio.Semaphore, context: ssl.SSLContext, host: str, port: int) -> None:
    async with room:
        _, writer = await asyncio.open_connection(_LOOPBACK, port, ssl=context, server_hostname=host)
        writer.close()
        await writer.wait_closed()


@asynccontextmanager
async def _serving(authority: CertificateAuthority, hosts: Sequence[str]) -> AsyncIterator[int]:
    """Serve every host with its own certificate until the context is left; yield the port."""
    contexts = {host: authority.context(host) for host in hosts}

    def choose(session: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        session.context = contexts[name or hosts[0]]

    front = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    front.sni_callback = choose

    async def say_goodbye(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(say_goodbye, _LOOPBACK, 0, ssl=front, backlog=_AT_ONCE * 2)
    async with server:
        yield int(server.sockets[0].getsockname()[1])


async def _fastest(rounds: int, *actions: Callable[[], Awaitable[None]]) -> list[float]:
    """Return the seconds of the fastest round of each action; they take turns, so that both meet the same machine."""
    spent: list[list[float]] = [[] for _ in actions]
    for _ in range(rounds):
        for place, action in enumerate(actions):
            started = time.perf_counter()
            await action()
            spent[place].append(time.perf_counter() - started)
    return [min(one) for one in spent]
