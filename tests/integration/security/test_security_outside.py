"""What is wrong is seen from the outside: each finding with a server that shows it."""

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from coolify.config import Config
from coolify.dns import Nameserver, Resolver
from coolify.finding import Finding, Severity
from coolify.security import Credential, WantedSecurity
from coolify.security.absence import Standing
from coolify.security.check import LimitProbes, check_security
from coolify.security.look import Seen
from coolify.security.ports import check_ports, scan_ports
from coolify.security.verdict import judge_body_size
from coolify_sandbox.authority import CertificateAuthority
from coolify_sandbox.names import NameServer
from coolify_sandbox.serving import serve_forever

HOST = "shop.sandbox.test"
Answer = Callable[[Request], Awaitable[Response]]
GOOD = {
    "Strict-Transport-Security": "max-age=31536000",
    "Content-Security-Policy": "default-src 'self'",
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
HEADERS: dict[str, Any] = {
    "hsts": {},
    "content_security_policy": "default-src 'self'",
    "frame_options": "deny",
    "nosniff": True,
    "referrer_policy": "no-referrer",
}


class Stage:
    """A front door that answers as a test wants, under a name and a certificate of its own."""

    def __init__(self, names: NameServer, ca_file: str) -> None:
        self.names = names
        self.ca_file = ca_file
        self.http_port = self.https_port = 0
        self.answer: Answer = plain()
        self.requests: list[Request] = []

    async def handle(self, request: Request) -> Response:
        self.requests.append(request)
        return await self.answer(request)

    async def look(
        self,
        security: dict[str, Any],
        probes: LimitProbes | None = None,
        password: str | None = None,
        host: str = HOST,
        standing: Standing | None = None,
        **sections: Any,
    ) -> dict[str, Finding]:
        config = Config.model_validate(
            {
                "server": "https://coolify.example.com",
                "project": {"name": "shop"},
                "domains": [{"primary": host}],
                "security": security,
                "network": {"ca_file": self.ca_file, "http_port": self.http_port, "https_port": self.https_port},
            }
            | sections
        )
        users = config.security.basic_auth.users if config.security.basic_auth else ()
        secret = SecretStr(password) if password else None
        wanted = WantedSecurity(config.security, tuple(Credential(user.name, secret, None) for user in users))
        address, port = self.names.address

        async def known() -> Standing:
            return standing or Standing(runs=None, told="Coolify was not asked")

        findings = await check_security(config, wanted, Resolver((Nameserver(address, port),)), probes, known)
        return {one.name: one for one in findings}


def plain(headers: Mapping[str, str] = GOOD, status: int = 200, *, more: Mapping[str, str] | None = None) -> Answer:
    """Answer everything alike; plain HTTP is redirected, without headers."""

    async def answer(request: Request) -> Response:
        if request.url.scheme == "http":
            return PlainTextResponse("", 301, {"Location": f"https://{HOST}/", **(more or {})})
        return PlainTextResponse("hello", status, dict(headers))

    return answer


@pytest.fixture
async def stage(tmp_path) -> AsyncIterator[Stage]:
    authority = CertificateAuthority(tmp_path)
    names = NameServer("sandbox.test")
    names.set(HOST, "A", "127.0.0.1")
    one = Stage(names, str(authority.ca_file))
    methods = ["GET", "POST", "OPTIONS"]
    app = Starlette(routes=[Route("/{path:path}", one.handle, methods=methods)])
    async with contextlib.AsyncExitStack() as stack:
        await names.start()
        stack.push_async_callback(names.stop)
        one.http_port = await stack.enter_async_context(serve_forever(app))
        one.https_port = await stack.enter_async_context(serve_forever(app, authority.context(HOST)))
        yield one


async def test_headers_as_configured_are_good(stage) -> None:
    found = await stage.look({"headers": HEADERS})
    assert set(found) == {"security-headers-set"}


async def test_a_header_that_is_missing_or_different_is_told_with_both_values(stage) -> None:
    stage.answer = plain(GOOD | {"X-Frame-Options": "SAMEORIGIN"})
    found = await stage.look({"headers": HEADERS | {"permissions_policy": "camera=()"}})
    assert "Permissions-Policy" in found["security-header-missing"].summary
    assert found["security-header-differs"].evidence == ("wanted: DENY", "seen: SAMEORIGIN")
    assert found["security-header-missing"].severity is Severity.ERROR


async def test_a_header_that_is_to_be_removed_and_is_there_differs(stage) -> None:
    stage.answer = plain(GOOD | {"X-Powered-By": "php"})
    found = await stage.look({"headers": HEADERS | {"custom": {"X-Powered-By": ""}}})
    assert found["security-header-differs"].evidence == ("wanted: no such header", "seen: php")


async def test_directives_of_hsts_have_no_order(stage) -> None:
    stage.answer = plain(GOOD | {"Strict-Transport-Security": "includesubdomains;max-age=31536000"})
    assert "security-headers-set" in await stage.look({"headers": {"hsts": {"subdomains": True}}})


async def test_what_nobody_sends_is_recommended(stage) -> None:
    stage.answer = plain({"Content-Security-Policy": "frame-ancestors 'none'"})
    found = (await stage.look({}))["security-header-recommended"]
    assert found.severity is Severity.WARNING
    assert "Strict-Transport-Security, X-Content-Type-Options, Referrer-Policy" in found.summary
    assert "X-Frame-Options" not in found.summary


async def test_hsts_over_plain_http_is_told(stage) -> None:
    stage.answer = plain(more={"Strict-Transport-Security": "max-age=1"})
    found = await stage.look({"headers": HEADERS})
    assert found["security-hsts-over-http"].evidence == ("seen: max-age=1",)


@pytest.mark.parametrize("location", ["https://www.sandbox.test/", "http://shop.sandbox.test/x", None])
async def test_a_host_that_is_not_redirected_to_its_own_https_may_not_be_preloaded(stage, location) -> None:
    async def answer(request: Request) -> Response:
        headers = {"Location": location} if location and request.url.scheme == "http" else {}
        return PlainTextResponse("", 301 if headers else 200, headers)

    hsts = {"hsts": {"subdomains": True, "preload": True}}
    stage.answer = answer
    assert "security-hsts-not-preloadable" in await stage.look({"headers": hsts})
    stage.answer = plain({"Strict-Transport-Security": "max-age=31536000; includeSubDomains; preload"})
    assert "security-hsts-not-preloadable" not in await stage.look({"headers": hsts})


def cors(**headers: str) -> Answer:
    async def answer(request: Request) -> Response:
        if request.method != "OPTIONS":
            return PlainTextResponse("", headers=GOOD)
        echoed = {name: value.replace("ECHO", request.headers["origin"]) for name, value in headers.items()}
        return Response(status_code=204, headers={name.replace("_", "-"): one for name, one in echoed.items()})

    return answer


ALLOW = {"access_control_allow_origin": "https://a.test", "access_control_allow_methods": "GET, PUT"}
CORS = {"origins": ["https://a.test"], "methods": ["GET", "PUT"]}


async def test_a_preflight_as_configured_is_good(stage) -> None:
    stage.answer = cors(**ALLOW)
    assert "security-cors-answered" in await stage.look({"cors": CORS})


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"access_control_allow_methods": "GET"}, "lacks PUT"),
        ({"access_control_allow_origin": "https://b.test"}, "wanted https://a.test, seen https://b.test"),
    ],
)
async def test_a_preflight_that_lacks_something_says_what(stage, change, told) -> None:
    stage.answer = cors(**ALLOW | change)
    found = (await stage.look({"cors": CORS}))["security-cors-refused"]
    assert told in "; ".join(found.evidence)


