"""The restore points of a database that are on record, and whether the last proof is still young enough."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from coolify.backup.proof import RestorePoint
from coolify.finding import Finding, Severity

__all__ = ["RestorePointStore", "last_proved", "not_fetched", "overdue", "remember"]

_KEPT = 30


class RestorePointStore(Protocol):
    """Where restore points are kept."""

    async def load(self, database_uuid: str) -> tuple[RestorePoint, ...]:
        """Return the points of a database, oldest first."""

    async def save(self, database_uuid: str, points: Sequence[RestorePoint]) -> None:
        """Replace the points of a database."""


def last_proved(points: Sequence[RestorePoint]) -> RestorePoint | None:
    """Return the point whose proof is the youngest."""
    return max((one for one in points if one.proved), key=lambda one: one.proved_at, default=None)


def remember(points: Sequence[RestorePoint], new: RestorePoint) -> tuple[RestorePoint, ...]:
    """Add a point; old ones are forgotten, the last proved one never."""
    others = sorted((*points, new), key=lambda one: one.proved_at)
    kept = others[-_KEPT:]
    proved = last_proved(others)
    return tuple(kept if proved is None or proved in kept else [proved, *kept[1:]])


def overdue(subject: str, points: Sequence[RestorePoint], max_age_days: float, now: datetime) -> Finding | None:
    """Return a finding where nobody has seen a restore for too long.

    Args:
        subject: The database.
        points: Its restore points.
        max_age_days: Days that a proof is good for.
        now: The time here.
    """
    proved = last_proved(points)
    if proved is not None and now - proved.proved_at <= timedelta(days=max_age_days):
        return None
    seen = f"the last restore was seen on {proved.proved_at:%Y-%m-%d}" if proved else "no restore was ever seen"
    return Finding(
        name="restore-proof-overdue",
        severity=Severity.ERROR,
        subject=subject,
        summary=f"The backups of {subject} are not proved: {seen}, one is due every {max_age_days:g} days.",
        remedy="Run `coolify backup verify`, and the deployment `verify backups` on a schedule.",
    )


def not_fetched(subject: str, why: str) -> Finding:
    """Return the finding for a database of which no dump can be proved.

    Args:
        subject: The database.
        why: A sentence.
    """
    return Finding(
        name="backup-not-fetched",
        severity=Severity.ERROR,
        subject=subject,
        summary=f"No dump of {subject} can be fetched to be proved: {why}",
        remedy="Check `backups.schedules` and `backups.storages`, and the free space below TMPDIR.",
    )
