"""Judge: ports and redirects of the host."""

from __future__ import annotations

from coolify.dns.settings import Ports
from coolify.dns.survey import PortState, Survey
from coolify.finding import Finding, Severity

__all__ = ["judge_ports", "judge_redirects"]


def judge_ports(survey: Survey, ports: Ports | None) -> tuple[Finding, ...]:
    """Find closed ports; an address that this machine has no way to says nothing."""
    if ports is None or not survey.reach:
        return ()
    closed = [one for one in survey.reach if one.state in {PortState.REFUSED, PortState.SILENT}]
    evidence = tuple(f"{one.address} port {one.port}: {one.state}" for one in survey.reach)
    if not closed:
        if not any(one.state is PortState.OPEN for one in survey.reach):
            return ()
        numbers = sorted({one.port for one in survey.reach})
        return (
            Finding(
                name="domain-reachable",
                severity=Severity.OK,
                subject=survey.host,
                summary=f"{survey.host} takes connections on {' and '.join(f'port {one}' for one in numbers)}.",
                evidence=evidence,
            ),
        )
    where = ", ".join(f"{one.address} port {one.port}" for one in closed)
    return (
        Finding(
            name="domain-port-closed",
            severity=Severity.ERROR if ports.expected else Severity.WARNING,
            subject=survey.host,
            summary=f"{survey.host} takes no connection at {where}.",
            evidence=evidence,
            remedy="Open the port in the firewall of the server and of its provider, and start the proxy in Coolify "
            f"(Servers → Proxy). Port {ports.http} must be open for certificates, too.",
        ),
    )


def judge_redirects(survey: Survey, ports: Ports | None) -> tuple[Finding, ...]:
    """Find redirects that lead in a circle."""
    walk = survey.walk
    if ports is None or walk is None or not walk.loops:
        return ()
    return (
        Finding(
            name="domain-redirect-loop",
            severity=Severity.ERROR if ports.expected else Severity.WARNING,
            subject=survey.host,
            summary=f"The redirects of {survey.host} lead in a circle: browsers give up.",
            evidence=(*walk.steps, f"ended: {walk.end}"),
            remedy="Behind Cloudflare, set SSL/TLS to Full (strict). Otherwise application and proxy redirect to each "
            "other: let one of them decide about https and www.",
        ),
    )