async def test_a_preflight_without_credentials_or_headers_lacks_them(stage) -> None:
    stage.answer = cors(**ALLOW)
    found = await stage.look({"cors": CORS | {"credentials": True, "headers": ["X-Token"]}})
    evidence = "; ".join(found["security-cors-refused"].evidence)
    assert "access-control-allow-credentials: wanted true, seen nothing" in evidence
    assert "access-control-allow-headers lacks X-Token" in evidence


async def test_an_application_that_lets_every_site_in_is_told(stage) -> None:
    stage.answer = cors(**ALLOW | {"access_control_allow_origin": "ECHO"})
    found = await stage.look({"cors": CORS})
    (evidence,) = found["security-cors-too-open"].evidence
    assert evidence == "access-control-allow-origin: https://stranger.invalid for a stranger"


def login(accepted: str | None) -> Answer:
    async def answer(request: Request) -> Response:
        sent = request.headers.get("authorization", "")
        wanted = "Basic " + base64.b64encode(f"a:{accepted}".encode()).decode()
        return PlainTextResponse("", 200 if sent == wanted else 401, GOOD)

    return answer


LOGIN = {"basic_auth": {"users": [{"name": "a", "password": "${P}"}]}}


@pytest.mark.parametrize(
    ("answer", "password", "name"),
    [
        (login("secret"), "secret", "security-login-asked"),
        (login("other"), "secret", "security-login-refused"),
        (login("secret"), None, "security-login-unproved"),
        (plain(), "secret", "security-login-open"),
    ],
)
async def test_a_password_is_asked_for_and_taken(stage, answer, password, name) -> None:
    stage.answer = answer
    found = await stage.look(LOGIN, password=password)
    assert [one for one in found if one.startswith("security-login")] == [name]


