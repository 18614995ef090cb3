"""Look at an application's security from the outside: every domain at every address."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Final

from coolify.config import Config, Domain
from coolify.dns import Resolver
from coolify.finding import Finding
from coolify.security import verdict
from coolify.security.absence import Knock, Standing, absent, is_of_proxy, knock, of_proxy
from coolify.security.look import Door, Seen
from coolify.security.wanted import WantedSecurity

__all__ = ["LimitProbes", "check_security"]

_STRANGER: Final = "https://stranger.invalid"
"""No site has this origin (RFC 6761 section 6.4)."""
_ANY_SITE: Final = "https://site.invalid"
_MOST_REQUESTS: Final = 2000
_LARGEST_BODY: Final = 32 * 1024**2
_UNKNOWN: Final = Standing(runs=None, told="Coolify was not asked")


@dataclass(frozen=True, slots=True)
class LimitProbes:
    """Probes that a running application feels; off unless asked for."""

    rate: bool = False
    """Send more requests than the rate limit allows."""
    body: bool = False
    """Send a body that is too large by one byte."""


async def _not_asked() -> Standing:
    return _UNKNOWN


async def check_security(
    config: Config,
    wanted: WantedSecurity,
    resolver: Resolver,
    probes: LimitProbes | None = None,
    standing: Callable[[], Awaitable[Standing]] = _not_asked,
) -> tuple[Finding, ...]:
    """Return how the domains of an application answer, beside what is configured.

    Args:
        config: The application.
        wanted: Its security, secrets resolved: names and passwords are sent over verified connections.
        resolver: Where the addresses of the domains are looked up.
        probes: Which limits to exceed on purpose; none when left out.
        standing: Asks Coolify whether the application runs; only where its proxy alone seems to answer.
    """
    hosts = await asyncio.gather(*(resolver.addresses(domain.host) for domain in config.domains))
    doors = [
        (domain, Door(f"{domain.url}{_path(config)}", address, network.http_port, network.https_port, config.ca_path))
        for domain, host in zip(config.domains, hosts, strict=True)
        for address in host.all
        for network in [config.network]
    ]
    silent = [
        verdict.unreachable(domain.url, Seen(problem="the name has no address"))
        for domain, host in zip(config.domains, hosts, strict=True)
        if not host.all
    ]
    knocks = await asyncio.gather(*(knock(door, f"{domain.url} at {door.address}") for domain, door in doors))
    without, alone = await _without_application(config, knocks, standing)
    checked = await asyncio.gather(
        *(
            _check(domain, one, wanted, probes or LimitProbes())
            for (domain, _), one in zip(doors, knocks, strict=True)
            if one not in alone
        )
    )
    return (*silent, *without, *(finding for findings in checked for finding in findings))


async def _without_application(
    config: Config, knocks: Iterable[Knock], standing: Callable[[], Awaitable[Standing]]
) -> tuple[list[Finding], list[Knock]]:
    """Return what is told of the answers that are the proxy's own, and those answers."""
    suspects = [one for one in knocks if one.is_suspect]
    if not suspects:
        return [], []
    known = await standing()
    alone = [one for one in suspects if is_of_proxy(one, known, config.health.expect)]
    if alone and known.runs is False:
        return [absent(config.application_name, alone, known)], alone
    return [of_proxy(one, known) for one in alone], alone


def _path(config: Config) -> str:
    # A page that is there for being asked: others may be heavy, or count.
    return config.health.path


async def _check(domain: Domain, knocked: Knock, wanted: WantedSecurity, probes: LimitProbes) -> tuple[Finding, ...]:
    section, subject, door, stranger = wanted.section, knocked.subject, knocked.door, knocked.seen
    if stranger.status is None:
        return (verdict.unreachable(subject, stranger),)
    shut_out = stranger.status == 403 and bool(section.allow_list)
    login = wanted.login if wanted.asks_for_login else None
    inside = await door.ask(login=login) if login and domain.ssl and not shut_out else None
    findings = [
        *verdict.judge_headers(subject, section.headers, stranger, secure=domain.ssl),
        *verdict.judge_recommended(subject, inside if inside and inside.status else stranger, secure=domain.ssl),
    ]
    if domain.ssl and section.headers.hsts is not None:
        plain = await door.ask(scheme="http")
        findings += verdict.judge_plain_http(subject, domain.host, section.headers, plain)
    if section.allow_list:
        findings += verdict.judge_allow_list(subject, section.allow_list, stranger)
    if wanted.asks_for_login:
        findings += verdict.judge_login(subject, stranger, inside, shut_out=shut_out)
    if section.cors is not None:
        findings += await _cors(subject, door, wanted)
    if not shut_out:
        findings += await _limits(subject, door, wanted, probes)
    return tuple(findings)


async def _cors(subject: str, door: Door, wanted: WantedSecurity) -> tuple[Finding, ...]:
    cors = wanted.section.cors
    if cors is None:
        return ()
    origin = _ANY_SITE if "*" in cors.origins else cors.origins[0]
    asked = {"Access-Control-Request-Method": cors.methods[0]}
    if cors.headers:
        asked["Access-Control-Request-Headers"] = ",".join(cors.headers)
    allowed, foreign = await asyncio.gather(
        door.ask("OPTIONS", headers=asked | {"Origin": origin}),
        door.ask("OPTIONS", headers=asked | {"Origin": _STRANGER}),
    )
    return verdict.judge_cors(subject, cors, origin, allowed, foreign)


async def _limits(subject: str, door: Door, wanted: WantedSecurity, probes: LimitProbes) -> list[Finding]:
    section = wanted.section
    findings: list[Finding] = []
    largest = section.max_body_bytes
    if probes.body and largest is not None and largest < _LARGEST_BODY:
        kind = {"Content-Type": "application/octet-stream"}
        login = wanted.login if wanted.asks_for_login else None
        seen = await door.ask("POST", body=b"\0" * (largest + 1), headers=kind, login=login)
        findings += verdict.judge_body_size(subject, largest, seen)
    if probes.rate and section.rate_limit is not None:
        # Twice what may come at once, and some for what is allowed meanwhile; last, because it spoils everything else.
        most = min(2 * section.rate_limit.at_once + 100, _MOST_REQUESTS)
        findings += verdict.judge_rate_limit(subject, section.rate_limit, await door.burst(most))
    return findings
