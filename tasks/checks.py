"""Look at an application from the outside: names and health."""

from __future__ import annotations

from typing import Final

from coolify.commands import plain_line
from coolify.dns import check_hosts
from coolify.errors import OperatorError
from coolify.finding import Finding, Severity
from coolify.health import GateResult, ProbeResult, container_log
from coolify.health.application import ask_application
from coolify.locating import find_application
from tasks.phases import report_findings, step_done
from tasks.session import Session, redaction_of
from tasks.steps import step

__all__ = ["check_domains", "pass_health_gate", "read_container_log"]

_LOG_LINES: Final = 20


@step("check domains")
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


@step("pass health gate")
async def pass_health_gate(session: Session, expected_version: str | None) -> GateResult:
    """Ask every domain at every address until the gate is decided.

    Args:
        session: The application.
        expected_version: Text that proves the right version, None where that is not configured.
    """
    result = await ask_application(
        session.config,
        session.resolver,
        expected_version,
        on_round=_tell,
        login=session.security.login,
        redact=redaction_of(session),
    )
    report_findings(result.findings())
    return result


@step("read container log")
async def read_container_log(session: Session) -> tuple[str, ...]:
    """Show the last lines of the application's container, without secrets: why it is not healthy often stands there.

    Only what helps: where the log cannot be read, nothing is said and no line returned.
    """
    try:
        application = await find_application(session.client, session.config)
        log = await session.client.applications.logs(application.uuid, _LOG_LINES) if application else ""
    except OperatorError:
        return ()
    redact = redaction_of(session)
    lines = tuple(line for raw in log.splitlines()[-_LOG_LINES:] if (line := plain_line(redact(raw))).strip())
    report_findings([container_log(session.config.application_name, lines)] if lines else [])
    return lines


def _tell(results: tuple[ProbeResult, ...]) -> None:
    for result in results:
        step_done(f"{result.url} {result.reason}")
