"""Ports and redirects of a domain, at real sockets."""

import asyncio

import pytest

from coolify.dns import (
    DnsSettings,
    Nameserver,
    Ports,
    Resolver,
    ServerAddresses,
    check_domain,
)
from tests.integration.dns.checking import ERROR, OK, WARNING


@pytest.fixture
async def web():
    """A web server that redirects to `location`, and the host `www` to `www`."""
    state = {"location": "", "www": ""}

    async def serve(reader, writer) -> None:
        asked = await reader.readuntil(b"\r\n\r\n")
        location = state["www"] if b"Host: www." in asked else state["location"]
        status = b"302 Found\r\nLocation: " + location.encode() if location else b"200 OK"
        writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    state["port"] = server.sockets[0].getsockname()[1]
    yield state
    server.close()
    await server.wait_closed()


async def check_at(names, ports):
    names.set("shop.example.test", "A", "127.0.0.1")
    server = ServerAddresses("server", frozenset({"127.0.0.1"}))
    settings = DnsSettings(ports=ports)
    found = await check_domain("shop.example.test", server, Resolver((Nameserver(*names.address),)), settings)
    return {one.name: one for one in found}


async def test_open_ports_are_good_and_a_closed_one_is_an_error_once_the_proxy_is_expected(names, web) -> None:
    port = web["port"]
    assert (await check_at(names, Ports(port, port)))["domain-reachable"].severity is OK
    closed = await check_at(names, Ports(port, 1))
    assert closed["domain-port-closed"].severity is ERROR
    assert "127.0.0.1 port 1: refused" in closed["domain-port-closed"].evidence
    assert (await check_at(names, Ports(port, 1, expected=False)))["domain-port-closed"].severity is WARNING


@pytest.mark.parametrize("path", ["/", "/other"])
async def test_redirects_in_a_circle_are_found(names, web, path) -> None:
    web["location"] = f"http://shop.example.test{path}"
    found = await check_at(names, Ports(web["port"], web["port"]))
    assert found["domain-redirect-loop"].severity is ERROR
    web["location"] = "https://elsewhere.example.test/"
    assert "domain-redirect-loop" not in await check_at(names, Ports(web["port"], web["port"]))


async def test_a_circle_over_another_name_of_the_same_server_is_found(names, web) -> None:
    names.set("www.example.test", "A", "127.0.0.1")
    web["www"], web["location"] = "http://shop.example.test/", "http://www.example.test/"
    found = await check_at(names, Ports(web["port"], web["port"]))
    assert found["domain-redirect-loop"].evidence[:3] == (
        "http://shop.example.test/",
        "http://www.example.test/",
        "http://shop.example.test/",
    )
