"""Name servers that tests talk to."""

import socket

import pytest

from coolify.dns import Nameserver
from coolify_sandbox.names import NameServer
from tests.integration.dns.bind import RESOLVER, Internet
from tests.integration.dns.checking import Checker


@pytest.fixture(scope="package")
def internet(tmp_path_factory):
    """BIND servers: a root, two servers of zones, a validating resolver."""
    running = Internet(tmp_path_factory.mktemp("bind"))
    try:
        running.start()
        yield running
    finally:
        running.stop()


@pytest.fixture
def check(internet):
    """Check a host through the resolver of the small internet."""
    return Checker(Nameserver(RESOLVER, internet.port), internet.port)


@pytest.fixture
async def names():
    server = NameServer("example.test")
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
def silent():
    """A name server that takes questions and never answers."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        yield Nameserver(*listener.getsockname())
