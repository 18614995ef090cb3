"""The questions that a configuration declares, asked of real servers and real processes."""

import asyncio
import contextlib
import json
import socket
import ssl

import pytest

from coolify.config import Config
from coolify.dns import Nameserver, Resolver
from coolify.health.application import ask_application, has_questions
from coolify.redaction import Redaction
from coolify_sandbox.authority import CertificateAuthority
from coolify_sandbox.names import NameServer

HOST = "shop.example.test"
LOOPBACK = "127.0.0.1"
PAGES = {
    "/": (200, "text/html", "<h1>Shop</h1>"),
    "/status": (200, "application/json", json.dumps({"database": "up", "queue": {"size": 3}})),
    "/old": (301, "text/plain", "moved"),
}


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        method, path, _ = head.split(" ", 2)
        status, kind, body = PAGES.get(path, (404, "text/plain", "not found"))
        content = b"" if method == "HEAD" else body.encode()
        writer.write(f"HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\nconnection: close\r\n".encode())
        writer.write(f"content-length: {len(content)}\r\n\r\n".encode() + content)
        await writer.drain()
    writer.close()


@contextlib.asynccontextmanager
async def listening(context: ssl.SSLContext | None = None):
    async with await asyncio.start_server(serve, LOOPBACK, 0, ssl=context) as server:
        yield server.sockets[0].getsockname()[1]


@pytest.fixture
async def site(tmp_path):
    """A site over HTTP under its name, and a way to put questions to it."""
    names = NameServer("example.test")
    await names.start()
    names.set(HOST, "A", LOOPBACK)
    async with listening() as port:

        async def ask(*probes, domain: bool = True, network: dict[str, str] | None = None, **health):
            document = {
                "path": tmp_path / ".coolify" / "config.yml",
                "server": "https://coolify.example.test",
                "project": {"name": "shop"},
                "domains": [{"primary": HOST, "ssl": False}] if domain else [],
                "network": {"http_port": port} | (network or {}),
                "health": {"interval": 0.01, "successes": 1, "failures_allowed": 0, "timeout": 60, "deadline": 100}
                | {"probes": list(probes), **health},
            }
            resolver = Resolver((Nameserver(*names.address),))
            return await ask_application(
                Config.model_validate(document), resolver, None, redact=Redaction(["hunter22"])
            )

        ask.port = port
        yield ask
    await names.stop()


def reasons(result) -> list[str]:
    return [f"{one.url} {one.reason}" for one in result.last if not one.ok]


async def test_pages_are_asked_for_what_they_must_show(site) -> None:
    result = await site(
        {"http": "/", "body": "Shop", "header": "content-type", "header_value": "html"},
        {"http": "/status", "json_path": "queue.size", "json_value": "3"},
        {"http": "/old", "expect": 301},
        {"http": "/", "method": "HEAD"},
    )
    assert result.passed, reasons(result)
    assert len(result.last) == 5


@pytest.mark.parametrize(
    ("probe", "reason"),
    [
        ({"http": "/", "body": "Sign in"}, "does not contain 'Sign in'"),
        (
            {"http": "/status", "json_path": "database", "json_value": "down"},
            "database in the answer is up instead of down",
        ),
        ({"http": "/", "header": "X-Cache", "header_value": "HIT"}, "the header X-Cache is 'missing'"),
        ({"http": "/missing"}, "answered 404 instead of 200"),
        ({"http": "/", "max_seconds": 1e-9}, "0 ms allowed"),
        ({"run": "true", "max_seconds": 1e-9}, "succeeded, but after"),
        ({"run": "echo no queue; exit 3"}, "ended with 3: no queue"),
        ({"run": "sleep 600", "timeout": 0.3}, "took longer than 0.3 s"),
        ({"tcp": "nowhere.example.test:80"}, "the name has no address"),
    ],
)
async def test_one_probe_that_is_not_content_closes_the_gate_and_is_named(site, probe, reason) -> None:
    result = await site({"name": "the one", **probe})
    assert not result.passed
    (told,) = reasons(result)
    assert told.startswith("the one")
    assert reason in told
    assert [finding.severity for finding in result.findings()] == ["info", "error"]


async def test_a_port_must_accept_a_connection(site) -> None:
    assert (await site({"tcp": f"{HOST}:{site.port}"}, {"tcp": f"{LOOPBACK}:{site.port}"})).passed
    with socket.socket() as closed:
        closed.bind((LOOPBACK, 0))
        result = await site({"tcp": f"{HOST}:{closed.getsockname()[1]}"})
    (told,) = reasons(result)
    assert f"no connection to {LOOPBACK}" in told


async def test_a_certificate_must_be_trusted_and_name_the_host(site, tmp_path) -> None:
    authority = CertificateAuthority(tmp_path / "ca")
    network = {"ca_file": str(authority.ca_file)}
    async with listening(authority.context(HOST)) as port:
        assert (await site({"tls": f"{HOST}:{port}"}, network=network)).passed
        (told,) = reasons(await site({"tls": f"{HOST}:{port}"}))
        assert "unable to get local issuer" in told
        (told,) = reasons(await site({"tls": f"{LOOPBACK}:{port}"}, network=network))
        assert "mismatch" in told
    (told,) = reasons(await site({"tls": f"{HOST}:{site.port}", "timeout": 1}))
    assert LOOPBACK in told


async def test_a_command_runs_where_the_file_is_and_shows_no_secret(site, tmp_path) -> None:
    (tmp_path / ".coolify").mkdir()
    result = await site({"run": "pwd; echo $COOLIFY_RELEASE_URL hunter22; exit 1"})
    (told,) = (one for one in result.last if not one.ok)
    assert told.excerpt == f"{tmp_path} / http://{HOST} [secret]"


async def test_without_a_domain_the_declared_probes_are_the_gate(site) -> None:
    assert (await site({"run": "true"}, domain=False)).passed
    assert not (await site({"run": "false"}, domain=False)).passed
    bare = {"server": "https://coolify.example.test", "project": {"name": "shop"}}
    assert not has_questions(Config.model_validate(bare))
    assert not has_questions(Config.model_validate(bare | {"health": {"probes": [{"http": "/"}]}}))
    assert has_questions(Config.model_validate(bare | {"health": {"probes": [{"tcp": "db:5432"}]}}))


async def test_the_server_behind_a_cdn_is_asked_under_the_same_name(site) -> None:
    result = await site(addresses=["127.0.0.2"])
    assert [one.url for one in result.last] == [f"http://{HOST}/"] * 2
    # The site listens on the first address alone.
    assert [one.ok for one in result.last] == [True, False]


async def test_what_was_answered_before_is_told_with_what_was_answered_last(site, tmp_path) -> None:
    counting = "echo x >> count; n=$(wc -l < count); echo attempt $((n)); exit 1"
    result = await site({"run": counting}, failures_allowed=2)
    (finding,) = (one for one in result.findings() if one.severity == "error")
    assert "before that: ended with 1: attempt 1; ended with 1: attempt 2" in finding.evidence
