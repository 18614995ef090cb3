"""The HTTP application: checks in Coolify's order, then the handler (reference 0.2)."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import math
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from importlib import import_module
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from coolify_sandbox.runtime.contract import Runtime
from coolify_sandbox.runtime.databases import DatabaseRuntime
from coolify_sandbox.runtime.volumes import VolumeRuntime
from coolify_sandbox.server.faults import FaultInjector
from coolify_sandbox.server.git_hooks import HOSTS, receive
from coolify_sandbox.server.http import ROUTES, Call, Endpoint, Refusal, answer, read_body
from coolify_sandbox.server.queue import DeploymentQueue
from coolify_sandbox.server.state import Row, State, Token
from coolify_sandbox.server.versions import at_least_version

__all__ = ["HANDLERS", "create_app"]

HANDLERS: Final = (
    "applications",
    "backups",
    "databases",
    "deployments",
    "destinations",
    "git_apps",
    "keys",
    "notifications",
    "previews",
    "projects",
    "relocation",
    "s3",
    "scheduled_tasks",
    "server_administration",
    "servers",
    "service_parts",
    "services",
    "shared_variables",
    "storages",
    "tags",
    "teams",
    "variables",
)
"""Modules that register routes."""
_log: Final = logging.getLogger(__name__)
_PREFIX: Final = "/api/v1"
_LIVENESS_LIMIT: Final = 1000
"""Requests a minute for `/api/health`, which has a limit of its own."""
_DOCS: Final = {"message": "Not found.", "docs": "https://coolify.io/docs"}
_SINCE_POST_ONLY: Final = "4.2.0"
_GET_TO_POST: Final = {"message": "This endpoint has changed to a POST request."}
_ACTIONS: Final = ("/deploy", "/start", "/restart", "/stop", "/validate", "/enable", "/disable")
_PAGES: Final = frozenset({429, 500, 503})
"""Errors that the framework renders, as a page for those who do not ask for JSON."""
_GET_ONLY_BEFORE: Final = ("/validate", "/enable", "/disable")
_ELEVATED: Final = frozenset({"root", "*", "write", "write:sensitive", "deploy", "read:sensitive"})

_WRITING: Final = frozenset({"root", "*", "write", "write:sensitive"})


class _RateLimit:
    """Requests of a user in the current minute, which begins with the first one (reference 0.4)."""

    _WINDOW: Final = 60.0

    def __init__(self, limit: int, clock: Callable[[], float]) -> None:
        self._limit = limit
        self._clock = clock
        self._windows: dict[str, tuple[float, int]] = {}

    def count(self, requester: str) -> dict[str, str]:
        """Count a request of a user, or of an address where nobody is logged in, and return the headers about it.

        Raises:
            Refusal: There are none left.
        """
        now = self._clock()
        began, seen = self._windows.get(requester, (now, 0))
        if now - began >= self._WINDOW:
            began, seen = now, 0
        if seen >= self._limit:
            wait = max(1, math.ceil(began + self._WINDOW - now))
            headers = {"Retry-After": str(wait), "X-RateLimit-Reset": str(int(time.time()) + wait)}
            raise Refusal(429, {"message": "Too Many Attempts."}, headers | self._headers(0))
        self._windows[requester] = (began, seen + 1)
        return self._headers(self._limit - seen - 1)

    def _headers(self, remaining: int) -> dict[str, str]:
        return {"X-RateLimit-Limit": str(self._limit), "X-RateLimit-Remaining": str(remaining)}


def create_app(
    state: State,
    runtime: Runtime,
    databases: DatabaseRuntime | None = None,
    volumes: VolumeRuntime | None = None,
) -> Starlette:
    """Build the application; its lifespan runs the deployment queue.

    `app.state.faults` injects faults and lists the requests, `app.state.queue` is the deployment queue,
    `app.state.databases` runs databases and `app.state.volumes` archives volumes, None where nothing does.
    """
    for module in HANDLERS:
        import_module(f"coolify_sandbox.server.{module}")
    queue = DeploymentQueue(state, runtime)
    limit = _RateLimit(state.settings.rate_limit, state.settings.clock)
    lively = _RateLimit(_LIVENESS_LIMIT, state.settings.clock)

    async def api(request: Request) -> Response:
        headers: dict[str, str] = {"cache-control": "no-cache, private"}
        try:
            status, payload = await _serve(request, state, queue, limit, headers)
        except Refusal as refused:
            refusal = refused
        except Exception:  # noqa: BLE001 - what the framework around Coolify does
            _log.exception("%s %s", request.method, request.url.path)
            refusal = Refusal(500, {"message": "Server Error"})
        else:
            return answer(status, payload, headers)
        headers |= refusal.headers
        if refusal.status in _PAGES and "json" not in request.headers.get("accept", ""):
            page = f"<!DOCTYPE html>\n<html><body><h1>{refusal.status}</h1></body></html>"
            return answer(refusal.status, page, headers)
        return answer(refusal.status, dict(refusal.body), headers)

    async def liveness(request: Request) -> Response:
        headers = {"cache-control": "no-cache, private"}
        try:
            return answer(200, "OK", headers | lively.count(_address(request)))
        except Refusal as refused:
            return answer(refused.status, dict(refused.body), headers | dict(refused.headers))

    async def git_hook(request: Request) -> Response:
        host = HOSTS.get(request.path_params["host"])
        return await receive(request, host, state, queue) if host is not None else await elsewhere(request)

    async def no_app(_: Request) -> Response:
        return answer(200, "Invalid signature.", {"cache-control": "no-cache, private"})

    async def elsewhere(request: Request) -> Response:
        # Everything outside of the API is Coolify's UI, which wants a login.
        login = str(request.url.replace(path="/login", query=""))
        page = f'<!DOCTYPE html>\n<html><head><meta http-equiv="refresh" content="0;url=\'{login}\'" /></head></html>'
        return answer(302, page, {"cache-control": "no-cache, private", "location": login})

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        workers = [asyncio.create_task(one) for one in (queue.run(), _look_at_containers(state, queue))]
        try:
            yield
        finally:
            for worker in workers:
                worker.cancel()
            for worker in workers:
                with suppress(asyncio.CancelledError):
                    await worker

    methods = ["GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"]
    app = Starlette(
        routes=[
            Route("/api/health", liveness),
            Route("/api/{rest:path}", api, methods=methods),
            Route("/webhooks/source/{host}/events/manual", git_hook, methods=["POST"]),
            # No app of GitHub is known by the number that a delivery names.
            Route("/webhooks/source/github/events", no_app, methods=["POST"]),
            Route("/{rest:path}", elsewhere, methods=methods),
        ],
        lifespan=lifespan,
    )
    app.state.queue = queue
    app.state.databases = databases
    app.state.volumes = volumes
    faults: list[FaultInjector] = []

    def injector(inner: ASGIApp) -> FaultInjector:
        faults.append(FaultInjector(inner))
        app.state.faults = faults[-1]
        return faults[-1]

    app.add_middleware(injector)
    app.middleware_stack = app.build_middleware_stack()
    return app


async def _serve(
    request: Request, state: State, queue: DeploymentQueue, limit: _RateLimit, headers: dict[str, str]
) -> tuple[int, object]:
    try:
        endpoint, path = _match(request, state)
    except Refusal as refused:
        # Where there is no route nobody is logged in; a wrong method is told to who is.
        user = f"user {_authenticate(request, state).user_id}" if refused.status == 405 else _address(request)
        headers |= limit.count(user)
        raise
    if endpoint.ability is None:
        headers |= limit.count(_address(request))
        return await endpoint.handler(Call(request, state, None, path))
    token = _authenticate(request, state)
    headers |= limit.count(f"user {token.user_id}")
    _refuse_unauthorised(request, state, token, endpoint)
    body = await read_body(request, demanded=endpoint.body)
    status, payload = await endpoint.handler(Call(request, state, token, path, body))
    if endpoint.method != "GET":
        queue.start_what_may_run()
    if endpoint.method == "GET" and endpoint.pattern.match("/applications/x"):
        await _refresh_status(state, queue, str(path.get("uuid")))
    return status, payload


def _match(request: Request, state: State) -> tuple[Endpoint, dict[str, str]]:
    """Find the endpoint of this version; everything else is `Not found.` with a link, whatever the method."""
    path = request.url.path.removeprefix(_PREFIX)
    version = state.settings.version
    known = [
        (endpoint, match.groupdict())
        for endpoint in ROUTES
        if (match := endpoint.pattern.match(path))
        and at_least_version(version, endpoint.since)
        and not (endpoint.until and at_least_version(version, endpoint.until))
    ]
    is_old = not at_least_version(version, _SINCE_POST_ONLY)
    if is_old and request.method == "POST" and path.rstrip("/").endswith(_GET_ONLY_BEFORE):
        raise Refusal(404, _DOCS)
    # A literal segment wins over a placeholder.
    known.sort(key=lambda one: one[0].pattern.groups)
    # What can be read can be asked for without its body.
    method = "GET" if request.method == "HEAD" else request.method
    for endpoint, values in known:
        if endpoint.method == method:
            return endpoint, values
    action = next((one for one in known if one[0].method == "POST" and path.rstrip("/").endswith(_ACTIONS)), None)
    if request.method == "GET" and action is not None:
        if is_old:
            return action
        raise Refusal(405, _GET_TO_POST, {"Allow": "POST"})
    raise Refusal(404, _DOCS)


def _address(request: Request) -> str:
    return f"address {request.client.host if request.client else ''}"


def _authenticate(request: Request, state: State) -> Token:
    scheme, _, text = request.headers.get("authorization", "").partition(" ")
    token = state.find_token(text.strip()) if scheme.lower() == "bearer" else None
    if token is None:
        raise Refusal(401, {"message": "Unauthenticated."})
    return token


def _refuse_unauthorised(request: Request, state: State, token: Token, endpoint: Endpoint) -> None:
    """Check role, API switch, allow list and ability, in this order."""
    if token.role == "member" and _elevated(state.settings.version) & token.abilities:
        raise Refusal(403, {"message": "Missing required team role."})
    instance = state.by_id("instance", 0)
    if instance is not None:
        _refuse_closed(request, instance, endpoint)
    ability = endpoint.ability or ""
    if not token.can(ability):
        raise Refusal(403, {"message": f"Missing required permissions: {ability}"})


def _elevated(version: str) -> frozenset[str]:
    """Return the abilities that a plain member may not have; before 4.1.2 none were looked at (reference 0.3)."""
    if at_least_version(version, _SINCE_POST_ONLY):
        return _ELEVATED
    return _WRITING if at_least_version(version, "4.1.2") else frozenset()


def _refuse_closed(request: Request, instance: Row, endpoint: Endpoint) -> None:
    switches = endpoint.pattern.match("/enable") or endpoint.pattern.match("/disable")
    if not instance["is_api_enabled"] and not switches:
        raise Refusal(403, {"success": True, "message": "API is disabled."})
    allowed = [one.strip() for one in (instance["allowed_ips"] or "").split(",") if one.strip()]
    client = ipaddress.ip_address(request.client.host if request.client else "127.0.0.1")
    if allowed and "0.0.0.0" not in allowed:
        networks = [ipaddress.ip_network(one, strict=False) for one in allowed]
        if not any(client in network for network in networks):
            raise Refusal(403, {"success": True, "message": "You are not allowed to access the API."})


async def _look_at_containers(state: State, queue: DeploymentQueue) -> None:
    """Note the states of all containers from time to time, as Coolify's periodic check does (reference 4.5)."""
    while True:
        await asyncio.sleep(state.settings.status_seconds)
        for row in state.all("application"):
            await _refresh_status(state, queue, str(row.uuid))


async def _refresh_status(state: State, queue: DeploymentQueue, uuid: str) -> None:
    """Note the container's state; after an answer, for what Coolify tells lags behind (reference 4.5)."""
    status = (await queue.runtime.status(uuid)).value
    row = state.by_uuid("application", uuid)
    if row is not None and status != row["status"]:
        state.update(row, status=status)
