"""Measure: shake hands with one address and read what it serves, also when it does not verify."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.x509.oid import NameOID

from coolify.trust import trusting

__all__ = ["Certificate", "Handshake", "inspect_certificate"]


@dataclass(frozen=True, slots=True)
class Certificate:
    """The leaf certificate, as far as it is judged."""

    subject: str
    issuer: str
    names: tuple[str, ...]
    """DNS names of the subject alternative name extension (RFC 6125: the common name does not count)."""
    not_before: datetime
    not_after: datetime
    serial: str
    """Hexadecimal."""
    key: str
    """Type and size, for example `RSA 2048`."""
    weak: str | None
    """Why key or signature is too weak, None when they are not."""
    self_signed: bool


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
        der, protocol = await _shake_hands(host, address, port, trusting(ca_file), timeout_seconds)
        return Handshake(host, address, port, _read(der), protocol)
    except ssl.SSLCertVerificationError as error:
        trust_error = str(error.verify_message or error.reason)
    except (OSError, TimeoutError) as error:
        return Handshake(host, address, port, connection_error=_reason(error))
    # Only to read and report the certificate that has just failed verification; nothing is sent.
    blind = trusting(verify=False)
    try:
        der, protocol = await _shake_hands(host, address, port, blind, timeout_seconds)
    except (OSError, TimeoutError) as error:
        return Handshake(host, address, port, trust_error=trust_error, connection_error=_reason(error))
    return Handshake(host, address, port, _read(der), protocol, trust_error)


async def _shake_hands(
    host: str, address: str, port: int, context: ssl.SSLContext, timeout_seconds: float
) -> tuple[bytes, str | None]:
    async with asyncio.timeout(timeout_seconds):
        _, writer = await asyncio.open_connection(address, port, ssl=context, server_hostname=host)
    try:
        session = writer.get_extra_info("ssl_object")
        return session.getpeercert(binary_form=True), session.version()
    finally:
        writer.close()
        # The other side may be gone already, and we want nothing more from it.
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(1):
                await writer.wait_closed()


def _reason(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    if isinstance(error, ssl.SSLError):
        return f"no TLS is spoken there ({error.reason or error})"
    if isinstance(error, ConnectionResetError | ssl.SSLEOFError):
        return "connection closed during the handshake"
    return error.strerror or str(error) or type(error).__name__


def _read(der: bytes) -> Certificate:
    leaf = x509.load_der_x509_certificate(der)
    try:
        names = tuple(
            leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName)
        )
    except x509.ExtensionNotFound:
        names = ()
    key, weak_key = _key(leaf)
    return Certificate(
        subject=_name(leaf.subject),
        issuer=_name(leaf.issuer),
        names=names,
        not_before=leaf.not_valid_before_utc,
        not_after=leaf.not_valid_after_utc,
        serial=f"{leaf.serial_number:x}",
        key=key,
        weak=weak_key or _weak_signature(leaf),
        self_signed=leaf.subject == leaf.issuer,
    )


def _name(name: x509.Name) -> str:
    common = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    organization = name.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    parts = [str(attribute.value) for attribute in (*organization, *common)]
    return " ".join(parts) or name.rfc4514_string()


def _key(leaf: x509.Certificate) -> tuple[str, str | None]:
    """Return type and size of the key, and why it is too weak (CA/Browser Forum, Baseline Requirements 6.1.5)."""
    match leaf.public_key():
        case rsa.RSAPublicKey(key_size=bits):
            return f"RSA {bits}", f"its RSA key has only {bits} bits" if bits < 2048 else None
        case ec.EllipticCurvePublicKey(curve=curve):
            small = curve.key_size < 256
            return f"ECDSA {curve.name}", f"its curve {curve.name} is too small" if small else None
        case ed25519.Ed25519PublicKey():
            return "Ed25519", None
        case ed448.Ed448PublicKey():
            return "Ed448", None
        case other:
            return type(other).__name__, "its key type is not accepted by browsers"


def _weak_signature(leaf: x509.Certificate) -> str | None:
    algorithm = leaf.signature_hash_algorithm
    if algorithm is not None and algorithm.name in {"md5", "sha1"}:
        return f"it is signed with {algorithm.name.upper()}"
    return None
