"""Whom to trust: TLS contexts with the system's CA certificates, and a private authority's besides."""

from __future__ import annotations

import ssl
from functools import lru_cache
from pathlib import Path

__all__ = ["trusting"]


def trusting(ca_file: Path | None = None, *, verify: bool = True, alpn: tuple[str, ...] = ()) -> ssl.SSLContext:
    """Return a client context; loading certificates takes longer than a request, so contexts are kept.

    Args:
        ca_file: PEM file with certificates to trust besides the system's; read again when it has changed.
        verify: Whether chain and name are verified; without, only to look at what is served.
        alpn: Protocols to offer (RFC 7301), for callers that shake hands themselves. HTTP clients set their own on
            the context that they are given, and must not share it with them.

    Raises:
        OSError: The file cannot be read.
    """
    changed = ca_file.stat().st_mtime_ns if ca_file else 0
    return _context(ca_file, changed, alpn, verify=verify)


@lru_cache(maxsize=16)
def _context(
    ca_file: Path | None,
    changed: int,  # noqa: ARG001 - part of the key
    alpn: tuple[str, ...],
    *,
    verify: bool,
) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if ca_file is not None:
        context.load_verify_locations(cafile=str(ca_file))
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if alpn:
        context.set_alpn_protocols(list(alpn))
    return context
