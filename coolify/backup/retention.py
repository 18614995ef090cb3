"""What retention deletes, known before it does, and refused where it would take the only proved restore point."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from coolify.config.backups import Retention
from coolify.finding import Finding, Severity

__all__ = ["Point", "RetentionPlan", "plan_retention", "retention_findings"]


@dataclass(frozen=True, slots=True)
class Point:
    """A successful backup that retention may delete."""

    id: str
    made: datetime
    size: int


@dataclass(frozen=True, slots=True)
class RetentionPlan:
    """What stays and what goes, newest first."""

    keep: tuple[Point, ...]
    delete: tuple[Point, ...]


def plan_retention(points: Sequence[Point], retention: Retention) -> RetentionPlan:
    """Return what Coolify deletes after its next backup.

    Each limit counts for itself and 0 is none; ages count from the newest backup and not from now, so that a schedule
    that has stopped deletes nothing; the newest always stays.

    Args:
        points: Successful backups in one place, in any order.
        retention: The limits.
    """
    ordered = sorted(points, key=lambda one: one.made, reverse=True)
    if not ordered:
        return RetentionPlan((), ())
    oldest = ordered[0].made - timedelta(days=retention.days) if retention.days else None
    most = retention.gigabytes * 1024**3
    keep, total = [ordered[0]], ordered[0].size
    delete: list[Point] = []
    for index, point in enumerate(ordered[1:], start=1):
        total += point.size
        too_many = bool(retention.amount) and index >= retention.amount
        too_old = oldest is not None and point.made < oldest
        too_large = bool(most) and total > most
        (delete if too_many or too_old or too_large else keep).append(point)
    return RetentionPlan(tuple(keep), tuple(delete))


def retention_findings(subject: str, plan: RetentionPlan, proved: Collection[str]) -> tuple[Finding, ...]:
    """Refuse a retention that deletes the last backup known to restore.

    Args:
        subject: What is backed up, as findings name it.
        plan: What would stay and go.
        proved: Ids of the points whose restore was seen.
    """
    lost = [one for one in plan.delete if one.id in proved]
    if not lost or any(one.id in proved for one in plan.keep):
        return ()
    newest = max(lost, key=lambda one: one.made)
    return (
        Finding(
            name="backup-retention-deletes-proof",
            severity=Severity.ERROR,
            subject=subject,
            summary=f"This retention would delete the only backup of {subject} whose restore was seen "
            f"({newest.made:%Y-%m-%d %H:%M} UTC).",
            evidence=tuple(f"would stay unproved: {one.made:%Y-%m-%d %H:%M} UTC" for one in plan.keep[:5]),
            remedy="Prove the newest backup first: `coolify backup verify`. Then change the retention.",
        ),
    )
