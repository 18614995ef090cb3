"""The receiver's answers: strangers learn nothing, hosts learn whether their delivery is safe."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.requests import Request as WebRequest
from starlette.responses import JSONResponse
from starlette.routing import Route

from coolify.webhooks import Delivery, RefusedError, Request, open_delivery
from coolify.webhooks.delivery import MalformedError
from coolify.webhooks.route import PREFIX
from deployments.webhooks.events import PushEvent, events_of
from deployments.webhooks.settings import ReceiverSettings
from deployments.webhooks.spool import Spool, SpoolFailedError
from deployments.webhooks.vault import Vault

__all__ = ["BODY_LIMIT", "Receiver"]

_log = logging.getLogger("coolify_flows.webhooks")
BODY_LIMIT: Final = 5 * 1024 * 1024
"""Bytes; a push of GitHub with all the commits that it may tell of stays below."""
_BODY_SECONDS: Final = 15.0
_TYPES: Final = frozenset({"application/json", "application/x-www-form-urlencoded"})
_STALE_SECONDS: Final = 60.0
_UNPRINTABLE: Final = re.compile(r"[^A-Za-z0-9._:{}-]")
_ACCEPTED: Final = {"status": "accepted"}


class _NoAnswerError(Exception):
    """What a request ends with before anybody looked who sent it."""

    def __init__(self, status: HTTPStatus, reason: str) -> None:
        self.status = status
        self.reason = reason
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class _Answer:
    status: HTTPStatus
    what: str = ""
    """For the log: which event, or why not."""
    delivery: str = ""


class Receiver:
    """Takes deliveries and keeps what was pushed.

    Args:
        settings: The sources.
        vault: Their secrets.
        spool: Where events are kept.
        accepted: Called when there is a new event in the spool.
        body_limit: Most bytes of a body.
    """

    def __init__(
        self,
        settings: ReceiverSettings,
        vault: Vault,
        spool: Spool,
        accepted: Callable[[], None],
        *,
        body_limit: int = BODY_LIMIT,
    ) -> None:
        self._settings = settings
        self._vault = vault
        self._spool = spool
        self._accepted = accepted
        self._limit = body_limit

    def app(self, background: Callable[[], AsyncIterator[None]]) -> Starlette:
        """Return the application.

        Args:
            background: What runs beside it, until its context is left.
        """
        lifespan = asynccontextmanager(background)
        return Starlette(
            routes=[
                Route(f"{PREFIX}/{{source}}", self._take, methods=["POST"]),
                Route(f"{PREFIX}/{{source}}/{{token}}", self._take, methods=["POST"]),
                Route("/health", self._health),
            ],
            lifespan=lambda _: lifespan(),
        )

    async def _take(self, request: WebRequest) -> JSONResponse:
        started = time.perf_counter()
        name = request.path_params["source"]
        answer = await self._answer(name, request)
        client = request.client.host if request.client else "-"
        # The source's name only where it is one of ours: a path is what a stranger likes, and may hold a secret.
        _log.log(
            logging.INFO if answer.status < HTTPStatus.BAD_REQUEST else logging.WARNING,
            "%s POST %s/%s %d %.1f ms %s %s",
            client,
            PREFIX,
            name if name in self._settings.sources else "-",
            answer.status,
            (time.perf_counter() - started) * 1000,
            _UNPRINTABLE.sub("?", answer.delivery)[:80] or "-",
            answer.what or "-",
        )
        good = answer.status < HTTPStatus.BAD_REQUEST
        return JSONResponse(_ACCEPTED if good else {"status": "refused"}, answer.status)

    async def _answer(self, name: str, request: WebRequest) -> _Answer:
        try:
            read = await self._read(request)
        except _NoAnswerError as error:
            return _Answer(error.status, error.reason)
        source = self._settings.sources.get(name)
        # Whether a source exists is for those to know who can sign for it.
        if source is None:
            return _Answer(HTTPStatus.UNAUTHORIZED, "there is no such source")
        secrets = self._vault.of(name)
        if not secrets:
            return _Answer(HTTPStatus.SERVICE_UNAVAILABLE, "the secrets of the source could not be read yet")
        now = datetime.now(UTC)
        try:
            delivery = open_delivery(source.provider, read, secrets, now)
            events = tuple(events_of(name, source.provider, delivery, now))
        except RefusedError as error:
            return _Answer(HTTPStatus.UNAUTHORIZED, str(error))
        except MalformedError as error:
            return _Answer(HTTPStatus.BAD_REQUEST, str(error))
        what = _UNPRINTABLE.sub(" ", delivery.what)[:80]
        if not events:
            return _Answer(HTTPStatus.OK, f"{what}, nothing to do", delivery.keys[0])
        return await self._keep(name, delivery, events, what)

    async def _keep(self, name: str, delivery: Delivery, events: tuple[PushEvent, ...], what: str) -> _Answer:
        try:
            is_new = await self._spool.accept(name, delivery.keys, events)
        except SpoolFailedError as error:
            return _Answer(HTTPStatus.SERVICE_UNAVAILABLE, str(error), delivery.keys[0])
        if is_new:
            self._accepted()
        return _Answer(HTTPStatus.ACCEPTED, what if is_new else f"{what}, known", delivery.keys[0])

    async def _read(self, request: WebRequest) -> Request:
        """Return the request with its body.

        Raises:
            _NoAnswerError: It is too large, too slow, or of another type.
        """
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in _TYPES:
            raise _NoAnswerError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "neither JSON nor a form")
        announced = request.headers.get("content-length", "")
        if announced.isdigit() and int(announced) > self._limit:
            raise _NoAnswerError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a body of {announced} bytes")
        body = bytearray()
        try:
            async with asyncio.timeout(_BODY_SECONDS):
                async for chunk in request.stream():
                    body += chunk
                    if len(body) > self._limit:
                        raise _NoAnswerError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"more than {self._limit} bytes")
        except TimeoutError:
            raise _NoAnswerError(HTTPStatus.REQUEST_TIMEOUT, "the body did not come in time") from None
        except ClientDisconnect:
            raise _NoAnswerError(HTTPStatus.BAD_REQUEST, "the body did not come whole") from None
        headers = {key.lower(): value for key, value in request.headers.items()} | {"content-type": kind}
        return Request(headers, bytes(body), request.path_params.get("token", ""))

    async def _health(self, request: WebRequest) -> JSONResponse:  # noqa: ARG002 - as Starlette calls it
        """Say whether deliveries are safe here; that Prefect is down is worth a word and no alarm of ours."""
        try:
            backlog = await self._spool.backlog()
        except SpoolFailedError:
            return JSONResponse({"status": "failed"}, HTTPStatus.SERVICE_UNAVAILABLE)
        late = backlog.oldest is not None and time.time() - backlog.oldest > _STALE_SECONDS
        return JSONResponse({"status": "waiting" if late else "ok"})
