"""The health gate of a configured application: every domain at every address, and what else is declared."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from pydantic import SecretStr

from coolify.config import Config, Domain
from coolify.dns import Resolver
from coolify.health.declared import Ask, declared_http, declared_others, failing
from coolify.health.gate import GatePolicy, GateResult, run_gate
from coolify.health.probe import HttpProbe, HttpTarget, ProbeResult, probe_http

__all__ = ["ask_application", "has_questions", "questions"]


def has_questions(config: Config) -> bool:
    """Return whether anything can be asked: a domain, or a declared probe that needs none."""
    return bool(config.domains) or any(probe.http is None for probe in config.health.probes)


async def ask_application(
    config: Config,
    resolver: Resolver,
    expected_version: str | None,
    on_round: Callable[[tuple[ProbeResult, ...]], None] = lambda _: None,
    login: tuple[str, SecretStr] | None = None,
    redact: Callable[[str], str] = str,
) -> GateResult:
    """Ask until the gate is decided.

    Args:
        config: The application; there is something to ask.
        resolver: Where the addresses of the domains are looked up.
        expected_version: Text that proves the right version, None where that is not configured.
        on_round: Told of the answers of each round.
        login: Name and password that visitors are asked for; certificates are verified before it is sent.
        redact: Takes secrets out of what declared commands print.
    """
    probes = await questions(config, resolver, expected_version, login, redact)
    health = config.health
    policy = GatePolicy(
        successes=health.successes,
        interval=health.interval,
        deadline=health.deadline,
        warm_up=health.warm_up,
        failures_allowed=health.failures_allowed,
        soak=health.soak,
        p95=health.p95,
    )
    return await run_gate(probes, policy, on_round=on_round)


async def questions(
    config: Config,
    resolver: Resolver,
    expected_version: str | None = None,
    login: tuple[str, SecretStr] | None = None,
    redact: Callable[[str], str] = str,
    *,
    commands: bool = True,
) -> list[Ask]:
    """Return everything that one round asks: every domain at every address, and what is declared.

    Args:
        config: The application.
        resolver: Where the addresses of the domains are looked up.
        expected_version: Text that proves the right version, None where that is not configured.
        login: Name and password that visitors are asked for; certificates are verified before it is sent.
        redact: Takes secrets out of what declared commands print.
        commands: Whether declared commands are among them.
    """
    asks: list[Ask] = [
        partial(probe_http, probe, target)
        for domain in config.domains
        for target in await _targets(config, domain, resolver, verify=login is not None)
        for probe in _probes(config, domain, expected_version, login)
    ]
    if config.domains and not asks:
        asks.append(failing(config.domains[0].url, "the domain has no address"))
    return asks + await declared_others(config, resolver, expected_version, redact, commands=commands)


async def _targets(config: Config, domain: Domain, resolver: Resolver, *, verify: bool) -> list[HttpTarget]:
    network = config.network
    port = network.https_port if domain.ssl else network.http_port
    found = (await resolver.addresses(domain.host)).all
    addresses = dict.fromkeys((*found, *config.health.addresses))
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
    return probes + declared_http(config, domain.url, login)
