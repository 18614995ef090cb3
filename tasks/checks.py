"""Look at an application from the outside: names and health."""

from __future__ import annotations

import asyncio

from prefect import task
from prefect.cache_policies import NO_CACHE

from coolify.dns import Resolver, check_domain
from coolify.finding import Finding
from coolify.health import GateResult, ProbeResult
from coolify.health.application import ask_application
from tasks.phases import report_findings, step_done
from tasks.session import Session

__all__ = ["check_domains", "pass_health_gate"]


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
    result = await ask_application(
        session.config, session.resolver, expected_version, on_round=_tell, login=session.security.login
    )
    report_findings(result.findings())
    return result


def _tell(results: tuple[ProbeResult, ...]) -> None:
    for result in results:
        step_done(f"{result.url} {result.reason}")
