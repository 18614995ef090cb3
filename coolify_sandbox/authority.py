"""A certificate authority of the sandbox's own: root, intermediate, and a leaf for every host that asks."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

__all__ = ["CertificateAuthority"]

_LEAF_DAYS: Final = 90
_CA_DAYS: Final = 3650
DEFAULT_SUBJECT: Final = "TRAEFIK DEFAULT CERT"


class CertificateAuthority:
    """Issues certificates as the proxy's ACME client would get them; keys and certificates stay in a directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._contexts: dict[str | None, ssl.SSLContext] = {}
        self.refused: set[str] = set()
        """Hosts for which nothing is issued, as after a failed challenge: what there was stays, else the default."""
        if not self.ca_file.exists():
            self._create()
        self._key = _load_key(directory / "intermediate.key")
        self._certificate = x509.load_pem_x509_certificate((directory / "intermediate.pem").read_bytes())

    @property
    def ca_file(self) -> Path:
        """The root certificate in PEM."""
        return self._directory / "ca.pem"

    def context(self, host: str | None) -> ssl.SSLContext:
        """Return a server context with the certificate of a host, issued when needed; None for the default one."""
        if host in self.refused and not self._path(host).exists():
            host = None
        if host not in self._contexts:
            self._contexts[host] = self._load(host)
        return self._contexts[host]

    def issue(
        self, host: str, *, lifetime: timedelta = timedelta(days=_LEAF_DAYS), age: timedelta = timedelta(hours=1)
    ) -> None:
        """Give a host a new certificate now.

        Args:
            host: Name.
            lifetime: From its beginning to its end.
            age: How long ago it began.
        """
        self._contexts.pop(host, None)
        _write_private(self._path(host), self._issue(host, lifetime, age))

    def renew_if_due(self, host: str) -> bool:
        """Renew a host's certificate when there is none or less than a third of its life is left; return whether."""
        path = self._path(host)
        if host in self.refused:
            return False
        if path.exists():
            leaf = x509.load_pem_x509_certificate(path.read_bytes())
            left = leaf.not_valid_after_utc - datetime.now(UTC)
            if left > (leaf.not_valid_after_utc - leaf.not_valid_before_utc) / 3:
                return False
        self.issue(host)
        return True

    def _path(self, host: str | None) -> Path:
        return self._directory / f"{host.replace('*', '_') if host else 'default'}.crt"

    def _load(self, host: str | None) -> ssl.SSLContext:
        path = self._path(host)
        if not path.exists() and host is not None:
            self.issue(host)
        elif not path.exists():
            _write_private(path, _self_signed())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        context.set_alpn_protocols(["http/1.1"])
        return context

    def _create(self) -> None:
        root_key, intermediate_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        root_name, name = _name("Sandbox Root CA"), _name("Sandbox Intermediate CA")
        root = _ca_builder(root_name, root_name, root_key, root_key, path_length=1)
        intermediate = _ca_builder(name, root_name, intermediate_key, root_key, path_length=0)
        _write_private(self._directory / "intermediate.key", _pem(intermediate_key))
        (self._directory / "intermediate.pem").write_bytes(intermediate.public_bytes(Encoding.PEM))
        self.ca_file.write_bytes(root.public_bytes(Encoding.PEM))

    def _issue(self, host: str, lifetime: timedelta, age: timedelta) -> bytes:
        key = ec.generate_private_key(ec.SECP256R1())
        leaf = (
            _builder(_name(host), self._certificate.subject, key, lifetime, age)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        chain = leaf.public_bytes(Encoding.PEM) + self._certificate.public_bytes(Encoding.PEM)
        return _pem(key) + chain


def _self_signed() -> bytes:
    """What Traefik serves for hosts without a certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(DEFAULT_SUBJECT)
    certificate = _builder(name, name, key, timedelta(days=365)).sign(key, hashes.SHA256())
    return _pem(key) + certificate.public_bytes(Encoding.PEM)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    lifetime: timedelta,
    # Clocks differ a little; real authorities backdate as well.
    age: timedelta = timedelta(hours=1),
) -> x509.CertificateBuilder:
    begin = datetime.now(UTC) - age
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + lifetime)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _ca_builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    signing_key: ec.EllipticCurvePrivateKey,
    *,
    path_length: int,
) -> x509.Certificate:
    usage = x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=True,
        crl_sign=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    return (
        _builder(subject, issuer, key, timedelta(days=_CA_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signing_key.public_key()), critical=False)
        .sign(signing_key, hashes.SHA256())
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _write_private(path: Path, content: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(content)


def _load_key(path: Path) -> ec.EllipticCurvePrivateKey:
    key = load_pem_private_key(path.read_bytes(), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError(f"{path} is not a key of this authority")
    return key
