"""Questions to an application's front door, asked as a visitor and as a stranger would."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

import httpx
from pydantic import SecretStr

from coolify.trust import trusting

__all__ = ["Burst", "Door", "Seen"]

_SECONDS: Final = 10.0
_AT_ONCE: Final = 20
_EXCERPT: Final = 200
_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Seen:
    """One answer, or why there was none."""

    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case; several headers of one name are joined by commas."""
    problem: str = ""
    """Why there was no answer."""
    own_address: str = ""
    """Address of this machine on the connection."""
    body: str = ""
    """Beginning of an answer that is no success; others are not read."""


@dataclass(frozen=True, slots=True)
class Burst:
    """Many requests in short time."""

    sent: int
    refused: int
    """Answers 429."""
    seconds: float


@dataclass(frozen=True, slots=True)
class Door:
    """A URL of the application at one address."""

    url: str
    """Public URL over the domain's own scheme; its host is sent as `Host` and SNI."""
    address: str
    http_port: int
    https_port: int
    ca_file: Path | None = None

    async def ask(
        self,
        method: str = "GET",
        *,
        scheme: str | None = None,
        headers: Mapping[str, str] = _NOTHING,
        login: tuple[str, SecretStr] | None = None,
        body: bytes = b"",
    ) -> Seen:
        """Ask once; redirects are answers. The certificate is verified only when a password is sent.

        Args:
            method: HTTP method.
            scheme: `http` or `https` instead of the domain's own.
            headers: Further request headers.
            login: Name and password to send.
            body: What to send.
        """
        parts = urlsplit(self.url)
        chosen = scheme or parts.scheme
        port = self.https_port if chosen == "https" else self.http_port
        url = httpx.URL(self.url).copy_with(scheme=chosen, host=self.address, port=port)
        host = parts.hostname or ""
        auth = (login[0], login[1].get_secret_value()) if login else None
        try:
            context = trusting(self.ca_file, verify=login is not None)
            async with (
                asyncio.timeout(_SECONDS),
                httpx.AsyncClient(verify=context, timeout=_SECONDS, trust_env=False) as client,
                client.stream(
                    method,
                    url,
                    headers={"Host": host, "User-Agent": "coolify-flows", **headers},
                    auth=auth,
                    content=body or None,
                    extensions={"sni_hostname": host},
                ) as response,
            ):
                stream = response.extensions.get("network_stream")
                own = stream.get_extra_info("client_addr") if stream else None
                address = str(own[0]) if own else ""
                page = "" if response.is_success else await _beginning(response)
                return Seen(response.status_code, dict(response.headers), own_address=address, body=page)
        except (httpx.HTTPError, TimeoutError, OSError) as error:
            return Seen(problem=_reason(error))

    async def burst(self, most: int) -> Burst:
        """Ask until an answer is 429, at most so many times."""
        started = time.monotonic()
        sent = refused = 0
        while sent < most and not refused:
            answers = await asyncio.gather(*(self.ask() for _ in range(min(_AT_ONCE, most - sent))))
            sent += len(answers)
            refused += sum(answer.status == 429 for answer in answers)
        return Burst(sent, refused, time.monotonic() - started)


async def _beginning(response: httpx.Response) -> str:
    read = b""
    async for chunk in response.aiter_bytes():
        read += chunk
        if len(read) >= _EXCERPT:
            break
    return read[:_EXCERPT].decode(errors="replace")


def _reason(error: Exception) -> str:
    if isinstance(error, httpx.TimeoutException | TimeoutError):
        return f"no answer within {_SECONDS:g} s"
    return f"no connection: {str(error).rpartition('] ')[2] or type(error).__name__}"
