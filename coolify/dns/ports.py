"""Measure: whether the ports of a host are open, and where its redirects lead."""

from __future__ import annotations

import asyncio
import errno
from contextlib import suppress
from typing import Final
from urllib.parse import urljoin, urlsplit

import httpx

from coolify.dns.resolver import Resolver
from coolify.dns.settings import Ports
from coolify.dns.survey import PortState, Reach, Walk
from coolify.trust import trusting

__all__ = ["measure_ports", "walk_redirects"]

_SECONDS: Final = 5.0
_MOST_STEPS: Final = 10
_NO_WAY: Final = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})


async def measure_ports(addresses: tuple[str, ...], ports: Ports, *, https: bool) -> tuple[Reach, ...]:
    """Connect to the ports of every address, side by side."""
    wanted = (ports.http, ports.https) if https else (ports.http,)
    return tuple(await asyncio.gather(*(_connect(address, port) for address in addresses for port in wanted)))


async def _connect(address: str, port: int) -> Reach:
    try:
        async with asyncio.timeout(_SECONDS):
            _, writer = await asyncio.open_connection(address, port)
    except TimeoutError:
        return Reach(address, port, PortState.SILENT)
    except ConnectionRefusedError:
        return Reach(address, port, PortState.REFUSED)
    except OSError as error:
        state = PortState.UNREACHABLE if error.errno in _NO_WAY else PortState.SILENT
        return Reach(address, port, state)
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return Reach(address, port, PortState.OPEN)


async def walk_redirects(host: str, addresses: tuple[str, ...], ports: Ports, resolver: Resolver) -> Walk:
    """Follow the redirects of `http://HOST/` as long as they stay on the host, or on names that lead to the same place.

    Certificates are not verified here: they have checks of their own, and a wrong one would hide a circle.

    Args:
        host: Where to begin.
        addresses: Where the host leads.
        ports: Ports to connect to where a URL names none.
        resolver: Where other names, such as the one with `www`, are looked up.
    """
    url, steps = f"http://{host}/", [f"http://{host}/"]
    try:
        async with (
            asyncio.timeout(_SECONDS * 2),
            httpx.AsyncClient(verify=trusting(verify=False), timeout=_SECONDS, trust_env=False) as client,
        ):
            for _ in range(_MOST_STEPS):
                response = await _get(client, url, addresses[0], ports)
                target = response.headers.get("location", "")
                if not response.is_redirect or not target:
                    return Walk(tuple(steps), end=str(response.status_code))
                url = urljoin(url, target)
                steps.append(url)
                if url in steps[:-1]:
                    return Walk(tuple(steps), loops=True, end=str(response.status_code))
                other = urlsplit(url).hostname or ""
                if other != host and not set((await resolver.addresses(other)).all) & set(addresses):
                    return Walk(tuple(steps), end="leads to another host")
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, TimeoutError) as error:
        return Walk(tuple(steps), end=f"no answer ({type(error).__name__})")
    return Walk(tuple(steps), loops=True, end=f"more than {_MOST_STEPS} redirects")


async def _get(client: httpx.AsyncClient, url: str, address: str, ports: Ports) -> httpx.Response:
    parts = urlsplit(url)
    port = parts.port or (ports.https if parts.scheme == "https" else ports.http)
    at = httpx.URL(url).copy_with(host=address, port=port)
    async with client.stream(
        "GET",
        at,
        headers={"Host": parts.netloc, "User-Agent": "coolify-flows"},
        extensions={"sni_hostname": parts.hostname or ""},
    ) as response:
        return response
