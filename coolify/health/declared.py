"""The questions of `health.probes`, ready to be asked."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial

from pydantic import SecretStr

from coolify.commands import plain_line
from coolify.config import Config
from coolify.config.probes import Probe
from coolify.dns import Resolver
from coolify.health.probe import HttpProbe, ProbeResult
from coolify.health.sockets import probe_command, probe_tcp, probe_tls

__all__ = ["Ask", "declared_http", "declared_others", "failing"]

Ask = Callable[[], Awaitable[ProbeResult]]


def declared_http(config: Config, url: str, login: tuple[str, SecretStr] | None) -> list[HttpProbe]:
    """Return the declared HTTP questions for one domain.

    Args:
        config: The application.
        url: The domain's URL without path.
        login: Name and password that visitors are asked for.
    """
    return [
        HttpProbe(
            f"{url}{probe.http}",
            method=probe.method or "GET",
            expect_status=probe.expect or (200,),
            expect_body=probe.body,
            expect_json=(probe.json_path, probe.json_value or "") if probe.json_path else None,
            expect_header=(probe.header, probe.header_value or "") if probe.header else None,
            login=login,
            max_seconds=probe.max_seconds,
            timeout=probe.timeout or config.health.timeout,
            name=probe.name or "",
        )
        for probe in config.health.probes
        if probe.http is not None
    ]


async def declared_others(
    config: Config,
    resolver: Resolver,
    expected_version: str | None,
    redact: Callable[[str], str],
    *,
    commands: bool = True,
) -> list[Ask]:
    """Return the declared questions that belong to no domain, one for every address.

    Args:
        config: The application.
        resolver: Where host names are looked up.
        expected_version: What a command finds in `COOLIFY_RELEASE_VERSION`.
        redact: Takes secrets out of what commands print.
        commands: Whether declared commands are among them.
    """
    asks: list[Ask] = []
    for probe in config.health.probes:
        if probe.run is not None and not commands:
            continue
        limit = probe.timeout or config.health.timeout
        if probe.run is not None:
            found = [_of_command(config, probe, limit, expected_version, redact)]
        elif probe.http is None:
            found = await _of_sockets(config, resolver, probe, limit)
        else:
            continue
        asks += [_within(probe.max_seconds, ask) for ask in found]
    return asks


def failing(title: str, reason: str) -> Ask:
    """Return a question with a bad answer, for what cannot even be asked: a gate must not pass by asking nothing."""

    async def ask() -> ProbeResult:
        return ProbeResult(title, ok=False, reason=reason)

    return ask


def _of_command(
    config: Config, probe: Probe, limit: float, expected_version: str | None, redact: Callable[[str], str]
) -> Ask:
    command = probe.run or ""
    environ = os.environ | {
        "COOLIFY_RELEASE_URL": config.domains[0].url if config.domains else "",
        "COOLIFY_RELEASE_VERSION": expected_version or "",
    }
    title = probe.name or plain_line(redact(" ".join(command.split())))[:80]
    return partial(probe_command, title, command, config.root, environ, limit, redact)


async def _of_sockets(config: Config, resolver: Resolver, probe: Probe, limit: float) -> list[Ask]:
    endpoint = probe.tcp or probe.tls or ""
    kind = "tcp" if probe.tcp else "tls"
    host, _, port = endpoint.rpartition(":")
    host = host.strip("[]")
    title = f"{probe.name}: {kind} {endpoint}" if probe.name else f"{kind} {endpoint}"
    addresses = (await resolver.addresses(host)).all
    if not addresses:
        return [failing(title, "the name has no address")]
    if probe.tcp:
        return [partial(probe_tcp, title, address, int(port), limit) for address in addresses]
    return [partial(probe_tls, title, host, address, int(port), limit, config.ca_path) for address in addresses]


def _within(seconds: float | None, ask: Ask) -> Ask:
    """Return the question with a slow answer counted as a bad one."""

    async def timed() -> ProbeResult:
        result = await ask()
        if seconds is None or not result.ok or result.seconds <= seconds:
            return result
        slow = f"{result.reason}, but after {result.seconds * 1000:.0f} ms, {seconds * 1000:.0f} ms allowed"
        return replace(result, ok=False, reason=slow)

    return timed
