"""What visitors see of an application: its answers, its certificates, its names. Needs no access to Coolify."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from coolify.config.monitoring import Aspect
from coolify.dns import DomainStatus, Resolver
from coolify.finding import Severity
from coolify.health import ProbeResult
from coolify.health.application import questions
from coolify.monitor.judge import judge_answers, judge_lifetime
from coolify.monitor.model import Measure, Metric, Observation
from coolify.monitor.watched import Watched
from coolify.security import resolve_security
from coolify.tls import HostCertificates, TlsPolicy, hosts_of, inspect_hosts, judge_host

__all__ = ["observe_certificates", "observe_dns", "observe_health"]


async def observe_health(watched: Watched, resolver: Resolver, environ: Mapping[str, str]) -> Observation | None:
    """Ask every question once; None where there is none.

    Raises:
        ConfigError: A variable with a password that visitors are asked for is not set.
    """
    config = watched.config
    login = resolve_security(config, environ).login
    asks = await questions(config, resolver, None, login, commands=False)
    if not asks:
        return None
    answers = await asyncio.gather(*(ask() for ask in asks))
    findings = judge_answers(answers, config.monitoring.thresholds)
    return Observation(
        aspect=Aspect.HEALTH,
        at=datetime.now(UTC),
        # Several addresses under one URL are one subject: what is wrong at one of them counts.
        findings=tuple(sorted(findings, key=lambda one: -one.severity.rank)),
        measures=(Measure(metric=Metric.UP, value=float(all(one.ok for one in answers))), *_latencies(answers)),
    )


def _latencies(answers: Iterable[ProbeResult]) -> Iterable[Measure]:
    slowest: dict[str, float] = {}
    for one in answers:
        if one.status is not None:
            slowest[one.url] = max(slowest.get(one.url, 0.0), one.seconds)
    return (Measure(metric=Metric.LATENCY, value=seconds, detail=url) for url, seconds in slowest.items())


async def observe_certificates(watched: Watched, resolver: Resolver) -> Observation | None:
    """Shake hands with every HTTPS domain at every address; None where there is none."""
    config = watched.config
    hosts = hosts_of(config)
    if not hosts:
        return None
    seen = await inspect_hosts(config, resolver, hosts)
    now = datetime.now(UTC)
    days = config.monitoring.thresholds.certificate_days
    findings = [
        finding for one in seen for finding in (*judge_host(one, TlsPolicy(), now), *judge_lifetime(one, days, now))
    ]
    return Observation(
        aspect=Aspect.CERTIFICATE, at=now, findings=tuple(findings), measures=tuple(_lifetimes(seen, now))
    )


def _lifetimes(seen: Iterable[HostCertificates], now: datetime) -> Iterable[Measure]:
    for host in seen:
        ends = [one.certificate.not_after for one in host.handshakes if one.certificate]
        if ends:
            yield Measure(metric=Metric.CERTIFICATE, value=(min(ends) - now).total_seconds(), detail=host.host)


def observe_dns(statuses: Iterable[DomainStatus]) -> Observation:
    """Say what was seen of the names of an application; hints are left out."""
    there = tuple(statuses)
    return Observation(
        aspect=Aspect.DNS,
        at=datetime.now(UTC),
        findings=tuple(finding for one in there for finding in one.findings if finding.severity is not Severity.INFO),
        measures=tuple(Measure(metric=Metric.DNS_OK, value=float(one.is_ready), detail=one.host) for one in there),
    )
