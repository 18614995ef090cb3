"""What Traefik's HTTP middlewares do, for those that Coolify and its users put into labels.

Answers and defaults are those of Traefik's reference: headers, ipAllowList, rateLimit, buffering, basicAuth,
redirectScheme, redirectRegex. `compress` is accepted and not done, `stripPrefix` is done by the edge itself.
"""

from __future__ import annotations

import base64
import ipaddress
import math
import re
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from coolify_sandbox.htpasswd import is_password

__all__ = ["Chain", "Handler", "chains"]

Handler = Callable[[Request], Awaitable[Response]]
Middleware = Callable[[Request, Handler], Awaitable[Response]]
Options = Mapping[str, str]

_KEY: Final = re.compile(
    r"traefik\.http\.(?P<kind>routers|middlewares)\.(?P<name>[^.=]+)\.(?P<rest>[^=]+)=(?P<value>.*)", re.IGNORECASE
)
_HOST: Final = re.compile(r"Host\(`(?P<host>[^`]+)`\)")
_PATH: Final = re.compile(r"PathPrefix\(`(?P<path>[^`]+)`\)")
_DURATION: Final = re.compile(r"(?P<number>\d+)(?P<unit>ms|s|m|h)?")
_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass(frozen=True, slots=True)
class Chain:
    """The middlewares of one router, in the order in which a request passes them."""

    host: str
    path: str
    is_secure: bool
    middlewares: tuple[Middleware, ...] | None
    """None where one is named that does not exist: Traefik then drops the router."""

    async def run(self, request: Request, handler: Handler) -> Response:
        """Answer a request through all of them."""
        if self.middlewares is None:
            return PlainTextResponse("404 page not found\n", 404)
        for middleware in reversed(self.middlewares):
            handler = _around(middleware, handler)
        return await handler(request)


def chains(labels: Iterable[str], https_port: Callable[[], int]) -> tuple[Chain, ...]:
    """Return the routers that labels define.

    Args:
        labels: Labels of a container, `key=value`.
        https_port: Port that a redirect to HTTPS leads to.
    """
    routers: dict[str, dict[str, str]] = {}
    definitions: dict[str, dict[str, str]] = {}
    for label in labels:
        match = _KEY.fullmatch(label.strip())
        if match:
            kind = routers if match["kind"].lower() == "routers" else definitions
            kind.setdefault(match["name"].lower(), {})[match["rest"]] = match["value"]
    return tuple(
        chain for router in routers.values() if (chain := _chain(_folded(router), definitions, https_port)) is not None
    )


def _chain(
    router: dict[str, str], definitions: Mapping[str, dict[str, str]], https_port: Callable[[], int]
) -> Chain | None:
    host = _HOST.search(router.get("rule", ""))
    path = _PATH.search(router.get("rule", ""))
    if host is None:
        return None
    names = [name.strip().removesuffix("@docker").lower() for name in router.get("middlewares", "").split(",")]
    made: list[Middleware] = []
    unknown = False
    for name in filter(None, names):
        options = definitions.get(name)
        if options is None:
            unknown = True
        else:
            made += _made(options, https_port)
    return Chain(
        host["host"].lower(),
        path["path"] if path else "/",
        router.get("entrypoints", "") == "https",
        None if unknown else tuple(made),
    )


def _made(written: dict[str, str], https_port: Callable[[], int]) -> list[Middleware]:
    """Return the middleware of a definition; its first word is its kind."""
    kinds: dict[str, dict[str, str]] = {}
    for key, value in written.items():
        kind, _, option = key.partition(".")
        kinds.setdefault(kind.lower(), {})[option] = value
    found: list[Middleware] = []
    for kind, options in kinds.items():
        folded = _folded(options)
        match kind:
            case "headers":
                found.append(_Headers(folded, _custom(options)))
            case "ipallowlist" | "ipwhitelist":
                found.append(_AllowList(tuple(_listed(folded.get("sourcerange", "")))))
            case "ratelimit":
                found.append(_RateLimit.of(folded))
            case "buffering":
                found.append(_Buffering(int(folded.get("maxrequestbodybytes", "0"))))
            case "basicauth":
                found.append(_BasicAuth(dict(one.split(":", 1) for one in _listed(folded.get("users", "")))))
            case "redirectscheme":
                found.append(_RedirectScheme(folded.get("scheme", "https"), https_port))
            case "redirectregex":
                found.append(_RedirectRegex(folded.get("regex", ""), folded.get("replacement", "")))
            case _:
                pass
    return found


