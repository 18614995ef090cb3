"""Want of disk or memory: how it is seen beforehand and afterwards, and which ways out there are.

Coolify's API has no metrics (reference 6.1). What it tells of a server's disk is the message of each cleaning of
Docker, which measures before and after, and that its own warning about the disk was sent. Everything here is pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final

from coolify.api.models import Deployment, DeploymentStatus, Server
from coolify.api.server_administration import CleanupRun
from coolify.api.servers import DockerCleanup
from coolify.build import Diagnosis
from coolify.config.quantities import parse_quantity
from coolify.config.resources import Resources
from coolify.finding import Finding, Severity

__all__ = [
    "FULL",
    "DiskUse",
    "Shortage",
    "cleaning_obstacle",
    "disk_use",
    "judge_disk",
    "judge_queue",
    "obstacles",
    "raised_limits",
    "shortage_of",
]

FULL: Final = 95
"""Percent of the disk from which a release does not simply go on: an image takes gigabytes for a while."""
_LONG_QUEUE: Final = 0.8
_STALE: Final = timedelta(days=2)
"""Coolify cleans every night by default; what it saw before that says nothing about now."""
_MEASURED: Final = re.compile(r"Disk usage (?:before|after): (\d{1,3})%")
_CLEANING: Final = "cleaning up Docker frees disk, not memory"
_GROWTH: Final = 2
_UNITS: Final = (("Gi", 1024**3), ("Mi", 1024**2), ("G", 1000**3), ("M", 1000**2), ("Ki", 1024))


class Shortage(StrEnum):
    """What there is too little of."""

    DISK = "disk"
    MEMORY = "memory"
    """Of the running container; a build takes the server's, which no setting enlarges."""


@dataclass(frozen=True, slots=True)
class DiskUse:
    """How full the disk of a server was."""

    percent: int
    seen: datetime | None
    """When; None where that is not known."""


def disk_use(runs: Iterable[CleanupRun], now: datetime) -> DiskUse | None:
    """Return what the newest cleaning that measured has seen last, None where none did or it is long ago.

    Args:
        runs: Cleanings, newest first.
        now: The present.
    """
    for run in runs:
        if run.created_at is not None and now - run.created_at > _STALE:
            return None
        if measured := _MEASURED.findall(run.message or ""):
            return DiskUse(min(int(measured[-1]), 100), run.created_at)
    return None


def judge_disk(server: Server, use: DiskUse | None) -> Finding:
    """Tell whether the server's disk has room, as far as Coolify knows.

    Args:
        server: The server; its own threshold for warnings counts.
        use: How full the disk was, None where that is not known.
    """
    threshold = server.settings.server_disk_usage_notification_threshold
    if use is None:
        if server.high_disk_usage_notification_sent:
            summary = f"Coolify has warned of the disk of {server.name}: it is used to more than {threshold} %."
            return _disk(server, "server-disk-low", Severity.WARNING, summary, ())
        summary = f"How full the disk of {server.name} is, Coolify does not tell."
        return _disk(server, "server-disk-unknown", Severity.INFO, summary, ())
    when = f", as measured {use.seen:%Y-%m-%d %H:%M} UTC" if use.seen else ""
    evidence = (f"{use.percent} % used{when}", f"threshold for warnings: {threshold} %")
    summary = f"The disk of {server.name} is used to {use.percent} %."
    if use.percent >= FULL:
        return _disk(server, "server-disk-full", Severity.ERROR, summary, evidence)
    if use.percent >= threshold:
        return _disk(server, "server-disk-low", Severity.WARNING, summary, evidence)
    return _disk(server, "server-disk-ready", Severity.OK, summary, evidence)


def _disk(server: Server, name: str, severity: Severity, summary: str, evidence: tuple[str, ...]) -> Finding:
    remedy = "Make room: clean up Docker (Coolify: Servers, Docker Cleanup), remove what nobody uses, enlarge the disk."
    return Finding(
        name=name,
        severity=severity,
        subject=server.name,
        summary=summary,
        evidence=evidence,
        remedy=remedy if severity.rank > Severity.INFO.rank else "",
    )


def judge_queue(server: Server, running: Iterable[Deployment]) -> Finding | None:
    """Tell of a deployment queue that is nearly full, None where there is room.

    Args:
        server: The server.
        running: All deployments of the team that have not ended.
    """
    limit = server.settings.deployment_queue_limit
    waiting = [one for one in running if one.server_name == server.name and one.status is DeploymentStatus.QUEUED]
    if len(waiting) < limit * _LONG_QUEUE:
        return None
    return Finding(
        name="server-queue-long",
        severity=Severity.WARNING,
        subject=server.name,
        summary=f"{len(waiting)} deployments wait on {server.name}, which takes {limit}.",
        evidence=tuple(f"{one.application_name or one.deployment_uuid} waits" for one in waiting[:10]),
        remedy="Expect to wait; a dead deployment at the head is named once ours waits behind it.",
    )


def shortage_of(causes: Sequence[Diagnosis]) -> Shortage | None:
    """Return what a failed deployment was short of, None where that is not its cause."""
    return next((_SHORTAGES[cause.rule.name] for cause in causes if cause.rule.name in _SHORTAGES), None)


_SHORTAGES: Final = {"build-out-of-disk": Shortage.DISK, "start-out-of-memory": Shortage.MEMORY}


def cleaning_obstacle(cleanup: DockerCleanup) -> str:
    """Return why Coolify must not be told to clean a server, empty where it may.

    A cleaning follows the server's settings, and some of them delete what a rollback or an operator counts on.
    """
    if cleanup.disable_application_image_retention:
        return "the server keeps no images, so that cleaning up would delete those for rollbacks"
    if cleanup.delete_unused_volumes:
        return "the server is set to delete unused volumes when it is cleaned, with their data"
    return ""


def obstacles(shortage: Shortage, resources: Resources, *, cleaning: str, writing: str) -> dict[str, str]:
    """Return the options of the decision `resource-limit` that cannot be taken, with the reason.

    Args:
        shortage: What there is too little of.
        resources: The configured limits.
        cleaning: Why the server cannot be cleaned, empty where it can.
        writing: Why the configuration file cannot be changed, empty where it can.
    """
    if shortage is Shortage.DISK:
        found = {"scale": "Coolify cannot enlarge a disk", "optimize": cleaning}
    elif resources.memory is None:
        found = {"scale": "no resources.memory is set: it is the server that is short of memory", "optimize": _CLEANING}
    else:
        found = {"scale": writing, "optimize": _CLEANING}
    return {option: why for option, why in found.items() if why}


def raised_limits(resources: Resources) -> dict[str, str]:
    """Return the limits of memory that are to be instead of the present ones, by their keys: twice as much.

    >>> raised_limits(Resources(memory="512Mi", memory_swap="1500M"))
    {'memory': '1Gi', 'memory_swap': '3G'}
    """
    limits = {"memory": resources.memory, "memory_swap": resources.memory_swap}
    return {key: _written(parse_quantity(value) * _GROWTH) for key, value in limits.items() if value is not None}


def _written(quantity: Decimal) -> str:
    whole = int(quantity)
    return next((f"{whole // size}{unit}" for unit, size in _UNITS if whole % size == 0), str(whole))
