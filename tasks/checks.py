"""Look at an application from the outside: names and health."""

from __future__ import annotations

from prefect import task
from prefect.cache_policies import NO_CACHE

from coolify.dns import check_hosts
from coolify.finding import Finding, Severity
from coolify.health import GateResult, ProbeResult
from coolify.health.application import ask_application
from tasks.phases import report_findings, step_done
from tasks.session import Session

__all__ = ["check_domains", "pass_health_gate"]


@task(name="check domains", cache_policy=NO_CACHE)
async def check_domains(session: Session, server: tuple[str, ...]) -> tuple[Finding, ...]:
    """Check the domains of the application against the server that they are to lead to, side by side.

    Hints are left out: before a release only what is good or should be mended counts.

    Args:
        session: The application.
        server: Addresses or host names of its server.
    """
    hosts = sorted({domain.host for domain in session.config.domains})
    addresses = await session.resolver.server_addresses(*server)
    # The proxy answers for a domain from the first release on.
    checked = await check_hosts(session.config, hosts, addresses, session.resolver, serving=False)
    findings = tuple(finding for one in checked for finding in one.findings if finding.severity is not Severity.INFO)
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
