"""Questions that are not HTTP: does a port accept, does it show a good certificate, does a command succeed."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from coolify.commands import run_here
from coolify.health.probe import ProbeResult
from coolify.tls.handshake import inspect_certificate

__all__ = ["probe_command", "probe_tcp", "probe_tls"]


async def probe_tcp(title: str, address: str, port: int, limit: float) -> ProbeResult:
    """Connect once and hang up.

    Args:
        title: What it is called in reports.
        address: IP address.
        port: TCP port.
        limit: Seconds that it may take.
    """
    started = time.monotonic()
    try:
        async with asyncio.timeout(limit):
            _, writer = await asyncio.open_connection(address, port)
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
    except TimeoutError:
        return _bad(title, f"no connection to {address} within {limit:g} s", started)
    except OSError as error:
        return _bad(title, f"no connection to {address}: {error.strerror or error}", started)
    return ProbeResult(title, ok=True, reason=f"{address} accepts", seconds=time.monotonic() - started)


async def probe_tls(
    title: str, host: str, address: str, port: int, limit: float, ca_file: Path | None = None
) -> ProbeResult:
    """Shake hands once; the certificate must be trusted and name the host.

    Args:
        title: What it is called in reports.
        host: Name that the certificate must have.
        address: IP address.
        port: TCP port.
        limit: Seconds that it may take.
        ca_file: Certificates to trust besides the system's.
    """
    started = time.monotonic()
    try:
        seen = await inspect_certificate(host, address, port, ca_file=ca_file, timeout_seconds=limit)
    except ssl.SSLError as error:
        return _bad(title, f"no handshake with {address}: {error.reason or error}", started)
    problem = seen.connection_error or seen.trust_error
    if problem:
        return _bad(title, f"{address}: {problem}", started)
    return ProbeResult(title, ok=True, reason=f"{address} shows a good certificate", seconds=time.monotonic() - started)


async def probe_command(
    title: str, command: str, directory: Path, environ: Mapping[str, str], limit: float, redact: Callable[[str], str]
) -> ProbeResult:
    """Run a command once; it must end with 0.

    Args:
        title: What it is called in reports.
        command: For a shell.
        directory: Where it starts.
        environ: Its whole environment.
        limit: Seconds that it may take.
        redact: Takes secrets out of what it prints.
    """
    started = time.monotonic()
    result = await run_here(command, directory, environ, limit, lambda _: None, redact)
    if not result.ok:
        said = f": {result.tail[-1]}" if result.tail else ""
        return _bad(title, f"{result.problem}{said}", started, " / ".join(result.tail))
    return ProbeResult(title, ok=True, reason="succeeded", seconds=time.monotonic() - started)


def _bad(title: str, reason: str, started: float, excerpt: str = "") -> ProbeResult:
    return ProbeResult(title, ok=False, reason=reason, seconds=time.monotonic() - started, excerpt=excerpt)
