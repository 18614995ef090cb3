"""The truth about backups. Coolify says `success` also when an upload failed (trap 27); evidence decides.

Sources: reference 5.3 (fields, trap 27) and Coolify's own job, which uploads a dump under the path that it has on the
server.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Final, Protocol

from coolify.api.backups import BackupExecution, BackupSchedule, BackupStatus
from coolify.finding import Finding, Severity
from coolify.wording import counted

__all__ = ["BucketUnreadable", "ObjectMissing", "ObjectSeen", "Sighting", "judge_execution", "judge_schedule", "key_of"]

_SKEW: Final = timedelta(minutes=5)
_LEAST_FOR_TREND: Final = 3
_GRACE: Final = timedelta(hours=1)
"""How much later than one and a half intervals a backup may come."""


@dataclass(frozen=True, slots=True)
class ObjectSeen:
    """An object in the bucket, as HEAD tells it."""

    key: str
    size: int
    etag: str
    modified: datetime
    etag_is_md5: bool = True
    """False where the bucket encrypts so that it is none; one of several parts has a hyphen in it."""


@dataclass(frozen=True, slots=True)
class ObjectMissing:
    """The bucket was read and has no such object."""

    key: str


@dataclass(frozen=True, slots=True)
class BucketUnreadable:
    """The bucket could not be read, so that nothing is known."""

    reason: str


Sighting = ObjectSeen | ObjectMissing | BucketUnreadable
"""What a look into the bucket gave."""


class _Maker(Protocol):
    """Makes a finding about the execution at hand."""

    def __call__(self, name: str, severity: Severity, summary: str, remedy: str = "") -> Finding: ...


def key_of(execution: BackupExecution) -> str | None:
    """Return the key of the copy in the bucket: the path on the server without the leading slash."""
    return execution.filename.lstrip("/") if execution.filename else None


def judge_execution(
    subject: str,
    execution: BackupExecution,
    *,
    save_s3: bool,
    sighting: Sighting | None,
    earlier: Sequence[BackupExecution] = (),
    shrink_percent: int = 50,
    now: datetime,
    timeout: float = 3600,
) -> tuple[Finding, ...]:
    """Say what an execution is worth.

    Args:
        subject: What is backed up, as findings name it.
        execution: The execution.
        save_s3: Whether a copy in the bucket is wanted.
        sighting: What a look into the bucket gave; None when nobody could look.
        earlier: Executions before it, newest first, for the trend of sizes.
        shrink_percent: How much smaller than the median of the last ones is worth a word.
        now: The time here; the server's may differ.
        timeout: Seconds that it may run.

    Returns:
        One finding or more; an error among them means: this is no backup.
    """
    evidence = _evidence(execution, sighting)

    def found(name: str, severity: Severity, summary: str, remedy: str = "") -> Finding:
        return Finding(name=name, severity=severity, subject=subject, summary=summary, evidence=evidence, remedy=remedy)

    notes = list(_clock(subject, execution, now))
    if execution.status is BackupStatus.RUNNING:
        age = (now - execution.created_at).total_seconds() if execution.created_at else 0.0
        if age > timeout:
            return (
                found(
                    "backup-stuck",
                    Severity.ERROR,
                    f"The backup of {subject} has been running for {age / 60:.0f} minutes; {timeout / 60:.0f} are "
                    "allowed.",
                    "Look at the execution in Coolify; a restart of Coolify leaves such rows behind. Run it again.",
                ),
                *notes,
            )
        return (found("backup-running", Severity.INFO, f"A backup of {subject} is running."), *notes)
    if execution.status is BackupStatus.FAILED and not _arrived(execution, sighting):
        why = f": {_first_line(execution.message)}" if execution.message else "."
        return (
            found(
                "backup-failed",
                Severity.ERROR,
                f"The backup of {subject} failed{why}",
                "Read the message; usual are a database that does not run, a changed password, a full disk.",
            ),
            *notes,
        )
    problems = [*_upload(found, execution, sighting)] if save_s3 else [_local_only(found, subject)]
    if not (execution.size or 0):
        problems.append(
            found(
                "backup-empty",
                Severity.ERROR,
                f"The backup of {subject} has no content.",
                "Look at the message of the execution in Coolify and run the backup again.",
            )
        )
    problems += _trend(found, subject, execution, earlier, shrink_percent)
    if execution.status is BackupStatus.FAILED:
        problems.append(
            found(
                "backup-false-alarm",
                Severity.INFO,
                f"Coolify calls the backup of {subject} failed, but the whole dump is in the bucket.",
                "Trust the proof by restore: run `coolify backup verify`.",
            )
        )
    if not any(one.severity.rank >= Severity.WARNING.rank for one in problems):
        where = "in the bucket" if save_s3 else "on the server"
        size = counted(execution.size or 0, "byte")
        problems.append(found("backup-good", Severity.OK, f"The backup of {subject} is {where}: {size}."))
    return (*problems, *notes)


def judge_schedule(
    subject: str, schedule: BackupSchedule, interval: timedelta | None, now: datetime
) -> tuple[Finding, ...]:
    """Say whether a schedule does what it is for: it runs, and not too long ago.

    Args:
        subject: What is backed up, as findings name it.
        schedule: The schedule with its executions, newest first.
        interval: Time between two runs; None when unknown.
        now: The time here.
    """
    if not schedule.enabled:
        return (
            Finding(
                name="backup-schedule-disabled",
                severity=Severity.WARNING,
                subject=subject,
                summary=f"The schedule {schedule.frequency} of {subject} is switched off.",
                remedy="Switch it on with `coolify backup configure`, or set `enabled: false` in the configuration.",
            ),
        )
    times = [one.created_at for one in schedule.executions if one.created_at and one.status is BackupStatus.SUCCESS]
    allowed = interval * 1.5 + _GRACE if interval is not None else None
    if (
        not times
        and allowed
        and schedule.created_at
        and not schedule.executions
        and now < schedule.created_at + allowed
    ):
        return (
            Finding(
                name="backup-not-due",
                severity=Severity.INFO,
                subject=subject,
                summary=f"The schedule {schedule.frequency} of {subject} is new and has not run yet.",
                remedy="Nothing, or `coolify backup run` now.",
            ),
        )
    if not times:
        return (
            Finding(
                name="backup-none",
                severity=Severity.ERROR,
                subject=subject,
                summary=f"There is no successful backup of {subject} by the schedule {schedule.frequency} yet.",
                remedy="Run one now: `coolify backup run`.",
            ),
        )
    age = now - max(times)
    if interval is not None and allowed is not None and age > allowed:
        return (
            Finding(
                name="backup-overdue",
                severity=Severity.ERROR,
                subject=subject,
                summary=f"The last successful backup of {subject} is {_span(age)} old; one is due every "
                f"{_span(interval)}.",
                evidence=(f"last: {max(times):%Y-%m-%d %H:%M} UTC", f"schedule: {schedule.frequency}"),
                remedy="Look whether Coolify's scheduler runs and the server is reachable, then `coolify backup run`.",
            ),
        )
    return ()


def _arrived(execution: BackupExecution, sighting: Sighting | None) -> bool:
    """Whether a whole copy lies in the bucket although Coolify calls the execution failed."""
    return (
        isinstance(sighting, ObjectSeen)
        and execution.s3_uploaded is True
        and bool(execution.size)
        and sighting.size == execution.size
    )


def _upload(found: _Maker, execution: BackupExecution, sighting: Sighting | None) -> list[Finding]:
    if execution.upload_failed:
        return [
            found(
                "backup-upload-failed",
                Severity.ERROR,
                f"The dump was made, but its upload failed: {_first_line(execution.message) or 'no message'}",
                "Check the bucket with `coolify backup configure`, then run the backup again.",
            )
        ]
    match sighting:
        case ObjectMissing(key):
            return [
                found(
                    "backup-object-missing",
                    Severity.ERROR,
                    f"Coolify calls the backup a success, but the bucket has no object {key}.",
                    "Somebody deleted it, a lifecycle rule of the bucket did, or it went into another bucket. Run the "
                    "backup again and look.",
                )
            ]
        case ObjectSeen(size=size) if execution.size is not None and size != execution.size:
            return [
                found(
                    "backup-object-differs",
                    Severity.ERROR,
                    f"The object in the bucket has {size} bytes, the dump had {execution.size}.",
                    "The upload was cut off: run the backup again.",
                )
            ]
        case BucketUnreadable(reason):
            return [
                found(
                    "backup-bucket-unreadable",
                    Severity.ERROR,
                    f"The bucket cannot be read, so nobody knows whether the copy is there: {reason}",
                    "Check endpoint, bucket and keys in `backups.storages`.",
                )
            ]
        case _:
            pass
    if execution.s3_uploaded is None:
        seen = " An object of that name is there, but Coolify did not say that it is whole." if sighting else ""
        return [
            found(
                "backup-upload-unproved",
                Severity.ERROR,
                f"The schedule saves to S3, but the execution does not say that anything was uploaded.{seen}",
                "The schedule may have no storage: run `coolify backup configure`, then `coolify backup run`.",
            )
        ]
    return []


def _local_only(found: _Maker, subject: str) -> Finding:
    return found(
        "backup-local-only",
        Severity.WARNING,
        f"The backup of {subject} lies on the server itself, and the API has no way to fetch it.",
        "Name a bucket in `backups.schedules`, or copy the file by SSH and prove it by `coolify backup verify --file`.",
    )


def _trend(
    found: _Maker, subject: str, execution: BackupExecution, earlier: Sequence[BackupExecution], percent: int
) -> list[Finding]:
    sizes = [one.size for one in earlier if one.status is BackupStatus.SUCCESS and one.size][:10]
    if len(sizes) < _LEAST_FOR_TREND or not execution.size:
        return []
    usual = median(sizes)
    if execution.size >= usual * (100 - percent) / 100:
        return []
    return [
        found(
            "backup-shrunk",
            Severity.WARNING,
            f"The backup of {subject} has {execution.size} bytes, {100 - execution.size * 100 / usual:.0f} % less than "
            f"the usual {usual:.0f}.",
            "Look whether data was deleted: the backups before it are kept only for a while.",
        )
    ]


def _clock(subject: str, execution: BackupExecution, now: datetime) -> list[Finding]:
    if execution.created_at is None or execution.created_at.astimezone(UTC) <= now + _SKEW:
        return []
    ahead = execution.created_at - now
    return [
        Finding(
            name="backup-clock-skew",
            severity=Severity.WARNING,
            subject=subject,
            summary=f"The backup of {subject} was made {_span(ahead)} in the future: a clock is wrong.",
            evidence=(f"backup: {execution.created_at:%Y-%m-%d %H:%M:%S} UTC", f"here: {now:%Y-%m-%d %H:%M:%S} UTC"),
            remedy="Let both machines keep time (NTP): ages, retention and schedules depend on it.",
        )
    ]


def _evidence(execution: BackupExecution, sighting: Sighting | None) -> tuple[str, ...]:
    uploaded = {True: "yes", False: "no", None: "not said"}[execution.s3_uploaded]
    facts = [
        f"status: {execution.status.value}",
        f"uploaded: {uploaded}",
        f"size: {execution.size if execution.size is not None else 'unknown'}",
    ]
    if execution.created_at:
        facts.append(f"made: {execution.created_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC")
    match sighting:
        case ObjectSeen(key, size):
            facts.append(f"in the bucket: {key}, {size} bytes")
        case ObjectMissing():
            facts.append("in the bucket: nothing")
        case BucketUnreadable():
            facts.append("in the bucket: not known")
        case None:
            pass
    return tuple(facts)


def _first_line(message: str | None) -> str:
    return next((line.strip() for line in (message or "").splitlines() if line.strip()), "")[:300]


def _span(span: timedelta) -> str:
    hours = span.total_seconds() / 3600
    if hours < 1:
        return f"{hours * 60:.0f} minutes"
    return f"{hours:.0f} hours" if hours < 72 else f"{hours / 24:.0f} days"
