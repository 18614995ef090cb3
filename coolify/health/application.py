"""The health gate of a configured application: every domain at every address."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from pydantic import SecretStr

from coolify.config import Config, Domain
from coolify.dns import Resolver
from coolify.health.gate import GatePolicy, GateResult, run_gate
from coolify.health.probe import HttpProbe, HttpTarget, ProbeResult, probe_http

__all__ = ["ask_application"]


async def ask_application(
    config: Config,
    resolver: Resolver,
    expected_version: str | None,
    on_round: Callable[[tuple[ProbeResult, ...]], None] = lambda _: None,
    login: tuple[str, SecretStr] | None = None,
) -> GateResult:
    """Ask until the gate is decided.

    Args:
        config: The application; it has at least one domain.
        resolver: Where the addresses of the domains are looked up.
        expected_version: Text that proves the right version, None where that is not configured.
        on_round: Told of the answers of each round.
        login: Name and password that visitors are asked for; certificates are verified before it is sent.
    """
    probes = [
        partial(probe_http, probe, target)
        for domain in config.domains
        for target in await _targets(config, domain, resolver, verify=login is not None)
        for probe in _probes(config, domain, expected_version, login)
    ]
    health = config.health
    policy = GatePolicy(
        successes=health.successes,
        interval=health.interval,
        deadline=health.deadline,
        warm_up=health.warm_up,
        failures_allowed=health.failures_allowed,
        soak=health.soak,
    )
    return await run_gate(probes or [_unreachable(config)], policy, on_round=on_round)


async def _targets(config: Config, domain: Domain, resolver: Resolver, *, verify: bool) -> list[HttpTarget]:
    network = config.network
    port = network.https_port if domain.ssl else network.http_port
    addresses = (await resolver.addresses(domain.host)).all
    return [HttpTarget(address, port, config.ca_path, verify) for address in addresses]


def _probes(
    config: Config, domain: Domain, expected_version: str | None, login: tuple[str, SecretStr] | None
) -> list[HttpProbe]:
    health = config.health
    probes = [
        HttpProbe(
            f"{domain.url}{health.path}",
            expect_status=health.expect,
            expect_body=health.body,
            login=login,
            timeout=health.timeout,
        )
    ]
    proof = health.version
    if proof is not None and expected_version is not None:
        in_body = proof.header is None and proof.json_path is None
        probes.append(
            HttpProbe(
                f"{domain.url}{proof.path}",
                expect_body=expected_version if in_body else None,
                expect_header=(proof.header, expected_version) if proof.header else None,
                expect_json=(proof.json_path, expected_version) if proof.json_path else None,
                login=login,
                timeout=health.timeout,
            )
        )
    return probes


def _unreachable(config: Config) -> Callable[[], Awaitable[ProbeResult]]:
    """Stand in for the probes when no domain has an address: the gate must not pass by having nothing to ask."""
    url = config.domains[0].url

    async def probe() -> ProbeResult:
        return ProbeResult(url, ok=False, reason="the domain has no address")

    return probe
