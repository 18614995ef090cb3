"""The edge proxy, Traefik's stand-in: TLS by server name, routing by host and path, one backend each."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route as HttpRoute

from coolify.trust import trusting
from coolify_sandbox.authority import CertificateAuthority
from coolify_sandbox.middlewares import Chain, chains
from coolify_sandbox.runtime.contract import Route
from coolify_sandbox.serving import serve_forever

__all__ = ["EdgeProxy"]

_HOP_BY_HOP: Final = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""RFC 9110 section 7.6.1: headers that end at a proxy."""
_DRAIN_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class _Router:
    route: Route
    upstream_port: int
    force_https: bool
    chains: tuple[Chain, ...] = ()
    """What labels put before the application."""

    def chain(self, *, secure: bool) -> Chain | None:
        """Return the middlewares for one entry point, None where labels define no router for it."""
        own = [one for one in self.chains if one.host == self.route.host and one.is_secure is secure]
        return next((one for one in own if one.path.rstrip("/") == self.route.path.rstrip("/")), None)


class EdgeProxy:
    """One HTTP and one HTTPS port for all applications."""

    def __init__(self, authority: CertificateAuthority) -> None:
        self._authority = authority
        self._routers: dict[str, tuple[_Router, ...]] = {}
        self._open: Counter[int] = Counter()
        """Requests that have no complete answer yet, by the port of the process that answers."""
        self._answered = asyncio.Event()
        self._client = httpx.AsyncClient(
            verify=trusting(), timeout=httpx.Timeout(60, connect=5), trust_env=False, follow_redirects=False
        )
        self._ordered: dict[str, float] = {}
        self.http_port = 0
        self.https_port = 0
        self.issuing_seconds = 0.0
        """How long an order takes; until then the default certificate is served, as by a real proxy."""

    def set_routes(
        self,
        application_uuid: str,
        routes: tuple[Route, ...],
        upstream_port: int,
        *,
        force_https: bool,
        labels: tuple[str, ...] = (),
    ) -> None:
        """Send an application's public URLs to a process from now on, in one step."""
        made = chains(labels, lambda: self.https_port)
        self._routers[application_uuid] = tuple(_Router(route, upstream_port, force_https, made) for route in routes)
        self._order({route.host for route in routes if route.scheme == "https"})

    def restart(self) -> None:
        """Begin anew, as the proxy's container does: certificates that are due are ordered again."""
        self._order({one.route.host for one in self._all() if one.route.scheme == "https"})

    def remove(self, application_uuid: str) -> None:
        """Forget an application's URLs."""
        self._routers.pop(application_uuid, None)

    async def drain(self, upstream_port: int) -> None:
        """Wait until a process that gets no new requests has answered those it has, at most some seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_DRAIN_SECONDS):
                while self._open[upstream_port] > 0:
                    self._answered.clear()
                    await self._answered.wait()
        self._open.pop(upstream_port, None)

    @contextlib.asynccontextmanager
    async def run(self) -> AsyncIterator[None]:
        """Listen until the context is left."""
        methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
        app = Starlette(routes=[HttpRoute("/{path:path}", self._handle, methods=methods)])
        context = self._authority.context(None)
        context.sni_callback = self._choose_certificate
        async with serve_forever(app) as self.http_port, serve_forever(app, context) as self.https_port:
            try:
                yield
            finally:
                await self._client.aclose()

    def _choose_certificate(self, session: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        """Use the host's own certificate once a router with TLS exists, as after a successful ACME order."""
        host = (name or "").lower()
        secure = any(one.route.host == host and one.route.scheme == "https" for one in self._all())
        arrived = time.monotonic() >= self._ordered.get(host, 0.0)
        session.context = self._authority.context(host if secure and arrived else None)

    def _order(self, hosts: set[str]) -> None:
        """Order the certificates that are missing or due; the others stay, however often a router appears."""
        for host in sorted(hosts):
            if self._authority.renew_if_due(host):
                self._ordered[host] = time.monotonic() + self.issuing_seconds

    def _all(self) -> list[_Router]:
        return [router for routers in self._routers.values() for router in routers]

    async def _handle(self, request: Request) -> Response:
        host = (request.url.hostname or "").lower()
        path = request.url.path
        fitting = [one for one in self._all() if one.route.host == host and _below(path, one.route.path)]
        secure = request.url.scheme == "https"
        by_scheme = [one for one in fitting if not secure or one.route.scheme == "https"]
        if not by_scheme:
            return PlainTextResponse("404 page not found\n", 404)
        router = max(by_scheme, key=lambda one: len(one.route.path))
        chain = router.chain(secure=secure)
        if chain is not None:
            return await chain.run(request, lambda passed: self._forward(passed, router))
        if not secure and router.route.scheme == "https" and router.force_https:
            return RedirectResponse(str(request.url.replace(scheme="https", port=self.https_port)), 302)
        return await self._forward(request, router)

    async def _forward(self, request: Request, router: _Router) -> Response:
        prefix = router.route.path.rstrip("/")
        path = request.url.path.removeprefix(prefix) or "/"
        headers = [(name, value) for name, value in request.headers.items() if name not in _HOP_BY_HOP]
        client = request.client.host if request.client else ""
        headers += [
            ("x-forwarded-for", client),
            ("x-forwarded-host", request.headers.get("host", "")),
            ("x-forwarded-proto", request.url.scheme),
        ]
        url = httpx.URL(f"http://127.0.0.1:{router.upstream_port}").copy_with(
            raw_path=(path + (f"?{request.url.query}" if request.url.query else "")).encode()
        )
        outgoing = self._client.build_request(request.method, url, headers=headers, content=await request.body())
        self._open[router.upstream_port] += 1
        try:
            answer = await self._client.send(outgoing, stream=True)
        except BaseException as error:
            self._done(router.upstream_port)
            if isinstance(error, httpx.TransportError):
                return PlainTextResponse("Bad Gateway", 502)
            raise
        response = StreamingResponse(answer.aiter_raw(), answer.status_code, background=None)
        response.raw_headers = [
            (name.lower(), value) for name, value in answer.headers.raw if name.decode().lower() not in _HOP_BY_HOP
        ]
        response.body_iterator = self._closing(answer, router.upstream_port)
        return response

    def _done(self, upstream_port: int) -> None:
        self._open[upstream_port] -= 1
        self._answered.set()

    async def _closing(self, answer: httpx.Response, upstream_port: int) -> AsyncIterator[bytes]:
        try:
            async for chunk in answer.aiter_raw():
                yield chunk
        finally:
            self._done(upstream_port)
            await asyncio.shield(answer.aclose())


def _below(path: str, prefix: str) -> bool:
    bare = prefix.rstrip("/")
    return path == bare or path.startswith(f"{bare}/")
