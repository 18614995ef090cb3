"""Certificates as real servers on loopback show them."""

import socket
import ssl
from collections.abc import Callable
from datetime import timedelta
from itertools import cycle
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from coolify.tls import check_certificate, inspect_certificate
from coolify_sandbox.authority import CertificateAuthority
from coolify_sandbox.edge import EdgeProxy
from coolify_sandbox.runtime.contract import Route
from tests.integration.tls.issuing import DAY, HOST, LOOPBACK, refusing, serving


@pytest.fixture
def findings(issuer) -> Callable[..., object]:
    """Names of what is found at a server with such a certificate."""

    async def check(*names: str, ca_file: Path | None = issuer.ca_file, **certificate: object) -> list[str]:
        async with serving(issuer.context(*names, **certificate)) as port:
            return [one.name for one in await check_certificate(HOST, [LOOPBACK], port=port, ca_file=ca_file)]

    return check


async def test_a_certificate_of_a_private_authority_is_valid_where_that_is_trusted(findings) -> None:
    assert await findings(HOST) == ["certificate-valid"]
    assert await findings("*.example.test") == ["certificate-valid"]
    assert await findings(HOST, ca_file=None) == ["certificate-untrusted"]


@pytest.mark.parametrize(
    ("key", "described"),
    [
        (ec.generate_private_key(ec.SECP256R1()), "ECDSA secp256r1"),
        (ed25519.Ed25519PrivateKey.generate(), "Ed25519"),
        (rsa.generate_private_key(65537, 2048), "RSA 2048"),
    ],
)
async def test_a_handshake_tells_what_the_certificate_says(issuer, key, described) -> None:
    async with serving(issuer.context(HOST, "www.example.test", key=key)) as port:
        shown = await inspect_certificate(HOST, LOOPBACK, port, ca_file=issuer.ca_file)
    assert (shown.trust_error, shown.connection_error, shown.protocol) == (None, None, "TLSv1.3")
    leaf = shown.certificate
    assert leaf is not None
    assert leaf.subject == HOST
    assert leaf.issuer == "Test Intermediate"
    assert leaf.names == (HOST, "www.example.test")
    assert leaf.key == described
    assert leaf.weak is None
    assert not leaf.self_signed
    assert (leaf.not_after - leaf.not_before).days == 90


@pytest.mark.parametrize(
    ("names", "certificate", "found"),
    [
        ([HOST], {"begins": -90 * DAY, "ends": -DAY}, "certificate-expired"),
        ([HOST], {"begins": DAY, "ends": 90 * DAY}, "certificate-not-yet-valid"),
        ([HOST], {"self_signed": True}, "certificate-self-signed"),
        ([HOST], {"whole_chain": False}, "certificate-chain-incomplete"),
        ([HOST], {"key": rsa.generate_private_key(65537, 1024)}, "certificate-weak"),
        (["other.example.test"], {}, "certificate-wrong-host"),
        (["*.shop.example.test"], {}, "certificate-wrong-host"),
        (["TRAEFIK DEFAULT CERT"], {"self_signed": True}, "certificate-default"),
    ],
)
async def test_a_certificate_that_does_not_verify_is_read_and_explained(findings, names, certificate, found) -> None:
    assert await findings(*names, **certificate) == [found]


@pytest.mark.component("openssl")
async def test_a_signature_that_nobody_should_trust_any_more_is_told(issuer) -> None:
    async with serving(issuer.context_signed_with_sha1(HOST)) as port:
        shown = await inspect_certificate(HOST, LOOPBACK, port, ca_file=issuer.ca_file)
        (finding,) = await check_certificate(HOST, [LOOPBACK], port=port, ca_file=issuer.ca_file)
    assert shown.certificate is not None
    assert shown.certificate.signature == "ecdsa-with-SHA1"
    assert finding.name == "certificate-weak"
    assert "SHA1" in finding.summary


