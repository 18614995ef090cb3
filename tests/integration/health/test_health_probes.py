"""Questions to real servers on loopback, and what is made of their answers."""

import asyncio
import contextlib
import json
import socket
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from functools import partial

import pytest

from coolify.health import GatePolicy, HttpProbe, HttpTarget, ProbeResult, probe_http, run_gate
from coolify_sandbox.authority import CertificateAuthority

HOST = "shop.example.test"
URL = f"http://{HOST}/health"
LOOPBACK = "127.0.0.1"
Reply = bytes | Callable[[asyncio.StreamWriter], Awaitable[None]]


def answer(body: bytes | str = b"fine", status: int = 200, **headers: str) -> bytes:
    content = body.encode() if isinstance(body, str) else body
    fields = {"content_length": str(len(content)), "connection": "close"} | headers
    lines = [f"HTTP/1.1 {status} Reason", *(f"{name.replace('_', '-')}: {value}" for name, value in fields.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


@dataclass
class Server:
    """A server that gives each request the next reply, and the last one for good."""

    replies: list[Reply]
    port: int = 0
    requests: list[str] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            self.requests.append(head.decode())
            reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
            if isinstance(reply, bytes):
                writer.write(reply)
            else:
                await reply(writer)
            await writer.drain()
        writer.close()

    async def ask(self, url: str = URL, **probe: object) -> ProbeResult:
        return await probe_http(HttpProbe(url, **probe), HttpTarget(LOOPBACK, self.port))


@contextlib.asynccontextmanager
async def serving(*replies: Reply, context: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    stage = Server(list(replies))
    server = await asyncio.start_server(stage.serve, LOOPBACK, 0, ssl=context)
    async with server:
        stage.port = server.sockets[0].getsockname()[1]
        yield stage


async def ask(reply: Reply, **probe: object) -> ProbeResult:
    """Ask a server with this one reply."""
    async with serving(reply) as server:
        return await server.ask(**probe)


async def test_a_good_answer_is_told_with_status_time_and_the_beginning_of_its_body() -> None:
    result = await ask(answer("all   is\n well" + "!" * 500))
    assert result.ok
    assert result.url == URL
    assert result.status == 200
    assert result.reason.startswith("answered 200 in ")
    assert result.seconds > 0
    assert result.excerpt.startswith("all is well!!!")
    assert len(result.excerpt) == 200


@pytest.mark.parametrize("status", [301, 400, 404, 500, 502, 503])
async def test_another_status_than_the_expected_is_bad(status) -> None:
    result = await ask(answer("Oh no", status))
    assert not result.ok
    assert result.status == status
    assert result.reason == f"answered {status} instead of 200"
    assert result.excerpt == "Oh no"


async def test_several_statuses_can_be_expected() -> None:
    assert (await ask(answer(status=204), expect_status=(200, 204))).ok
    assert (await ask(answer(status=500), expect_status=(200, 204))).reason == "answered 500 instead of 200 or 204"


async def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    async with serving(answer(status=302, location="/elsewhere")) as server:
        assert (await server.ask(expect_status=(302,))).ok
        assert (await server.ask()).reason == "answered 302 instead of 200"
    assert all(" /health " in request for request in server.requests)


async def test_the_body_must_contain_the_text() -> None:
    assert (await ask(answer("version 1.2.0"), expect_body="1.2.0")).ok
    assert (await ask(answer("version 1.1.0"), expect_body="1.2.0")).reason == "the answer does not contain '1.2.0'"


async def test_a_header_must_contain_the_text() -> None:
    wanted = ("X-Version", "1.2.0")
    assert (await ask(answer(x_version="shop/1.2.0"), expect_header=wanted)).ok
    old = await ask(answer(x_version="shop/1.1.0"), expect_header=wanted)
    assert old.reason == "the header X-Version is 'shop/1.1.0' and does not contain '1.2.0'"
    assert "'missing'" in (await ask(answer(), expect_header=wanted)).reason


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("status", "up"),
        ("build.commit", "c0ffee"),
        ("checks.1.name", "queue"),
        ("build.number", "7"),
        ("ready", "true"),
        ("error", "null"),
    ],
)
async def test_a_value_in_a_json_body_is_found_by_its_path(path, text) -> None:
    body = {
        "status": "up",
        "build": {"commit": "c0ffee", "number": 7},
        "checks": [{"name": "database"}, {"name": "queue"}],
        "ready": True,
        "error": None,
    }
    async with serving(answer(json.dumps(body))) as server:
        assert (await server.ask(expect_json=(path, text))).ok
        other = await server.ask(expect_json=(path, "other"))
    assert other.reason == f"{path} in the answer is {text} instead of other"


@pytest.mark.parametrize("body", ["", "<html>", "[]", "{}", '{"build": "text"}', '{"build": {}}', '{"build": [1]}'])
async def test_a_value_that_is_not_there_is_missing(body) -> None:
    result = await ask(answer(body), expect_json=("build.commit", "c0ffee"))
    assert result.reason == "build.commit in the answer is missing instead of c0ffee"


async def test_the_question_is_asked_at_the_address_under_the_public_name() -> None:
    async with serving(answer()) as server:
        await server.ask(f"http://{HOST}/health?deep=1", method="HEAD")
    (request,) = server.requests
    assert request.startswith("HEAD /health?deep=1 HTTP/1.1\r\n")
    fields = dict(line.lower().split(": ", 1) for line in request.strip().splitlines()[1:])
    assert fields["host"] == HOST
    assert fields["user-agent"] == "coolify-flows"


@pytest.fixture
def authority(tmp_path) -> CertificateAuthority:
    return CertificateAuthority(tmp_path)


async def test_the_public_name_is_sent_in_the_tls_handshake_too(authority) -> None:
    asked = []
    context = authority.context(HOST)
    context.sni_callback = lambda session, name, initial: asked.append(name)
    async with serving(answer(), context=context) as server:
        target = HttpTarget(LOOPBACK, server.port, authority.ca_file, verify=True)
        assert (await probe_http(HttpProbe(f"https://{HOST}/"), target)).ok
    assert asked == [HOST]
    assert f"host: {HOST}\r\n" in server.requests[0].lower()


async def test_a_certificate_that_does_not_verify_is_no_sickness_unless_it_is_asked_for(authority) -> None:
    async with serving(answer(), context=authority.context(None)) as server:
        lenient = HttpTarget(LOOPBACK, server.port, authority.ca_file)
        assert (await probe_http(HttpProbe(f"https://{HOST}/"), lenient)).ok
        strict = await probe_http(HttpProbe(f"https://{HOST}/"), replace(lenient, verify=True))
    assert not strict.ok
    assert "certificate" in strict.reason.lower()


async def test_tls_where_none_is_spoken_is_no_connection() -> None:
    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(status=400))
        writer.close()

    async with await asyncio.start_server(hang_up, LOOPBACK, 0) as server:
        target = HttpTarget(LOOPBACK, server.sockets[0].getsockname()[1])
        result = await probe_http(HttpProbe(f"https://{HOST}/"), target)
    assert not result.ok
    assert result.reason.startswith("no connection: ")


