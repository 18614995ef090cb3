"""One HTTP question to an application, asked at an address under its public name."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
from pydantic import SecretStr

from coolify.trust import trusting

__all__ = ["HttpProbe", "HttpTarget", "ProbeResult", "probe_http"]

_EXCERPT: Final = 200
_BODY_LIMIT: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class HttpProbe:
    """What is asked and what is expected of the answer."""

    url: str
    """Public URL; its host is sent as `Host` and SNI."""
    method: str = "GET"
    expect_status: tuple[int, ...] = (200,)
    expect_body: str | None = None
    """Text that the body must contain."""
    expect_json: tuple[str, str] | None = None
    """Dotted path into a JSON body, and the text of the value there."""
    expect_header: tuple[str, str] | None = None
    """Name of a header, and text that its value must contain."""
    login: tuple[str, SecretStr] | None = None
    """Name and password to send."""
    max_seconds: float | None = None
    """A slower answer is a bad one."""
    timeout: float = 5.0
    """Seconds for the whole of it."""
    name: str = ""
    """What it is called, where the URL does not tell enough."""

    @property
    def title(self) -> str:
        """The URL, with the name before it where there is one."""
        return f"{self.name}: {self.url}" if self.name else self.url


@dataclass(frozen=True, slots=True)
class HttpTarget:
    """Where the question is sent."""

    address: str
    port: int
    ca_file: Path | None = None
    verify: bool = False
    """Certificates have a check of their own: a gate that mistook a late one for an unhealthy application would roll
    back a good release."""


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """What came back."""

    url: str
    """What was asked: a URL, or the probe's own words."""
    ok: bool
    reason: str
    """In words: what was wrong, or what was seen."""
    status: int | None = None
    seconds: float = 0.0
    excerpt: str = ""
    """Beginning of the body, for the report."""


async def probe_http(probe: HttpProbe, target: HttpTarget) -> ProbeResult:
    """Ask once; redirects are not followed, they are an answer."""
    parts = urlsplit(probe.url)
    host = parts.hostname or ""
    url = httpx.URL(probe.url).copy_with(host=target.address, port=target.port)
    started = time.monotonic()
    try:
        async with (
            # httpx limits each read alone: an answer that drips would hold the gate open for ever.
            asyncio.timeout(probe.timeout),
            httpx.AsyncClient(
                verify=trusting(target.ca_file, verify=target.verify),
                timeout=probe.timeout,
                follow_redirects=False,
                trust_env=False,
            ) as client,
            client.stream(
                probe.method,
                url,
                headers={"Host": host, "User-Agent": "coolify-flows"},
                auth=(probe.login[0], probe.login[1].get_secret_value()) if probe.login else None,
                extensions={"sni_hostname": host},
            ) as response,
        ):
            body = await _read(response)
    except (httpx.HTTPError, TimeoutError) as error:
        return ProbeResult(probe.title, ok=False, reason=_reason(error, probe), seconds=time.monotonic() - started)
    seconds = time.monotonic() - started
    problem = _problem(probe, response, body, seconds)
    return ProbeResult(
        probe.title,
        ok=problem is None,
        reason=problem or f"answered {response.status_code} in {seconds * 1000:.0f} ms",
        status=response.status_code,
        seconds=seconds,
        excerpt=" ".join(body.split())[:_EXCERPT],
    )


async def _read(response: httpx.Response) -> str:
    body = b""
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > _BODY_LIMIT:
            break
    try:
        return body[:_BODY_LIMIT].decode(response.encoding or "utf-8", errors="replace")
    except (LookupError, UnicodeError):
        # Python has codecs that are no charset, and servers claim them: `charset=undefined`.
        return body[:_BODY_LIMIT].decode("utf-8", errors="replace")


def _problem(probe: HttpProbe, response: httpx.Response, body: str, seconds: float) -> str | None:
    if response.status_code not in probe.expect_status:
        wanted = " or ".join(str(status) for status in probe.expect_status)
        return f"answered {response.status_code} instead of {wanted}"
    if probe.expect_body is not None and probe.expect_body not in body:
        return f"the answer does not contain '{probe.expect_body}'"
    if probe.expect_header is not None:
        name, text = probe.expect_header
        if text not in response.headers.get(name, ""):
            return f"the header {name} is '{response.headers.get(name, 'missing')}' and does not contain '{text}'"
    if probe.expect_json is not None:
        path, text = probe.expect_json
        found = _at(body, path)
        if found != text:
            return f"{path} in the answer is {found if found is not None else 'missing'} instead of {text}"
    if probe.max_seconds is not None and seconds > probe.max_seconds:
        return f"answered after {seconds * 1000:.0f} ms, {probe.max_seconds * 1000:.0f} ms allowed"
    return None


def _at(body: str, path: str) -> str | None:
    """Return the text of the value at a dotted path of a JSON body, None where there is none."""
    try:
        value: Any = json.loads(body)
        for name in path.split("."):
            value = value[int(name)] if isinstance(value, list) else value[name]
    except (ValueError, KeyError, IndexError, TypeError):
        return None
    return value if isinstance(value, str) else json.dumps(value)


def _reason(error: httpx.HTTPError | TimeoutError, probe: HttpProbe) -> str:
    if isinstance(error, httpx.TimeoutException | TimeoutError):
        return f"no answer within {probe.timeout:g} s"
    if isinstance(error, httpx.ConnectError):
        return f"no connection: {str(error).rpartition('] ')[2] or 'refused'}"
    return f"the connection broke: {str(error) or type(error).__name__}"