async def test_a_password_is_never_sent_over_a_connection_that_does_not_verify(stage) -> None:
    stage.names.set("other.sandbox.test", "A", "127.0.0.1")
    stage.answer = login("secret")
    found = await stage.look(LOGIN, password="secret", host="other.sandbox.test")
    assert "security-unreachable" in found
    assert not [one for one in stage.requests if "authorization" in one.headers]


@pytest.mark.parametrize(
    ("allowed", "status", "name"),
    [
        (["127.0.0.0/8"], 200, "security-allow-list-holds"),
        (["192.0.2.0/24"], 403, "security-allow-list-holds"),
        (["127.0.0.0/8"], 403, "security-allow-list-shut"),
        (["192.0.2.0/24"], 200, "security-allow-list-open"),
    ],
)
async def test_an_allow_list_is_judged_by_what_this_machine_gets(stage, allowed, status, name) -> None:
    stage.answer = plain(status=status)
    assert name in await stage.look({"allow_list": allowed})


async def test_who_is_kept_out_cannot_prove_a_password(stage) -> None:
    stage.answer = plain(status=403)
    found = await stage.look(LOGIN | {"allow_list": ["192.0.2.0/24"]}, password="secret")
    assert found["security-login-unproved"].severity is Severity.INFO


def counting(most: int) -> Answer:
    seen = 0

    async def answer(request: Request) -> Response:
        nonlocal seen
        seen += 1
        return PlainTextResponse("", 429 if seen > most else 200, GOOD)

    return answer


async def test_a_rate_limit_is_seen_when_it_is_exceeded_and_only_when_asked(stage) -> None:
    stage.answer = counting(10)
    limit = {"rate_limit": {"average": 1, "burst": 10, "period": 60}}
    assert "security-rate-limit-seen" in await stage.look(limit, LimitProbes(rate=True))
    stage.requests.clear()
    await stage.look(limit)
    assert len(stage.requests) == 1


async def test_a_rate_limit_that_is_not_there_is_told(stage) -> None:
    limit = {"rate_limit": {"average": 1, "burst": 5, "period": 3600}}
    assert "security-rate-limit-absent" in await stage.look(limit, LimitProbes(rate=True))


async def test_a_limit_that_this_machine_cannot_reach_is_not_called_absent(stage, monkeypatch) -> None:
    # Two thousand requests, the most that are sent, would take ten seconds, and show no more.
    monkeypatch.setattr("coolify.security.check._MOST_REQUESTS", 200)
    limit = {"rate_limit": {"average": 1_000_000}}
    found = await stage.look(limit, LimitProbes(rate=True))
    assert "security-rate-limit-unproved" in found


def swallowing(status: int) -> Answer:
    async def answer(request: Request) -> Response:
        body = await request.body()
        return PlainTextResponse("", status if len(body) > 10 else 200, GOOD)

    return answer


@pytest.mark.parametrize(
    ("answer", "name"),
    [(swallowing(413), "security-body-size-refused"), (swallowing(200), "security-body-size-open")],
)
async def test_a_body_that_is_too_large_is_sent_only_when_asked(stage, answer, name) -> None:
    stage.answer = answer
    assert name in await stage.look({"max_body": 10}, LimitProbes(body=True))
    stage.requests.clear()
    await stage.look({"max_body": 10})
    assert {one.method for one in stage.requests} == {"GET"}


def test_a_connection_that_breaks_while_sending_proves_nothing() -> None:
    (found,) = judge_body_size("shop", 10, Seen(problem="no connection: broken pipe"))
    assert (found.name, found.severity) == ("security-body-size-unproved", Severity.INFO)


async def test_who_gives_no_answer_is_unreachable(stage) -> None:
    stage.https_port = 1
    assert "no connection" in (await stage.look({"headers": HEADERS}))["security-unreachable"].summary
    found = await stage.look({"headers": HEADERS}, host="nowhere.sandbox.test")
    assert "no address" in found["security-unreachable"].summary


STOPPED = Standing(runs=False, told="shop does not run, Coolify calls it exited")
NEVER = Standing(runs=False, told="Coolify has no application shop yet", deployed=False)
RUNS = Standing(runs=True, told="Coolify says that shop runs")
NOT_FOUND, NO_SERVER = "404 page not found\n", "no available server\n"


