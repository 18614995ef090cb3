"""Look at an application from the outside: names, health, certificates."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from prefect import task
from prefect.cache_policies import NO_CACHE

from coolify.config import Config, Domain
from coolify.dns import Resolver, check_domain
from coolify.finding import Finding
from coolify.health import GatePolicy, GateResult, HttpProbe, HttpTarget, ProbeResult, probe_http, run_gate
from coolify.source import RemoteHead, resolve_commit
from coolify.tls import check_certificate
from tasks.phases import report_findings, step_done
from tasks.session import Session

__all__ = ["check_certificates", "check_domains", "check_source", "pass_health_gate"]


@task(name="check source", task_run_name="check source {repository}", cache_policy=NO_CACHE)
async def check_source(repository: str, branch: str) -> RemoteHead:
    """Resolve the branch of the repository, before a deployment is spent on it.

    Raises:
        GitError: The repository cannot be read or has no such branch.
    """
    head = await resolve_commit(repository, branch)
    step_done(f"{branch} is at {head.commit[:12]}")
    return head


@task(name="check domains", cache_policy=NO_CACHE)
async def check_domains(hosts: tuple[str, ...], server: tuple[str, ...], resolver: Resolver) -> tuple[Finding, ...]:
    """Compare the addresses of all hosts with the server's, side by side.

    Args:
        hosts: Domains.
        server: Addresses or host names of the server that they are to lead to.
        resolver: Whom to ask.
    """
    addresses = await resolver.server_addresses(*server)
    checked = await asyncio.gather(*(check_domain(host, addresses, resolver) for host in hosts))
    findings = tuple(finding for findings in checked for finding in findings)
    report_findings(findings)
    return findings


@task(name="pass health gate", cache_policy=NO_CACHE)
async def pass_health_gate(session: Session, expected_version: str | None) -> GateResult:
    """Ask every domain at every address until the gate is decided.

    Args:
        session: The application.
        expected_version: Text that proves the right version, None where that is not configured.
    """
    probes = [
        partial(probe_http, probe, target)
        for domain in session.config.domains
        for target in await _targets(session, domain)
        for probe in _probes(session.config, domain, expected_version)
    ]
    health = session.config.health
    policy = GatePolicy(
        successes=health.successes,
        interval=health.interval,
        deadline=health.deadline,
        warm_up=health.warm_up,
        failures_allowed=health.failures_allowed,
        soak=health.soak,
    )
    result = await run_gate(probes or [_unreachable(session.config)], policy, on_round=_tell)
    report_findings(result.findings())
    return result


@task(name="check certificates", cache_policy=NO_CACHE)
async def check_certificates(session: Session) -> tuple[Finding, ...]:
    """Shake hands with every HTTPS domain at every address."""
    hosts = sorted({domain.host for domain in session.config.domains if domain.ssl})
    found = await asyncio.gather(*(session.resolver.addresses(host) for host in hosts))
    checked = await asyncio.gather(
        *(
            check_certificate(one.host, one.all, port=session.config.network.https_port, ca_file=session.ca_file)
            for one in found
        )
    )
    findings = tuple(finding for findings in checked for finding in findings)
    report_findings(findings)
    return findings


async def _targets(session: Session, domain: Domain) -> list[HttpTarget]:
    network = session.config.network
    port = network.https_port if domain.ssl else network.http_port
    addresses = (await session.resolver.addresses(domain.host)).all
    return [HttpTarget(address, port, session.ca_file) for address in addresses]


def _probes(config: Config, domain: Domain, expected_version: str | None) -> list[HttpProbe]:
    health = config.health
    probes = [
        HttpProbe(
            f"{domain.url}{health.path}", expect_status=health.expect, expect_body=health.body, timeout=health.timeout
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


def _tell(results: tuple[ProbeResult, ...]) -> None:
    for result in results:
        step_done(f"{result.url} {result.reason}")
