"""How deployments that do not get on are told."""

from __future__ import annotations

from collections.abc import Iterable

from coolify.api.models import Deployment
from coolify.deployment.stages import Overdue, Stage
from coolify.finding import Finding, Severity

__all__ = ["blocked", "queue_full", "stuck"]


def stuck(subject: str, deployment_uuid: str, overdue: Overdue, last_line: str) -> Finding:
    """Tell of our own deployment that took too long."""
    what = "The deployment" if overdue.is_total else f"The stage '{overdue.stage}' of the deployment"
    key = "release.deploy_timeout" if overdue.is_total else f"release.stage_timeouts.{overdue.stage}"
    return Finding(
        name="deployment-stuck",
        severity=Severity.ERROR,
        subject=subject,
        summary=f"{what} {deployment_uuid} took longer than {overdue.limit:g} s.",
        evidence=(f"stage: {overdue.stage}", *((f"last line: {last_line}",) if last_line else ())),
        remedy=(
            "Look at what is before it in Coolify's queue, and cancel there what does not move."
            if overdue.stage is Stage.QUEUED
            else f"Read the log with `coolify deploy logs --debug`; if it only needs longer, raise `{key}`."
        ),
    )


def blocked(subject: str, blocker: Deployment, silent_seconds: float, *, ours: bool) -> Finding:
    """Tell of a running deployment before ours of which nothing is heard any more."""
    name = blocker.application_name or "another application"
    return Finding(
        name="deployment-blocked",
        severity=Severity.WARNING,
        subject=subject,
        summary=(
            f"The deployment {blocker.deployment_uuid} of {name} is in progress, has written nothing for more than "
            f"{silent_seconds:.0f} s, and holds up the queue."
        ),
        evidence=(f"in progress since {blocker.created_at:%Y-%m-%d %H:%M:%S} UTC",) if blocker.created_at else (),
        remedy=(
            "It is of this application and is cancelled."
            if ours
            else f"It is not ours to cancel. If it is dead: coolify deploy cancel {blocker.deployment_uuid}"
        ),
    )


def queue_full(subject: str, running: Iterable[Deployment], waiting_seconds: float) -> Finding:
    """Tell that Coolify takes no deployment at the moment."""
    waiting = tuple(running)
    return Finding(
        name="deployment-queue-full",
        severity=Severity.WARNING,
        subject=subject,
        summary=f"The server's deployment queue is full; it is tried again for up to {waiting_seconds:.0f} s.",
        evidence=tuple(
            f"{one.application_name or 'unknown'} {one.deployment_uuid}: {one.status.value}" for one in waiting[:10]
        ),
        remedy="Wait, or cancel deployments that do not move: coolify deploy cancel DEPLOYMENT",
    )
