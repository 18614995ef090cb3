"""Requests to one Coolify server: token, pacing, retries, and the difference between refused and lost.

Retries live here and nowhere else (tasks and flows do not multiply them). Idempotent requests are repeated; a create
or a deployment whose answer was lost is reported as `AnswerLostError`, and the caller looks whether it happened
(`coolify.api.reconcile`).
"""

from __future__ import annotations

import asyncio
import random
import ssl
import time
from bisect import bisect_right
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from coolify.api.answers import error_of, parse_json
from coolify.api.errors import (
    AnswerLostError,
    ApiError,
    AuthenticationError,
    ConnectionFailedError,
    CoolifyError,
    MalformedAnswerError,
    NotFoundError,
    RateLimitedError,
    ServerError,
    TlsVerificationError,
)
from coolify.api.token import TokenSource
from coolify.trust import trusting

__all__ = ["RateBudget", "RetryPolicy", "Timeouts", "Transport"]

JsonBody = Mapping[str, Any]
Query = Mapping[str, str | int | bool]

_REPEATABLE_STATUS: Final = frozenset({429, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Limits of one request, in seconds."""

    connect: float = 10.0
    read: float = 60.0
    """Coolify answers some requests only after an SSH round trip to its server."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how patiently an idempotent request is repeated."""

    attempts: int = 5
    first_delay: float = 0.5
    factor: float = 2.0
    longest_delay: float = 20.0
    longest_retry_after: float = 90.0
    """A longer `Retry-After` is reported instead of waited for."""

    def delay(self, attempt: int, retry_after: float | None, jitter: float) -> float:
        """Return the seconds to wait after the given failed attempt, counted from 1; `jitter` is in [0, 1)."""
        if retry_after is not None:
            return retry_after + jitter
        backoff = min(self.longest_delay, self.first_delay * self.factor ** (attempt - 1))
        return backoff * (0.5 + jitter / 2)


class RateBudget:
    """Paces requests so that the server never has to refuse one: 200 a minute and user (reference 0.4).

    No minute, wherever it begins, sees more of our requests than the limit. Half of it goes out as it comes; then
    requests are spread, so that nothing has to stand still for a minute. Others use the limit up, too: in the last
    tenth of what the server says is left, requests are spread over the rest of its minute.
    """

    _WINDOW: Final = 60.0
    _SHARE: Final = 0.95
    """What we use of the limit: requests arrive closer together than they were sent."""

    def __init__(
        self,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sleep = sleep
        self._clock = clock
        self._limit = 200
        self._remaining: int | None = None
        self.sent = 0
        """Requests so far."""
        self._turns: list[float] = []
        """When the requests of the last minute went out, and when those that wait will."""

    @property
    def remaining(self) -> int | None:
        """Requests that the server still allows in this minute, None before its first answer."""
        return self._remaining

    async def pace(self) -> None:
        """Wait before a request when the budget runs low."""
        self.sent += 1
        if (wait := self._take_turn()) > 0:
            await self._sleep(wait)
        reserve = max(1, self._limit // 10)
        if self._remaining is not None and self._remaining < reserve:
            await self._sleep(self._WINDOW / reserve / 2)

    def _take_turn(self) -> float:
        """Take the next turn and return how many seconds it is away, 0 when it is now."""
        now, sent = self._clock(), self._turns
        del sent[: bisect_right(sent, now - self._WINDOW)]
        allowed = max(1, int(self._limit * self._SHARE))
        at = max(now, sent[-1]) if sent else now
        first = bisect_right(sent, at - self._WINDOW)
        used = len(sent) - first
        if used >= allowed:
            at = sent[-allowed] + self._WINDOW
        elif used > allowed // 2:
            # What is left is spread until those leave the minute that went out first; a tenth of them is passed over,
            # because a few that leave make room for a few.
            relief = sent[first + used // 10] + self._WINDOW
            at += (relief - at) / (allowed - used)
        sent.append(at)
        return at - now

    def observe(self, headers: httpx.Headers) -> None:
        """Take note of the limits in an answer."""
        try:
            self._limit = int(headers["x-ratelimit-limit"])
            self._remaining = int(headers["x-ratelimit-remaining"])
        except (KeyError, ValueError):
            return


class Transport:
    """Sends requests to `BASE/api/v1`, once connected."""

    def __init__(
        self,
        base_url: str,
        token: TokenSource,
        *,
        ca_file: Path | None = None,
        timeouts: Timeouts | None = None,
        retry: RetryPolicy | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.base_url = base_url.rstrip("/").removesuffix("/api/v1").removesuffix("/api")
        self.budget = RateBudget(sleep)
        self._token_source = token
        self._token: str | None = None
        self._retry = retry or RetryPolicy()
        self._sleep = sleep
        limits = timeouts or Timeouts()
        self._http = httpx.AsyncClient(
            base_url=f"{self.base_url}/api/v1",
            headers={"Accept": "application/json", "User-Agent": "coolify-flows"},
            timeout=httpx.Timeout(limits.read, connect=limits.connect),
            # A redirect could carry the token elsewhere, and Coolify's API never redirects.
            follow_redirects=False,
            verify=_trust(self.base_url, ca_file),
            transport=transport,
        )

    async def aclose(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def get(self, path: str, query: Query | None = None) -> Any:  # noqa: ANN401 - JSON
        """Read JSON."""
        return await self._repeatedly("GET", path, parse_json, query=query)

    async def get_text(self, path: str, *, authenticated: bool = True) -> str:
        """Read plain text, as `/version` and `/health` answer."""
        text: str = await self._repeatedly("GET", path, _text, authenticated=authenticated)
        return text

    async def patch(self, path: str, body: JsonBody) -> Any:  # noqa: ANN401 - JSON
        """Change an object; applying the same change twice is harmless, so it is repeated when needed."""
        return await self._repeatedly("PATCH", path, parse_json, body=body)

    async def put(self, path: str, body: JsonBody) -> Any:  # noqa: ANN401 - JSON
        """Bring an object to a state; repeated when needed."""
        return await self._repeatedly("PUT", path, parse_json, body=body)

    async def post(self, path: str, body: JsonBody | None = None) -> Any:  # noqa: ANN401 - JSON
        """Send a POST that may be sent twice without harm; everything else goes through `post_once`."""
        return await self._repeatedly("POST", path, parse_json, body=body)

    async def delete(self, path: str, query: Query | None = None) -> None:
        """Delete an object.

        Raises:
            NotFoundError: There was none, unless an earlier attempt whose answer was lost has deleted it.
        """
        await self._repeatedly("DELETE", path, parse_json, query=query)

    async def post_once(self, path: str, body: JsonBody | None = None, query: Query | None = None) -> Any:  # noqa: ANN401 - JSON
        """Send a request that must not be sent twice.

        Raises:
            AnswerLostError: It may have been applied; the caller has to look.
            CoolifyError: It was not applied.
        """
        attempt = 0
        while True:
            attempt += 1
            try:
                return parse_json(await self._authenticated("POST", path, query, body), path)
            except (ConnectionFailedError, RateLimitedError) as error:
                # Neither reached a controller: sending it again cannot do it twice.
                await self._pause_or_raise(error, attempt)
            except (MalformedAnswerError, ServerError) as error:
                raise AnswerLostError(f"The outcome of POST {path} is unknown: {error}") from error

    async def _repeatedly(
        self,
        method: str,
        path: str,
        parse: Callable[[httpx.Response, str], Any],
        *,
        query: Query | None = None,
        body: JsonBody | None = None,
        authenticated: bool = True,
    ) -> Any:  # noqa: ANN401 - JSON
        attempt = 0
        lost = False
        while True:
            attempt += 1
            try:
                if authenticated:
                    return parse(await self._authenticated(method, path, query, body), path)
                return parse(await self._once(method, path, query, body, token=None), path)
            except CoolifyError as error:
                if method == "DELETE" and lost and isinstance(error, NotFoundError):
                    return None
                lost = lost or isinstance(error, AnswerLostError | MalformedAnswerError)
                if not error.retryable:
                    raise
                await self._pause_or_raise(error, attempt)

    async def _pause_or_raise(self, error: CoolifyError, attempt: int) -> None:
        retry_after = error.retry_after if isinstance(error, ApiError) else None
        if attempt >= self._retry.attempts or (retry_after or 0) > self._retry.longest_retry_after:
            raise error
        if isinstance(error, ApiError) and error.status not in _REPEATABLE_STATUS:
            raise error
        await self._sleep(self._retry.delay(attempt, retry_after, random.random()))  # noqa: S311 - jitter, no secret

    async def _authenticated(
        self, method: str, path: str, query: Query | None, body: JsonBody | None
    ) -> httpx.Response:
        """Send with the token; on 401 read its source again and try once more.

        Also with the same token: one request of a valid one can be refused while Coolify restarts, and to give up then
        would leave a deployment that nobody follows.
        """
        token = self._token or await self._read_token()
        try:
            return await self._once(method, path, query, body, token=token)
        except AuthenticationError:
            fresh = await self._read_token()
            return await self._once(method, path, query, body, token=fresh)

    async def _read_token(self) -> str:
        self._token = (await self._token_source.read()).get_secret_value()
        return self._token

    async def _once(
        self, method: str, path: str, query: Query | None, body: JsonBody | None, *, token: str | None
    ) -> httpx.Response:
        await self.budget.pace()
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        params = {name: _query_text(value) for name, value in (query or {}).items()}
        try:
            response = await self._http.request(method, path, params=params, json=body, headers=headers)
        except httpx.HTTPError as error:
            raise _transport_error(error, method, path, self.base_url) from None
        self.budget.observe(response.headers)
        if response.is_redirect:
            target = httpx.URL(response.headers.get("location", "")).host or "another page"
            raise MalformedAnswerError(
                f"{method} {path} was redirected to {target} instead of answered: set `server` to Coolify's final "
                "address, with https if it has one."
            )
        if not response.is_success:
            raise error_of(response, path)
        return response


def _trust(base_url: str, ca_file: Path | None) -> ssl.SSLContext:
    """Return whom to trust; loading certificates, which takes 30 ms, is of no use to a server without TLS."""
    if httpx.URL(base_url).scheme != "http":
        return trusting(ca_file)
    # Trusts nobody.
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _text(response: httpx.Response, path: str) -> str:  # noqa: ARG001 - signature of a parser
    return response.text.strip()


def _query_text(value: str | int | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _transport_error(error: httpx.HTTPError, method: str, path: str, base_url: str) -> CoolifyError:
    """Tell a request that was certainly not received from one whose answer was lost."""
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout | httpx.UnsupportedProtocol):
        reason = str(error) or type(error).__name__
        if "CERTIFICATE_VERIFY_FAILED" in reason or "certificate verify failed" in reason:
            return TlsVerificationError(
                f"The certificate of {base_url} does not verify ({reason.rpartition(': ')[2]}): set network.ca_file to "
                "the CA's file if it is a private one; otherwise do not send your token there."
            )
        return ConnectionFailedError(
            f"Coolify at {base_url} cannot be reached ({reason.rpartition('] ')[2] or reason}): check `server` in the "
            "configuration, the name, the network, and that Coolify runs."
        )
    kind = "did not answer in time" if isinstance(error, httpx.TimeoutException) else "closed the connection"
    return AnswerLostError(f"Coolify at {base_url} {kind} on {method} {path}.")
