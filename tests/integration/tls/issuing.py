"""A certificate authority and servers whose certificates one could regret."""

import asyncio
import contextlib
import ipaddress
import socket
import ssl
import subprocess
import threading
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

HOST = "shop.example.test"
LOOPBACK = "127.0.0.1"
DAY = timedelta(days=1)
Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


class Issuer:
    """A certificate authority of the test: a root and an intermediate, and any leaf that one could regret."""

    def __init__(self, directory: Path, name: str = "Test") -> None:
        self.directory = directory
        self._name = f"{name} Intermediate"
        root_key, self._key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        root = self._authority("Test Root", root_key, "Test Root", root_key)
        self._intermediate = self._authority(self._name, self._key, "Test Root", root_key)
        self.ca_file = directory / "ca.pem"
        self.ca_file.write_bytes(root.public_bytes(Encoding.PEM))

    def context(
        self,
        *names: str,
        key: Key | None = None,
        begins: timedelta = -10 * DAY,
        ends: timedelta = 80 * DAY,
        subject: str = "",
        self_signed: bool = False,
        whole_chain: bool = True,
    ) -> ssl.SSLContext:
        """Return a server context with a new certificate for the names."""
        key = key or ec.generate_private_key(ec.SECP256R1())
        subject = subject or names[0]
        issuer, signer = (subject, key) if self_signed else (self._name, self._key)
        builder = self._builder(subject, key, issuer, signer, begins, ends)
        builder = builder.add_extension(x509.SubjectAlternativeName([_general(one) for one in names]), False)
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        algorithm = None if isinstance(signer, ed25519.Ed25519PrivateKey) else hashes.SHA256()
        chain = [builder.sign(signer, algorithm)]
        if whole_chain and not self_signed:
            chain.append(self._intermediate)
        return self._serve(key, *chain)

    def context_signed_with_sha1(self, name: str) -> ssl.SSLContext:
        """Return a server context whose certificate is signed as ten years ago; only the program still does that."""
        key = ec.generate_private_key(ec.SECP256R1())
        request = x509.CertificateSigningRequestBuilder().subject_name(_name(name)).sign(key, hashes.SHA256())
        files = {
            "request.pem": request.public_bytes(Encoding.PEM),
            "issuer.pem": self._intermediate.public_bytes(Encoding.PEM),
            "issuer.key": _pem(self._key),
            "names.cnf": f"subjectAltName=DNS:{name}\n".encode(),
        }
        for file, content in files.items():
            (self.directory / file).write_bytes(content)
        command = "openssl x509 -req -sha1 -days 90 -in request.pem -CA issuer.pem -CAkey issuer.key -extfile names.cnf"
        signed = subprocess.run(command.split(), cwd=self.directory, capture_output=True, check=True)
        return self._serve(key, x509.load_pem_x509_certificate(signed.stdout), self._intermediate)

    def _serve(self, key: Key, *chain: x509.Certificate) -> ssl.SSLContext:
        file = self.directory / "server.pem"
        file.write_bytes(_pem(key) + b"".join(one.public_bytes(Encoding.PEM) for one in chain))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        # Servers out there are careless too: let OpenSSL take a short key.
        context.set_ciphers("DEFAULT@SECLEVEL=0")
        context.load_cert_chain(file)
        return context

    def _authority(self, name: str, key: Key, issuer: str, signer: Key) -> x509.Certificate:
        usage = dict.fromkeys(
            ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only"), False
        )
        return (
            self._builder(name, key, issuer, signer, -DAY * 30, DAY * 300)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(
                x509.KeyUsage(digital_signature=True, key_cert_sign=True, crl_sign=True, decipher_only=False, **usage),
                critical=True,
            )
            .sign(signer, hashes.SHA256())
        )

    @staticmethod
    def _builder(
        subject: str, key: Key, issuer: str, signer: Key, begins: timedelta, ends: timedelta
    ) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(_name(subject))
            .issuer_name(_name(issuer))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + begins)
            .not_valid_after(now + ends)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        )


@contextlib.asynccontextmanager
async def serving(
    context: ssl.SSLContext | None, greeting: bytes = b"", *, address: str = LOOPBACK, port: int = 0
) -> AsyncIterator[int]:
    """Listen on a free port, say the greeting and hang up."""

    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        writer.close()

    server = await asyncio.start_server(greet, address, port, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]


@contextlib.asynccontextmanager
async def answering(context: ssl.SSLContext | None, *headers: str, status: int = 200) -> AsyncIterator[int]:
    """Listen on a free port and answer every HTTP request with a status and headers."""
    lines = [f"HTTP/1.1 {status} Whatever", "Content-Length: 0", "Connection: close", *headers]
    response = "".join(f"{line}\r\n" for line in (*lines, "")).encode()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, OSError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(response)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, LOOPBACK, 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _pem(key: Key) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


@contextlib.contextmanager
def refusing(context: ssl.SSLContext) -> Iterator[int]:
    """Serve TLS from a thread: unlike asyncio's server, OpenSSL itself tells the other side why it refuses."""
    listener = socket.create_server((LOOPBACK, 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True):
                pass
            connection.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