@dataclass(frozen=True, slots=True)
class _Headers:
    options: Options
    custom: tuple[tuple[str, str], ...]

    async def __call__(self, request: Request, handler: Handler) -> Response:
        origin = request.headers.get("origin", "")
        asked = request.headers.get("access-control-request-method")
        if self._has_cors and request.method == "OPTIONS" and origin and asked:
            # Traefik answers 200 and leaves it to the headers to say no.
            return Response(status_code=200, headers=self._preflight(origin))
        response = await handler(request)
        for name, value in self._secure(request).items():
            response.headers[name] = value
        for name, value in self.custom:
            if value:
                response.headers[name] = value
            elif name in response.headers:
                del response.headers[name]
        if self._has_cors:
            for name, value in self._shared(origin).items():
                response.headers[name] = value
        return response

    @property
    def _has_cors(self) -> bool:
        return any(name.startswith("accesscontrol") for name in self.options)

    def _secure(self, request: Request) -> dict[str, str]:
        options = self.options
        seconds = int(options.get("stsseconds", "0"))
        found: dict[str, str | None] = {
            "content-security-policy": options.get("contentsecuritypolicy"),
            "content-security-policy-report-only": options.get("contentsecuritypolicyreportonly"),
            "x-frame-options": "DENY" if _is_true(options.get("framedeny")) else None,
            "x-content-type-options": "nosniff" if _is_true(options.get("contenttypenosniff")) else None,
            "referrer-policy": options.get("referrerpolicy"),
            "permissions-policy": options.get("permissionspolicy"),
        }
        if custom := options.get("customframeoptionsvalue"):
            found["x-frame-options"] = custom
        if seconds and (request.url.scheme == "https" or _is_true(options.get("forcestsheader"))):
            found["strict-transport-security"] = (
                f"max-age={seconds}"
                f"{'; includeSubDomains' if _is_true(options.get('stsincludesubdomains')) else ''}"
                f"{'; preload' if _is_true(options.get('stspreload')) else ''}"
            )
        return {name: value for name, value in found.items() if value}

    def _preflight(self, origin: str) -> dict[str, str]:
        options = self.options
        listed = {
            "access-control-allow-headers": options.get("accesscontrolallowheaders"),
            "access-control-allow-methods": options.get("accesscontrolallowmethods"),
            "access-control-max-age": options.get("accesscontrolmaxage"),
        }
        return {name: value for name, value in listed.items() if value} | self._allowed(origin)

    def _shared(self, origin: str) -> dict[str, str]:
        exposed = self.options.get("accesscontrolexposeheaders")
        more = {"access-control-expose-headers": exposed} if exposed else {}
        vary = {"vary": "Origin"} if _is_true(self.options.get("addvaryheader")) else {}
        return self._allowed(origin) | more | vary

    def _allowed(self, origin: str) -> dict[str, str]:
        found = {"access-control-allow-credentials": "true"} if self._credentials else {}
        allowed = _listed(self.options.get("accesscontrolalloworiginlist", ""))
        if "*" in allowed:
            return found | {"access-control-allow-origin": "*"}
        return found | ({"access-control-allow-origin": origin} if origin and origin in allowed else {})

    @property
    def _credentials(self) -> bool:
        return _is_true(self.options.get("accesscontrolallowcredentials"))


