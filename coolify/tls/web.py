"""Measure: what an address answers over HTTP and HTTPS, for redirect, HSTS and clock."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx

from coolify.tls.room import room
from coolify.trust import trusting

__all__ = ["WebAnswer", "WebAnswers", "ask_http", "ask_web"]


@dataclass(frozen=True, slots=True)
class WebAnswer:
    """One answer, or why there was none."""

    status: int | None = None
    location: str | None = None
    hsts: str | None = None
    """The header Strict-Transport-Security (RFC 6797)."""
    skew: timedelta | None = None
    """How far the server's clock (its header Date) is before ours; negative when it is behind."""
    error: str | None = None


@dataclass(frozen=True, slots=True)
class WebAnswers:
    """What one address answers on both ports."""

    address: str
    http: WebAnswer
    https: WebAnswer


async def ask_web(
    host: str, address: str, *, http_port: int, https_port: int, path: str = "/", timeout_seconds: float = 10.0
) -> WebAnswers:
    """Ask an address once on each port.

    The certificate is not verified: it has a check of its own, and nothing secret is sent.
    """
    plain, secure = await asyncio.gather(
        ask_http(host, address, http_port, path=path, timeout_seconds=timeout_seconds),
        ask_http(host, address, https_port, path=path, secure=True, timeout_seconds=timeout_seconds),
    )
    return WebAnswers(address, plain, secure)


async def ask_http(
    host: str, address: str, port: int, *, path: str = "/", secure: bool = False, timeout_seconds: float = 10.0
) -> WebAnswer:
    """Send one HEAD request to an address under a host name; redirects are an answer and not followed."""
    url = httpx.URL(scheme="https" if secure else "http", host=address, port=port, path=path)
    try:
        async with (
            room(),
            asyncio.timeout(timeout_seconds),
            httpx.AsyncClient(
                verify=trusting(verify=False), timeout=timeout_seconds, follow_redirects=False, trust_env=False
            ) as client,
        ):
            asked = datetime.now(UTC)
            response = await client.head(
                url,
                headers={"Host": host, "User-Agent": "coolify-flows"},
                extensions={"sni_hostname": host},
            )
            answered = datetime.now(UTC)
    except (httpx.HTTPError, TimeoutError, ValueError) as error:
        return WebAnswer(error=_reason(error, timeout_seconds))
    return WebAnswer(
        status=response.status_code,
        location=response.headers.get("location"),
        hsts=response.headers.get("strict-transport-security"),
        skew=_skew(response.headers.get("date"), asked, answered),
    )


def _skew(header: str | None, asked: datetime, answered: datetime) -> timedelta | None:
    """Return how far the server is ahead; zero where its whole seconds and the travel time can explain it."""
    try:
        told = parsedate_to_datetime(header) if header else None
    except ValueError:
        return None
    if told is None or told.tzinfo is None:
        return None
    if told > answered:
        return told - answered
    # The header has whole seconds: the truth is anywhere within the second that it names.
    latest = told + timedelta(seconds=1)
    return latest - asked if latest < asked else timedelta()


def _reason(error: Exception, timeout_seconds: float) -> str:
    if isinstance(error, httpx.TimeoutException | TimeoutError):
        return f"no answer within {timeout_seconds:g} s"
    if isinstance(error, httpx.ConnectError):
        return f"no connection ({str(error).rpartition('] ')[2] or 'refused'})"
    return f"no HTTP ({str(error) or type(error).__name__})"
