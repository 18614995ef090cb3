"""What Coolify's own words and a round of questions mean; pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from coolify.api.models import Application, Deployment, DeploymentStatus, Server
from coolify.config.monitoring import Thresholds
from coolify.exhaustion import DiskUse, judge_disk
from coolify.finding import Finding, Severity
from coolify.health import ProbeResult
from coolify.tls import HostCertificates
from coolify.wording import counted

__all__ = [
    "judge_answers",
    "judge_container",
    "judge_deployment",
    "judge_lifetime",
    "judge_restarts",
    "judge_server",
]

_PASSING: Final = frozenset({"starting", "restarting", "created"})
"""States that a container leaves by itself, or does not (reference 4.5): two looks tell."""


def judge_answers(answers: Sequence[ProbeResult], thresholds: Thresholds) -> tuple[Finding, ...]:
    """Say what one round of questions has shown."""
    return tuple(_answer(one, thresholds.latency) for one in answers)


def _answer(answer: ProbeResult, latency: float | None) -> Finding:
    if not answer.ok:
        return Finding(
            name="watch-not-healthy",
            severity=Severity.ERROR,
            subject=answer.url,
            summary=f"{answer.url} {answer.reason}.",
            remedy="Read the application's log with `coolify monitor logs`, and ask the same by hand.",
        )
    if latency is not None and answer.status is not None and answer.seconds > latency:
        return Finding(
            name="watch-slow",
            severity=Severity.WARNING,
            subject=answer.url,
            summary=f"{answer.url} answered after {answer.seconds:.2f} s, {latency:g} s are allowed.",
            remedy="Look at the load of the server, and at `monitoring.thresholds.latency`.",
        )
    return Finding(
        name="watch-healthy", severity=Severity.OK, subject=answer.url, summary=f"{answer.url} {answer.reason}."
    )


def judge_lifetime(seen: HostCertificates, days: int | None, now: datetime) -> tuple[Finding, ...]:
    """Return a warning where a certificate is valid for fewer days than wanted."""
    ends = [one.certificate.not_after for one in seen.handshakes if one.certificate]
    if days is None or not ends or not now <= min(ends) < now + timedelta(days=days):
        return ()
    left = (min(ends) - now).days
    return (
        Finding(
            name="watch-certificate-short",
            severity=Severity.WARNING,
            subject=seen.host,
            summary=f"The certificate of {seen.host} is valid for {counted(left, 'more day')}, {days} are wanted.",
            remedy="Run `coolify ssl renew`; `monitoring.thresholds.certificate_days` says how many are wanted.",
        ),
    )


def judge_container(application: Application) -> Finding:
    """Say what Coolify's state of an application means (reference 4.5)."""
    state = application.parsed_status
    name, seen = application.name, f"Coolify: {application.status}"
    if state.is_running and state.health != "unhealthy":
        return Finding(
            name="watch-container-runs", severity=Severity.OK, subject=name, summary=f"{name} runs.", evidence=(seen,)
        )
    if state.is_running:
        return Finding(
            name="watch-container-unhealthy",
            severity=Severity.ERROR,
            subject=name,
            summary=f"{name} runs, and Docker's own check of it fails.",
            evidence=(seen,),
            remedy="Read the container's log with `coolify monitor logs`; `health.container` says what is checked.",
        )
    if state.state in _PASSING:
        return Finding(
            name="watch-container-starting",
            severity=Severity.WARNING,
            subject=name,
            summary=f"The container of {name} is {state.state}.",
            evidence=(seen,),
            remedy="When it stays so, it ends again and again: read its log with `coolify monitor logs`.",
        )
    return Finding(
        name="watch-container-stopped",
        severity=Severity.ERROR,
        subject=name,
        summary=f"{name} does not run: Coolify calls it {state.state}.",
        evidence=(seen,),
        remedy="Start it in Coolify or with `coolify deploy`, and read the log of its latest deployment.",
    )