@dataclass(frozen=True, slots=True)
class _AllowList:
    ranges: tuple[str, ...]

    async def __call__(self, request: Request, handler: Handler) -> Response:
        client = ipaddress.ip_address(request.client.host if request.client else "0.0.0.0")
        if any(client in ipaddress.ip_network(one, strict=False) for one in self.ranges):
            return await handler(request)
        return PlainTextResponse("Forbidden", 403)


@dataclass(slots=True)
class _RateLimit:
    """A token bucket for each client address."""

    rate: float
    burst: int
    buckets: dict[str, tuple[float, float]] = field(default_factory=dict)

    @classmethod
    def of(cls, options: Options) -> _RateLimit:
        average = int(options.get("average", "0"))
        return cls(average / _seconds(options.get("period", "1s")), max(1, int(options.get("burst", "1"))))

    async def __call__(self, request: Request, handler: Handler) -> Response:
        if self.rate == 0:
            return await handler(request)
        client = request.client.host if request.client else ""
        now = time.monotonic()
        tokens, then = self.buckets.get(client, (float(self.burst), now))
        tokens = min(float(self.burst), tokens + (now - then) * self.rate)
        if tokens < 1:
            self.buckets[client] = (tokens, now)
            wait = math.ceil((1 - tokens) / self.rate)
            return PlainTextResponse("Too Many Requests", 429, {"Retry-After": str(wait), "X-Retry-In": f"{wait}s"})
        self.buckets[client] = (tokens - 1, now)
        return await handler(request)


@dataclass(frozen=True, slots=True)
class _Buffering:
    largest: int

    async def __call__(self, request: Request, handler: Handler) -> Response:
        told = request.headers.get("content-length", "")
        if self.largest and ((told.isdigit() and int(told) > self.largest) or len(await request.body()) > self.largest):
            return PlainTextResponse("Request Entity Too Large", 413)
        return await handler(request)


@dataclass(frozen=True, slots=True)
class _BasicAuth:
    users: Mapping[str, str]

    async def __call__(self, request: Request, handler: Handler) -> Response:
        scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            try:
                name, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
            except ValueError:
                name, password = "", ""
            hashed = self.users.get(name)
            if hashed is not None and is_password(password, hashed):
                return await handler(request)
        return PlainTextResponse("401 Unauthorized\n", 401, {"WWW-Authenticate": 'Basic realm="traefik"'})


@dataclass(frozen=True, slots=True)
class _RedirectScheme:
    scheme: str
    https_port: Callable[[], int]

    async def __call__(self, request: Request, handler: Handler) -> Response:
        if request.url.scheme == self.scheme:
            return await handler(request)
        return RedirectResponse(str(request.url.replace(scheme=self.scheme, port=self.https_port())), 302)


@dataclass(frozen=True, slots=True)
class _RedirectRegex:
    regex: str
    replacement: str

    async def __call__(self, request: Request, handler: Handler) -> Response:
        url = str(request.url)
        target = re.sub(self.regex, re.sub(r"\$\{(\d+)\}", r"\\g<\1>", self.replacement), url, count=1)
        return await handler(request) if target == url else RedirectResponse(target, 302)


def _around(middleware: Middleware, handler: Handler) -> Handler:
    async def handle(request: Request) -> Response:
        return await middleware(request, handler)

    return handle


def _folded(options: dict[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in options.items()}


def _custom(options: dict[str, str]) -> tuple[tuple[str, str], ...]:
    pairs = ((key.partition("."), value) for key, value in options.items())
    return tuple((name[2], value) for name, value in pairs if name[0].lower() == "customresponseheaders")


def _listed(text: str) -> list[str]:
    return [one.strip() for one in text.split(",") if one.strip()]


def _is_true(text: str | None) -> bool:
    return (text or "").lower() == "true"


def _seconds(text: str) -> float:
    match = _DURATION.fullmatch(text)
    return int(match["number"]) * _UNITS[match["unit"] or "s"] if match else 1.0