async def test_a_closed_port_is_no_connection() -> None:
    async with serving(answer()) as server:
        pass
    result = await server.ask()
    assert not result.ok
    assert result.reason.startswith("no connection: ")
    assert result.status is None


async def test_a_server_that_says_nothing_is_a_time_out() -> None:
    # The kernel accepts the connection; nobody reads from it.
    with socket.create_server((LOOPBACK, 0)) as listener:
        target = HttpTarget(LOOPBACK, listener.getsockname()[1])
        result = await probe_http(HttpProbe(URL, timeout=0.2), target)
    assert not result.ok
    assert result.reason == "no answer within 0.2 s"
    assert result.seconds >= 0.2


async def test_an_answer_that_never_ends_is_a_time_out_although_something_comes_all_the_time() -> None:
    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(answer(content_length="1000000"))
        while not writer.is_closing():
            writer.write(b".")
            await writer.drain()
            await asyncio.sleep(0.01)

    began = time.monotonic()
    result = await asyncio.wait_for(ask(drip, timeout=0.3), timeout=10)
    assert result.reason == "no answer within 0.3 s"
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"HTTP/1.1 200",
        answer("half of it", content_length="1000"),
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhal",
        b"this is not HTTP\r\n\r\n",
        answer("not gzip at all", content_encoding="gzip"),
    ],
)
async def test_an_answer_that_breaks_off_or_makes_no_sense_is_a_broken_connection(reply) -> None:
    result = await ask(reply)
    assert not result.ok
    assert result.reason.startswith("the connection broke: ")


async def test_of_a_huge_body_only_the_first_megabyte_is_read() -> None:
    sent = 0

    async def flood(writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(answer(b"", content_length=str(10**12)))
        while not writer.is_closing():
            writer.write(b"x" * 100_000)
            await writer.drain()
            sent += 100_000

    result = await ask(flood, timeout=20, expect_body="x" * 1_000_000)
    assert result.ok
    assert len(result.excerpt) == 200
    # What the kernel's buffers take on top is a few megabytes.
    assert sent < 100_000_000


@pytest.mark.parametrize("charset", ["utf-8", "latin-1", "no-such-charset", "undefined", "hex"])
async def test_a_body_is_read_whatever_charset_the_server_claims(charset) -> None:
    result = await ask(answer(b"fine \xff", content_type=f"text/plain; charset={charset}"), expect_body="fine")
    assert result.ok, result.reason


async def gate(server: Server, **policy: object):
    probe = partial(probe_http, HttpProbe(URL), HttpTarget(LOOPBACK, server.port))
    return await run_gate([probe], GatePolicy(interval=0, **policy))


@pytest.mark.parametrize("sick", [0, 1, 4])
async def test_the_gate_opens_when_the_application_becomes_healthy(sick) -> None:
    async with serving(*[answer("starting", 503)] * sick, answer()) as server:
        result = await gate(server, successes=3)
    assert result.passed
    assert result.rounds == sick + 3 == len(server.requests)


async def test_an_application_that_falls_back_has_to_prove_itself_again() -> None:
    async with serving(answer(), answer(), answer(status=500), answer()) as server:
        result = await gate(server, successes=3)
    assert result.passed
    assert result.rounds == 6


async def test_the_gate_closes_on_an_application_that_stays_sick() -> None:
    async with serving(answer("broken", 500)) as server:
        result = await gate(server, failures_allowed=3)
    assert not result.passed
    assert result.rounds == 4
    (finding,) = result.findings()
    assert "answered 500 instead of 200" in finding.summary
    assert "body: broken" in finding.evidence
