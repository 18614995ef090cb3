"""Read a certificate: what is judged of it, and nothing else."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

__all__ = ["Certificate", "Link", "read_certificate", "read_link"]

_WEAK_HASHES: Final = frozenset({"md5", "sha1"})


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
    signature: str = ""
    """How the issuer signed, for example `ecdsa-with-SHA384`."""
    renewal_id: str | None = None
    """How ACME Renewal Information names it (RFC 9773 section 4.1), None without an authority key identifier."""
    issuer_url: str | None = None
    """Where the issuer's certificate can be loaded from (RFC 5280 section 4.2.2.1)."""

    @property
    def lifetime(self) -> timedelta:
        """Whole lifetime, from six days to more than a year; at least a second."""
        return max(self.not_after - self.not_before, timedelta(seconds=1))

    def life_left(self, now: datetime) -> float:
        """Return the share of the lifetime that is left: 1.0 at its beginning, 0.0 and less after its end."""
        return (self.not_after - now) / self.lifetime


@dataclass(frozen=True, slots=True)
class Link:
    """One certificate of a served chain, as far as it links to others."""

    subject: str
    issuer: str


def read_certificate(der: bytes) -> Certificate:
    """Read a leaf certificate.

    Raises:
        ValueError: The bytes are no X.509 certificate.
    """
    leaf = x509.load_der_x509_certificate(der)
    key, weak_key = _key(leaf)
    return Certificate(
        subject=_name(leaf.subject),
        issuer=_name(leaf.issuer),
        names=_dns_names(leaf),
        not_before=leaf.not_valid_before_utc,
        not_after=leaf.not_valid_after_utc,
        serial=f"{leaf.serial_number:x}",
        key=key,
        weak=weak_key or _weak_signature(leaf),
        self_signed=leaf.subject == leaf.issuer,
        signature=_signature(leaf),
        renewal_id=_renewal_id(leaf),
        issuer_url=_issuer_url(leaf),
    )


def read_link(der: bytes) -> Link:
    """Read subject and issuer of a certificate, unshortened."""
    certificate = x509.load_der_x509_certificate(der)
    return Link(certificate.subject.rfc4514_string(), certificate.issuer.rfc4514_string())


def _name(name: x509.Name) -> str:
    common = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    organization = name.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    parts = [str(attribute.value) for attribute in (*organization, *common)]
    return " ".join(parts) or name.rfc4514_string()


def _dns_names(leaf: x509.Certificate) -> tuple[str, ...]:
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(names.get_values_for_type(x509.DNSName))


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
    if algorithm is not None and algorithm.name in _WEAK_HASHES:
        return f"it is signed with {algorithm.name.upper()}"
    return None


def _signature(leaf: x509.Certificate) -> str:
    oid = leaf.signature_algorithm_oid
    return str(getattr(oid, "_name", oid.dotted_string))


def _renewal_id(leaf: x509.Certificate) -> str | None:
    try:
        authority = leaf.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    except x509.ExtensionNotFound:
        return None
    if authority is None:
        return None
    number = leaf.serial_number
    # The content of the DER integer: its first bit is the sign, hence a byte more where that bit is set.
    return f"{_base64url(authority)}.{_base64url(number.to_bytes(number.bit_length() // 8 + 1, 'big'))}"


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _issuer_url(leaf: x509.Certificate) -> str | None:
    try:
        access = leaf.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    except x509.ExtensionNotFound:
        return None
    locations = (one.access_location for one in access if one.access_method == AuthorityInformationAccessOID.CA_ISSUERS)
    return next((one.value for one in locations if isinstance(one, x509.UniformResourceIdentifier)), None)
