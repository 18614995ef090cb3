"""The edge does what labels tell it, over real sockets, as Traefik's reference of middlewares says."""

import base64
import contextlib

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route as HttpRoute

from coolify.trust import trusting
from coolify_sandbox.authority import CertificateAuthority
from coolify_sandbox.edge import EdgeProxy
from coolify_sandbox.htpasswd import hash_password, is_password
from coolify_sandbox.runtime.contract import Route
from coolify_sandbox.serving import serve_forever

HOST = "shop.sandbox.test"
M = "traefik.http.middlewares"
# Made by openssl from the password `secret`.
APACHE = {
    "{SHA}": "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=",
    "apr1": "$apr1$mZ2aYv8e$aSjoTIOqYnF1GlsJ3SHWN0",
}


async def answer(request: Request) -> PlainTextResponse:
    body = await request.body()
    return PlainTextResponse(
        f"{request.method} {len(body)}", headers={"x-powered-by": "php", "x-frame-options": "ALLOW"}
    )


class Visitor:
    def __init__(self, edge: EdgeProxy, authority: CertificateAuthority, port: int) -> None:
        self.edge = edge
        self._client = httpx.AsyncClient(verify=trusting(authority.ca_file), trust_env=False)
        self._port = port

    def publish(self, *middlewares: str, attach: str = "m", scheme: str = "https") -> None:
        routers = [
            line
            for entry in ("http", "https")
            for line in (
                f"traefik.http.routers.{entry}-0-u.entryPoints={entry}",
                f"traefik.http.routers.{entry}-0-u.rule=Host(`{HOST}`) && PathPrefix(`/`)",
                f"traefik.http.routers.{entry}-0-u.middlewares={attach}",
            )
        ]
        labels = (*routers, *(f"{M}.{line}" for line in middlewares))
        self.edge.set_routes("u", (Route(scheme, HOST),), self._port, force_https=False, labels=labels)

    async def ask(self, method: str = "GET", *, secure: bool = True, **options) -> httpx.Response:
        port = self.edge.https_port if secure else self.edge.http_port
        headers = {"Host": HOST} | options.pop("headers", {})
        return await self._client.request(
            method,
            f"{'https' if secure else 'http'}://127.0.0.1:{port}/",
            headers=headers,
            extensions={"sni_hostname": HOST},
            **options,
        )


@pytest.fixture
async def visitor(tmp_path):
    authority = CertificateAuthority(tmp_path)
    edge = EdgeProxy(authority)
    app = Starlette(routes=[HttpRoute("/{path:path}", answer, methods=["GET", "POST", "OPTIONS"])])
    async with contextlib.AsyncExitStack() as stack:
        port = await stack.enter_async_context(serve_forever(app))
        await stack.enter_async_context(edge.run())
        one = Visitor(edge, authority, port)
        yield one
        await one._client.aclose()


async def test_headers_are_set_replaced_and_removed_and_hsts_is_for_https_alone(visitor) -> None:
    visitor.publish(
        "m.headers.frameDeny=true",
        "m.headers.stsSeconds=31536000",
        "m.headers.stsIncludeSubdomains=true",
        "m.headers.contentSecurityPolicy=default-src 'self'",
        "m.headers.customResponseHeaders.X-Powered-By=",
    )
    seen = (await visitor.ask()).headers
    assert seen["strict-transport-security"] == "max-age=31536000; includeSubDomains"
    assert seen["x-frame-options"] == "DENY"
    assert seen["content-security-policy"] == "default-src 'self'"
    assert "x-powered-by" not in seen
    assert "strict-transport-security" not in (await visitor.ask(secure=False)).headers


async def test_a_middleware_that_is_not_attached_does_nothing(visitor) -> None:
    visitor.publish("other.headers.frameDeny=true", "m.compress=true")
    assert (await visitor.ask()).headers["x-frame-options"] == "ALLOW"


async def test_a_router_that_names_a_missing_middleware_is_dropped(visitor) -> None:
    visitor.publish("m.compress=true", attach="m,missing")
    assert (await visitor.ask()).status_code == 404


