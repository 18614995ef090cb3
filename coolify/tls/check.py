"""Check a host's certificate at all of its addresses, side by side."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from coolify.finding import Finding
from coolify.tls.handshake import Handshake, inspect_certificate
from coolify.tls.verdict import TlsPolicy, judge_certificate, judge_sameness

__all__ = ["check_certificate"]


async def check_certificate(
    host: str,
    addresses: Iterable[str],
    *,
    port: int = 443,
    ca_file: Path | None = None,
    policy: TlsPolicy | None = None,
) -> tuple[Finding, ...]:
    """Return what every address of the host serves, and whether all serve the same."""
    handshakes = await asyncio.gather(
        *(inspect_certificate(host, address, port, ca_file=ca_file) for address in addresses)
    )
    if not handshakes:
        # Nothing was looked at: that must not count as good.
        handshakes = [Handshake(host, "no address", port, connection_error="the name has no address")]
    now = datetime.now(UTC)
    judged = [judge_certificate(handshake, policy or TlsPolicy(), now) for handshake in handshakes]
    return (*(finding for findings in judged for finding in findings), *judge_sameness(handshakes))
