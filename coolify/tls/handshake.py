"""Measure: shake hands with one address and read what it serves, also when it does not verify."""

from __future__ import annotations

import asyncio
import ssl
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from coolify.tls.certificate import Certificate, Link, read_certificate, read_link
from coolify.tls.room import room
from coolify.trust import trusting

__all__ = ["Handshake", "inspect_certificate", "offered_protocols"]

_ALPN: Final = ("h2", "http/1.1")
_CLOSING_SECONDS: Final = 1.0
_VERSIONS: Final = {
    "TLSv1": ssl.TLSVersion.TLSv1,
    "TLSv1.1": ssl.TLSVersion.TLSv1_1,
    "TLSv1.2": ssl.TLSVersion.TLSv1_2,
    "TLSv1.3": ssl.TLSVersion.TLSv1_3,
}
_NO_CERTIFICATE: Final = frozenset({"TLSV1_ALERT_INTERNAL_ERROR", "TLSV1_UNRECOGNIZED_NAME"})
"""Alerts of a proxy that has no certificate for the name: Caddy sends the first, others the second (RFC 6066)."""


@dataclass(frozen=True, slots=True)
class Handshake:
    """One handshake with one address."""

    host: str
    address: str
    port: int
    certificate: Certificate | None = None
    protocol: str | None = None
    trust_error: str | None = None
    """Why the chain or the name does not verify, None when they do."""
    connection_error: str | None = None
    """Why there was no handshake at all."""
    alpn: str | None = None
    """Application protocol that the server chose of `h2` and `http/1.1`, None when it chose none."""
    served: tuple[Link, ...] = ()
    """The chain in the order in which it came; only read where it does not verify."""
    has_no_certificate: bool = False
    """Whether the server itself refused because it has no certificate for the name."""

    @property
    def where(self) -> str:
        """Address and port."""
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


@dataclass(frozen=True, slots=True)
class _Shown:
    chain: tuple[bytes, ...]
    protocol: str | None
    alpn: str | None


async def inspect_certificate(
    host: str, address: str, port: int = 443, *, ca_file: Path | None = None, timeout_seconds: float = 10.0
) -> Handshake:
    """Shake hands with one address under a host name; verify, and when that fails read what was served anyway.

    Args:
        host: Name to send (SNI) and to verify.
        address: IP address to connect to.
        port: TCP port.
        ca_file: CA certificates to trust besides the system's.
        timeout_seconds: Limit for each of the at most two connections.
    """
    try:
        shown = await _shake_hands(host, address, port, trusting(ca_file, alpn=_ALPN), timeout_seconds)
        return Handshake(
            host, address, port, read_certificate(shown.chain[0]), protocol=shown.protocol, alpn=shown.alpn
        )
    except ssl.SSLCertVerificationError as error:
        trust_error = str(error.verify_message or error.reason)
    except (OSError, ValueError) as error:
        return _failed(host, address, port, error)
    # Only to read and report the certificate that has just failed verification; nothing is sent.
    blind = trusting(verify=False, alpn=_ALPN)
    try:
        shown = await _shake_hands(host, address, port, blind, timeout_seconds)
        leaf = read_certificate(shown.chain[0])
        served = tuple(read_link(one) for one in shown.chain)
    except (OSError, ValueError) as error:
        return _failed(host, address, port, error, trust_error)
    return Handshake(host, address, port, leaf, shown.protocol, trust_error, alpn=shown.alpn, served=served)


async def offered_protocols(
    host: str, address: str, port: int = 443, *, timeout_seconds: float = 10.0
) -> tuple[str, ...]:
    """Return the TLS versions that an address accepts, oldest first; one handshake each, side by side.

    Certificates are not verified here, and old ciphers are accepted: only the version is asked.
    """

    async def accepts(version: str) -> bool:
        try:
            async with _connected(host, address, port, _only(version), timeout_seconds):
                return True
        except OSError:
            return False

    accepted = await asyncio.gather(*(accepts(version) for version in _VERSIONS))
    return tuple(version for version, yes in zip(_VERSIONS, accepted, strict=True) if yes)


@lru_cache(maxsize=len(_VERSIONS))
def _only(version: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    # OpenSSL 3 speaks the old versions at this level only.
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        # Asking for them is the purpose.
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = _VERSIONS[version]
    return context


async def _shake_hands(host: str, address: str, port: int, context: ssl.SSLContext, timeout_seconds: float) -> _Shown:
    async with _connected(host, address, port, context, timeout_seconds) as session:
        return _Shown(_chain(session), session.version(), session.selected_alpn_protocol())


@asynccontextmanager
async def _connected(
    host: str, address: str, port: int, context: ssl.SSLContext, timeout_seconds: float
) -> AsyncIterator[ssl.SSLObject]:
    """Yield the TLS session of a connection that lasts for the handshake only."""
    async with room():
        async with asyncio.timeout(timeout_seconds):
            _, writer = await asyncio.open_connection(address, port, ssl=context, server_hostname=host)
        try:
            yield writer.get_extra_info("ssl_object")
        finally:
            writer.close()
            try:
                async with asyncio.timeout(_CLOSING_SECONDS):
                    await writer.wait_closed()
            except OSError:
                # The other side is gone already or does not say goodbye, and we want nothing more from it.
                writer.transport.abort()


def _chain(session: ssl.SSLObject) -> tuple[bytes, ...]:
    """Return the certificates as they were served, leaf first."""
    leaf = session.getpeercert(binary_form=True)
    if leaf is None:
        raise ConnectionAbortedError("the server showed no certificate")
    if session.context.verify_mode is ssl.CERT_REQUIRED:
        return (leaf,)
    # Public from Python 3.13 on, where it returns bytes; before, the object inside has it.
    inner = session if hasattr(session, "get_unverified_chain") else getattr(session, "_sslobj", None)
    get_chain = getattr(inner, "get_unverified_chain", None)
    served = [
        one if isinstance(one, bytes) else ssl.PEM_cert_to_DER_cert(one.public_bytes())
        for one in (get_chain() if get_chain else None) or ()
    ]
    return tuple(served) or (leaf,)


def _failed(
    host: str, address: str, port: int, error: OSError | ValueError, trust_error: str | None = None
) -> Handshake:
    no_certificate = isinstance(error, ssl.SSLError) and error.reason in _NO_CERTIFICATE
    return Handshake(
        host,
        address,
        port,
        trust_error=trust_error,
        connection_error=_reason(error),
        has_no_certificate=no_certificate,
    )


def _reason(error: OSError | ValueError) -> str:
    if isinstance(error, ValueError):
        return f"the certificate cannot be read ({error})"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    if isinstance(error, ssl.SSLError) and error.reason in _NO_CERTIFICATE:
        return "the proxy has no certificate for the name"
    if isinstance(error, ssl.SSLError) and error.reason in {"TLSV1_ALERT_PROTOCOL_VERSION", "UNSUPPORTED_PROTOCOL"}:
        return "only outdated versions of TLS are spoken there"
    if isinstance(error, ssl.SSLError) and error.reason in {"SSLV3_ALERT_HANDSHAKE_FAILURE", "NO_SHARED_CIPHER"}:
        return "no cipher or kind of key in common with this machine"
    if isinstance(error, ConnectionResetError | ssl.SSLEOFError):
        return "connection closed during the handshake"
    if isinstance(error, ssl.SSLError):
        return f"no TLS is spoken there ({error.reason or error})"
    return error.strerror or str(error) or type(error).__name__