@pytest.mark.parametrize("days", [6, 90, 398])
async def test_a_renewal_that_is_overdue_shows_whatever_the_lifetime(findings, days) -> None:
    def aged(share: float) -> dict[str, timedelta]:
        return {"begins": -days * share * DAY, "ends": days * (1 - share) * DAY}

    assert await findings(HOST, **aged(0.7)) == ["certificate-valid"]
    assert await findings(HOST, **aged(0.8)) == ["certificate-near-expiry", "certificate-valid"]
    assert await findings(HOST, **aged(0.97)) == ["certificate-near-expiry"]


async def test_the_common_name_alone_does_not_count(issuer) -> None:
    # RFC 6125: browsers have not looked at it for years.
    async with serving(issuer.context("other.example.test", subject=HOST)) as port:
        shown = await inspect_certificate(HOST, LOOPBACK, port, ca_file=issuer.ca_file)
    assert shown.certificate is not None
    assert shown.certificate.subject == HOST
    assert shown.trust_error is not None
    assert "mismatch" in shown.trust_error


async def test_the_name_that_is_sent_chooses_the_certificate(issuer) -> None:
    contexts = {name: issuer.context(name) for name in (HOST, "api.example.test")}
    asked = []

    def choose(session: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        asked.append(name)
        session.context = contexts[name or HOST]

    front = issuer.context("default.example.test")
    front.sni_callback = choose
    async with serving(front) as port:
        for name in contexts:
            shown = await inspect_certificate(name, LOOPBACK, port, ca_file=issuer.ca_file)
            assert shown.certificate is not None
            assert shown.certificate.names == (name,)
            assert shown.trust_error is None
    assert asked == list(contexts)


async def test_addresses_with_different_certificates_are_told(issuer) -> None:
    front = issuer.context(HOST)
    turns = cycle([issuer.context(HOST), issuer.context(HOST)])
    front.sni_callback = lambda session, *_: setattr(session, "context", next(turns))
    async with serving(front) as port:
        found = await check_certificate(HOST, [LOOPBACK, LOOPBACK], port=port, ca_file=issuer.ca_file)
    assert [one.name for one in found] == ["certificate-valid", "certificate-valid", "certificate-differs"]


async def unreachable(port: int) -> str:
    (finding,) = await check_certificate(HOST, [LOOPBACK], port=port)
    assert finding.name == "certificate-unreachable"
    return finding.summary


async def test_a_closed_port_offers_no_tls() -> None:
    async with serving(None) as port:
        pass
    assert "connection refused" in await unreachable(port)


async def test_plain_http_is_no_tls() -> None:
    async with serving(None, b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n") as port:
        assert "no TLS is spoken there" in await unreachable(port)


async def test_a_key_that_no_client_takes_any_more_is_no_matter_of_the_port(issuer) -> None:
    with refusing(issuer.context(HOST, key=ec.generate_private_key(ec.SECP224R1()))) as port:
        assert "no cipher or kind of key in common" in await unreachable(port)


async def test_a_server_that_hangs_up_offers_no_tls() -> None:
    async with serving(None) as port:
        assert "connection closed" in await unreachable(port)


async def test_a_server_that_says_nothing_is_given_up() -> None:
    # The kernel accepts the connection; nobody reads from it.
    with socket.create_server((LOOPBACK, 0)) as listener:
        shown = await inspect_certificate(HOST, LOOPBACK, listener.getsockname()[1], timeout_seconds=0.2)
    assert shown.connection_error == "no answer in time"
    assert shown.certificate is None


async def test_the_edge_shows_its_default_certificate_until_a_route_has_one(tmp_path) -> None:
    edge = EdgeProxy(CertificateAuthority(tmp_path))

    async def look() -> list[str]:
        found = await check_certificate(HOST, [LOOPBACK], port=edge.https_port, ca_file=tmp_path / "ca.pem")
        return [one.name for one in found]

    async with edge.run():
        assert await look() == ["certificate-default"]
        edge.set_routes("shop", (Route("https", HOST),), 1, force_https=True)
        assert await look() == ["certificate-valid"]
