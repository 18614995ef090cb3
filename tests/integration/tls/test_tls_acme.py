"""Issue, serve, verify, expire and renew, with a real authority and a real proxy."""

from datetime import UTC, datetime

import pytest

from coolify.tls import Detail, HostCertificates, TlsPolicy, check_certificate, inspect_host, is_renewed
from tests.integration.tls.acme import Authority, caddy, free_ports, until
from tests.integration.tls.issuing import HOST, LOOPBACK

ELSEWHERE = "127.0.0.9"
pytestmark = [
    pytest.mark.component("pebble"),
    pytest.mark.component("pebble-challtestsrv"),
    pytest.mark.component("caddy"),
]


async def names(authority: Authority) -> set[str]:
    found = await check_certificate(HOST, [LOOPBACK], port=authority.https_port, ca_file=authority.ca_file)
    return {one.name for one in found}


async def served(authority: Authority) -> HostCertificates:
    return await inspect_host(HOST, [LOOPBACK], port=authority.https_port, ca_file=authority.ca_file)


def shows(authority: Authority, name: str):
    async def check() -> bool:
        return name in await names(authority)

    return check


async def test_a_proxy_obtains_a_certificate_and_it_verifies(tmp_path) -> None:
    authority = Authority(tmp_path / "pebble")
    async with authority.run(), caddy(tmp_path / "caddy", authority, authority.http_port, authority.https_port):
        await until(shows(authority, "certificate-valid"))
        found = await check_certificate(
            HOST,
            [LOOPBACK],
            port=authority.https_port,
            ca_file=authority.ca_file,
            detail=Detail(http_port=authority.http_port),
        )
    # What Caddy does well by itself: redirect, HTTP/2, TLS 1.2 and 1.3 alone.
    assert [one.name for one in found] == ["certificate-valid"]
    assert "Pebble Intermediate" in found[0].summary


async def test_while_the_authority_is_led_elsewhere_the_proxy_has_no_certificate(tmp_path) -> None:
    authority = Authority(tmp_path / "pebble")
    async with authority.run():
        await authority.point(ELSEWHERE)
        async with caddy(tmp_path / "caddy", authority, authority.http_port, authority.https_port):
            await until(shows(authority, "certificate-missing"))
        await authority.point(LOOPBACK)
        async with caddy(tmp_path / "caddy", authority, authority.http_port, authority.https_port):
            await until(shows(authority, "certificate-valid"))


async def test_a_certificate_expires_when_renewal_fails_and_is_renewed_when_the_cause_is_gone(tmp_path) -> None:
    authority = Authority(tmp_path / "pebble", validity_seconds=6)
    async with authority.run():
        async with caddy(tmp_path / "caddy", authority, authority.http_port, authority.https_port):
            await until(shows(authority, "certificate-valid"))
            await authority.point(ELSEWHERE)
            before = await served(authority)
            await until(shows(authority, "certificate-expired"))
            expired = await served(authority)
        await authority.point(LOOPBACK)
        async with caddy(tmp_path / "caddy", authority, authority.http_port, authority.https_port):

            async def renewed() -> bool:
                return is_renewed(expired, await served(authority), TlsPolicy(0.0, 0.0), datetime.now(UTC))

            await until(renewed)
    assert before.serials


async def test_a_proxy_that_is_its_own_authority_is_recognised(tmp_path) -> None:
    http_port, https_port = free_ports(2)
    async with caddy(tmp_path / "caddy", None, http_port, https_port):
        # It listens before it has made its certificate.
        not_yet = {"certificate-unreachable", "certificate-missing"}

        async def look() -> list[str]:
            found = await check_certificate(HOST, [LOOPBACK], port=https_port)
            return [one.name for one in found if one.name not in not_yet]

        assert await until(look) == ["certificate-default"]
