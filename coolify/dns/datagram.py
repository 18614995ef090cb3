"""One question and its answer over UDP, as bytes.

Every question has a socket of its own, connected: a random port and a random id are what an answer must match
(RFC 5452), and a closed port is told at once instead of never.
"""

from __future__ import annotations

import asyncio
from typing import Final

from coolify.dns.answer import Nameserver

__all__ = ["ask_over_udp", "is_truncated"]

_HEADER: Final = 12
"""Octets before the question section (RFC 1035, section 4.1.1)."""
_WITHOUT_QUESTION: Final = frozenset({1, 2, 4, 5})
"""FORMERR, SERVFAIL, NOTIMP and REFUSED may leave the question out."""


async def ask_over_udp(query: bytes, server: Nameserver, seconds: float) -> bytes:
    """Send a question and return the answer, which may be truncated.

    Raises:
        TimeoutError: Nothing that answers the question came in time.
        OSError: There is no way to the server, or nothing listens there.
    """
    answered: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: _Exchange(query, answered), remote_addr=(server.address, server.port)
    )
    try:
        transport.sendto(query)
        async with asyncio.timeout(seconds):
            return await answered
    finally:
        transport.close()


def is_truncated(answer: bytes) -> bool:
    """Return whether an answer was too long for a datagram."""
    return bool(answer[2] & 0x02)


def _answers(query: bytes, answer: bytes) -> bool:
    """Return whether a datagram is a response to the question: same id, same name and type."""
    if len(answer) < _HEADER or answer[:2] != query[:2] or not answer[2] & 0x80:
        return False
    end = query.index(b"\0", _HEADER) + 5
    if answer[4:6] == b"\0\0":
        return answer[3] & 0x0F in _WITHOUT_QUESTION
    return answer[_HEADER:end].lower() == query[_HEADER:end].lower()


class _Exchange(asyncio.DatagramProtocol):
    """Takes the first datagram that answers the question; all others are noise or forged."""

    def __init__(self, query: bytes, answered: asyncio.Future[bytes]) -> None:
        self._query = query
        self._answered = answered

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:  # noqa: ARG002 - signature of asyncio
        if not self._answered.done() and _answers(self._query, data):
            self._answered.set_result(data)

    def error_received(self, exc: Exception) -> None:
        if not self._answered.done():
            self._answered.set_exception(exc)