def judge_restarts(name: str, history: Sequence[tuple[datetime, int]], most: int, now: datetime) -> tuple[Finding, ...]:
    """Return a warning where a container was restarted too often within the last hour.

    Args:
        name: Application.
        history: When Coolify's count was seen to change and to what, oldest first; one that falls began anew.
        most: Restarts from which on it is told.
        now: The time here.
    """
    grown = sum(
        max(0, after - before) for (_, before), (at, after) in pairwise(history) if now - at <= timedelta(hours=1)
    )
    if grown < most:
        return ()
    return (
        Finding(
            name="watch-container-restarts",
            severity=Severity.WARNING,
            subject=name,
            summary=f"The container of {name} was restarted {counted(grown, 'time')} within the last hour.",
            remedy="Read its log with `coolify monitor logs`; look whether it runs out of memory.",
        ),
    )


def judge_deployment(name: str, newest: Deployment | None, now: datetime, longest: float) -> tuple[Finding, ...]:
    """Say what became of the latest deployment.

    Args:
        name: Application.
        newest: Its newest production deployment.
        now: The time here.
        longest: Seconds that a deployment may take.
    """
    if newest is None:
        return ()
    what = f"The latest deployment of {name} ({newest.commit[:12]})"
    if newest.status is DeploymentStatus.FAILED:
        return (
            Finding(
                name="watch-deployment-failed",
                severity=Severity.WARNING,
                subject=name,
                summary=f"{what} failed: what served before goes on serving.",
                evidence=(newest.deployment_uuid,),
                remedy="Run `coolify build diagnose`, and release again.",
            ),
        )
    began = newest.created_at
    if not newest.status.is_terminal and began is not None and (now - began).total_seconds() > longest:
        minutes = (now - began).total_seconds() / 60
        return (
            Finding(
                name="watch-deployment-stuck",
                severity=Severity.WARNING,
                subject=name,
                summary=f"{what} is {newest.status.value} for {minutes:.0f} minutes.",
                evidence=(newest.deployment_uuid,),
                remedy="Look at it with `coolify deploy logs`, and cancel it with `coolify deploy cancel`.",
            ),
        )
    return (
        Finding(
            name="watch-deployment-ended",
            severity=Severity.OK,
            subject=name,
            summary=f"{what} is {newest.status.value}.",
        ),
    )


def judge_server(server: Server, disk: DiskUse | None, thresholds: Thresholds) -> tuple[Finding, ...]:
    """Say whether Coolify reaches a server and can use it, and how full its disk is.

    Args:
        server: The server.
        disk: How full its disk was when Coolify measured it last, None where that is not known.
        thresholds: Share of the disk from which on it is told, where it is not Coolify's own.
    """
    settings, name = server.settings, server.name
    if not settings.is_reachable:
        return (
            Finding(
                name="watch-server-unreachable",
                severity=Severity.ERROR,
                subject=name,
                summary=f"Coolify does not reach the server {name} ({server.ip}).",
                remedy="Check that it is up and that its SSH port is open to Coolify; validate it in Coolify then.",
            ),
        )
    if not settings.is_usable:
        return (
            Finding(
                name="watch-server-unusable",
                severity=Severity.ERROR,
                subject=name,
                summary=f"Coolify reaches the server {name} ({server.ip}) and cannot use it.",
                remedy="Validate it in Coolify: Docker is missing, too old, or does not answer.",
            ),
        )
    usable = Finding(
        name="watch-server-usable", severity=Severity.OK, subject=name, summary=f"Coolify can use the server {name}."
    )
    return (usable, judge_disk(_with_threshold(server, thresholds.disk_percent), disk))


def _with_threshold(server: Server, percent: int | None) -> Server:
    if percent is None:
        return server
    settings = server.settings.model_copy(update={"server_disk_usage_notification_threshold": percent})
    return server.model_copy(update={"settings": settings})