async def test_a_preflight_is_answered_by_the_proxy_and_only_for_listed_sites(visitor) -> None:
    visitor.publish(
        "m.headers.accessControlAllowOriginList=https://a.test",
        "m.headers.accessControlAllowMethods=GET,PUT",
        "m.headers.accessControlAllowCredentials=true",
        "m.headers.addVaryHeader=true",
    )
    asked = {"Access-Control-Request-Method": "PUT"}
    allowed = await visitor.ask("OPTIONS", headers=asked | {"Origin": "https://a.test"})
    assert (allowed.status_code, allowed.text) == (200, "")
    assert allowed.headers["access-control-allow-origin"] == "https://a.test"
    assert allowed.headers["access-control-allow-methods"] == "GET,PUT"
    refused = await visitor.ask("OPTIONS", headers=asked | {"Origin": "https://b.test"})
    assert "access-control-allow-origin" not in refused.headers
    shared = await visitor.ask(headers={"Origin": "https://a.test"})
    assert shared.headers["access-control-allow-origin"] == "https://a.test"
    assert shared.headers["vary"] == "Origin"
    assert (await visitor.ask("OPTIONS")).text == "OPTIONS 0"


async def test_a_burst_is_let_through_and_the_next_request_is_too_much(visitor) -> None:
    visitor.publish("m.ratelimit.average=1", "m.ratelimit.period=1h", "m.ratelimit.burst=3")
    assert [(await visitor.ask()).status_code for _ in range(4)] == [200, 200, 200, 429]


async def test_only_listed_addresses_are_let_in(visitor) -> None:
    visitor.publish("m.ipallowlist.sourcerange=10.0.0.0/8")
    assert (await visitor.ask()).status_code == 403
    visitor.publish("m.ipallowlist.sourcerange=10.0.0.0/8,127.0.0.0/8")
    assert (await visitor.ask()).status_code == 200


async def test_a_body_that_is_too_large_never_reaches_the_application(visitor) -> None:
    visitor.publish("m.buffering.maxRequestBodyBytes=10")
    assert (await visitor.ask("POST", content=b"x" * 10)).text == "POST 10"
    assert (await visitor.ask("POST", content=b"x" * 11)).status_code == 413

    async def dripping():
        for _ in range(3):
            yield b"xxxx"

    assert (await visitor.ask("POST", content=dripping())).status_code == 413


@pytest.mark.parametrize("hashed", [*APACHE.values(), hash_password("secret")], ids=[*APACHE, "made here"])
async def test_a_password_is_asked_for_and_checked(visitor, hashed) -> None:
    visitor.publish(f"m.basicauth.users=somebody:$apr1$x$y,visitor:{hashed}")
    asked = await visitor.ask()
    assert asked.status_code == 401
    assert asked.headers["www-authenticate"] == 'Basic realm="traefik"'
    for login, status in ((b"visitor:secret", 200), (b"visitor:wrong", 401), (b"nobody:secret", 401)):
        headers = {"Authorization": "Basic " + base64.b64encode(login).decode()}
        assert (await visitor.ask(headers=headers)).status_code == status
    assert (await visitor.ask(headers={"Authorization": "Basic ?"})).status_code == 401


async def test_a_redirect_leads_to_https(visitor) -> None:
    visitor.publish("m.redirectscheme.scheme=https")
    redirected = await visitor.ask(secure=False)
    assert redirected.status_code == 302
    assert redirected.headers["location"].startswith("https://")
    assert (await visitor.ask()).status_code == 200


def test_the_recorded_hash_of_a_real_coolify_is_read_where_the_system_can() -> None:
    recorded = "$2y$10$35ag5eNkasU4q9XA/uZcV..FeVA7Iy4T2q5DkirtVT3t8HghoQYye"
    if not hash_password("p").startswith("$2y$"):
        pytest.skip("libcrypt of this machine does not know bcrypt")
    assert is_password("p", recorded)
    assert not is_password("q", recorded)