def proxy(status: int, page: str, *, own: Mapping[str, str] | None = None, location: str = "") -> Answer:
    """Answer every name alike; the application's own name with headers of its own where they are given."""

    async def answer(request: Request) -> Response:
        headers = {"X-Content-Type-Options": "nosniff"} | ({"Location": location} if location else {})
        more = own if own and request.url.hostname == HOST else {}
        return PlainTextResponse(page, status, headers | dict(more))

    return answer


@pytest.mark.parametrize(
    "answer",
    [
        proxy(404, NOT_FOUND),
        proxy(404, ""),
        proxy(503, NO_SERVER, own=GOOD),
        proxy(302, "", location="https://elsewhere.test/"),
    ],
)
async def test_where_nothing_runs_the_page_of_the_proxy_is_not_judged(stage, answer) -> None:
    stage.answer = answer
    found = await stage.look({"headers": HEADERS}, standing=STOPPED)
    assert set(found) == {"security-not-running"}
    (finding,) = found.values()
    assert finding.severity is Severity.ERROR
    assert finding.summary == (
        "shop does not run, Coolify calls it exited; at https://shop.sandbox.test/ the proxy alone answers, so that "
        "nothing about its security is known."
    )
    assert "coolify release" in finding.remedy


@pytest.mark.parametrize("standing", [None, RUNS])
@pytest.mark.parametrize("answer", [proxy(404, NOT_FOUND), proxy(404, ""), proxy(503, NO_SERVER, own=GOOD)])
async def test_a_page_like_the_proxys_own_is_called_no_more_than_that_without_knowing(stage, answer, standing) -> None:
    stage.answer = answer
    found = await stage.look({"headers": HEADERS}, standing=standing)
    assert set(found) == {"security-proxy-answers"}
    assert "domain list" in found["security-proxy-answers"].remedy


@pytest.mark.parametrize(
    ("answer", "sections"),
    [
        # The proxy routes the name to somebody: an application in Go says 404 in the same words.
        (proxy(404, NOT_FOUND, own={"X-Frame-Options": "DENY"}), {}),
        (proxy(404, NOT_FOUND), {"health": {"expect": [404]}}),
        (proxy(302, "", location="https://elsewhere.test/"), {}),
        (proxy(500, "broken"), {}),
    ],
)
@pytest.mark.parametrize("standing", [None, RUNS])
async def test_a_bad_answer_of_the_application_itself_is_judged(stage, answer, sections, standing) -> None:
    stage.answer = answer
    found = await stage.look({"headers": HEADERS}, standing=standing, **sections)
    assert "security-header-missing" in found
    assert not set(found) & {"security-proxy-answers", "security-not-running"}


@pytest.mark.parametrize(
    ("standing", "name"), [(STOPPED, "header-missing"), (NEVER, "not-running"), (None, "header-missing")]
)
async def test_an_answer_that_the_configuration_expects_is_of_what_was_deployed(stage, standing, name) -> None:
    # Coolify writes states late: right after a release it may still call the container exited.
    stage.answer = proxy(404, NOT_FOUND)
    found = await stage.look({"headers": HEADERS}, standing=standing, health={"expect": [404]})
    assert f"security-{name}" in found


async def test_coolify_is_asked_only_where_the_proxy_may_have_answered(stage) -> None:
    found = await stage.look({"headers": HEADERS}, standing=STOPPED)
    assert set(found) == {"security-headers-set"}
    assert len(stage.requests) == 2, "one over HTTPS, one over plain HTTP for HSTS"


async def test_ports_beyond_the_declared_ones_are_found_and_those_that_are_shut(stage) -> None:
    found = await check_ports(["127.0.0.1"], [stage.https_port, 1], [stage.http_port])
    named = {one.name: one for one in found}
    assert str(stage.http_port) in named["security-port-open"].summary
    assert named["security-port-open"].severity is Severity.ERROR
    assert " 1," in named["security-port-closed"].summary
    declared = [stage.https_port, stage.http_port]
    (good,) = await check_ports(["127.0.0.1"], declared, [1])
    assert good.name == "security-ports-as-declared"


async def test_a_scan_of_many_ports_is_bounded_in_time_and_sockets() -> None:
    # TEST-NET-1 (RFC 5737): nobody answers, or the network is refused at once.
    async with asyncio.timeout(30):
        assert await scan_ports(["192.0.2.1"], range(1, 513), seconds=0.2) == {"192.0.2.1": frozenset()}
