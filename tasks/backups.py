"""Backups: schedules in Coolify, executions followed and judged, dumps fetched and proved, results kept."""

from __future__ import annotations

import asyncio
import tempfile
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from prefect.artifacts import acreate_markdown_artifact
from prefect.events import emit_event

from blocks import BlockRestorePointStore
from coolify.api.backups import BackupSchedule, BackupStatus
from coolify.api.databases import Database
from coolify.backup.configuring import ScheduleChange, ensure_storage, write_schedule
from coolify.backup.engines import Connection
from coolify.backup.following import run_and_follow
from coolify.backup.objects import Bucket
from coolify.backup.proof import Origin, RestorePoint, prove
from coolify.backup.record import remember
from coolify.backup.report import render_restore_points
from coolify.backup.survey import Judged, Surveyed, buckets_of, judge_all, schedules_of, survey
from coolify.databases import find_databases
from coolify.finding import Finding
from coolify.wording import slug
from tasks.phases import report_findings, step_done
from tasks.session import Session
from tasks.steps import step

__all__ = [
    "ensure_storages",
    "keep_restore_point",
    "let_backups_end",
    "prove_object",
    "proved_executions",
    "publish_proofs",
    "restore_points",
    "run_backup",
    "survey_backups",
    "write_schedules",
]


@step("ensure storages")
async def ensure_storages(session: Session) -> dict[str, str]:
    """Make sure that Coolify knows the buckets and can use them; return key -> identifier."""
    known = {}
    for key in session.config.backups.storages:
        known[key], changed = await ensure_storage(session.client, session.config, key, session.environ)
        step_done(f"storage {key} can be used", changed=changed)
    return known


@step("write schedules")
async def write_schedules(session: Session, changes: tuple[ScheduleChange, ...]) -> None:
    """Bring the schedules of Coolify to what the configuration says."""
    for change in changes:
        await write_schedule(session.client, change)
        step_done(str(change), changed=change.kind != "unchanged")


@step("run backup", run_name="run backup {surveyed.key}")
async def run_backup(session: Session, surveyed: Surveyed, schedule: BackupSchedule) -> tuple[Judged, ...]:
    """Run a schedule now, follow its executions, and judge them beside their objects."""
    ours = await run_and_follow(
        session.client, surveyed.database, schedule, on_change=lambda state: step_done(f"{surveyed.key}: {state}")
    )
    uuids = {one.uuid for one in ours}
    # The list of schedules tells what the list of executions does not.
    whole = next(one for one in await session.client.backups.list(surveyed.database) if one.uuid == schedule.uuid)
    now = datetime.now(UTC)
    buckets = buckets_of(session.config, session.environ)
    judged = await judge_all(session.config, surveyed.key, whole, whole.executions, buckets, now, len(ours) + 5)
    mine = tuple(one for one in judged if one.execution.uuid in uuids)
    report_findings(finding for one in mine for finding in one.findings)
    return mine


@step("survey backups")
async def survey_backups(session: Session, only: str) -> tuple[Surveyed, ...]:
    """Look at the executions of all databases and at their objects."""
    return await survey(session.client, session.config, session.environ, datetime.now(UTC), only=only)


@step("prove dump", run_name="prove dump of {subject}")
async def prove_object(
    session: Session, subject: str, bucket: Bucket, key: str, execution: str | None, made: datetime | None
) -> RestorePoint:
    """Fetch a dump and restore it into a server that is thrown away.

    Args:
        session: The application.
        subject: Key of the database.
        bucket: Where the dump is.
        key: The object.
        execution: Coolify's identifier of the execution.
        made: When the dump was made.
    """
    proof = session.config.backups.proof_of(subject)
    server = Connection.parse(proof.server.resolve(session.environ)) if proof.server else None
    deadline = time.monotonic() + proof.timeout
    with tempfile.TemporaryDirectory(prefix="coolify-dump-") as folder:
        path = Path(folder) / "dump"
        stop = threading.Event()
        try:
            fetched = await asyncio.to_thread(bucket.fetch, key, path, deadline=deadline, stop=stop)
        finally:
            stop.set()
        step_done(f"{subject}: {fetched.size} bytes fetched in {fetched.seconds:.1f} s, {fetched.checksum}")
        origin = Origin(
            subject=subject,
            engine=session.config.databases[subject].engine,
            place=key,
            sha256=fetched.sha256,
            execution=execution,
            made=made,
            fetch_seconds=fetched.seconds,
            checksum=fetched.checksum,
        )
        left = max(deadline - time.monotonic(), 1.0)
        point = await prove(path, origin, proof.model_copy(update={"timeout": left}), server)
    report_findings(point.findings)
    return point


@step("let backups end")
async def let_backups_end(session: Session, *, patience: float = 900.0) -> None:
    """Wait until no backup of the application's databases is running: a dump and a deployment get in each other's way.

    A backup that has been running for longer than its schedule allows is a row that somebody has left behind.

    Args:
        session: The application.
        patience: Seconds after which the release goes on all the same.
    """
    deadline, pause = time.monotonic() + patience, 1.0
    databases = await find_databases(session.client, session.config)
    told: list[str] = []
    while running := await _running_backups(session, databases):
        if time.monotonic() > deadline:
            step_done(f"a backup of {', '.join(running)} is still running: going on")
            return
        if running != told:
            step_done(f"waiting for the backup of {', '.join(running)}")
            told = running
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, 15.0)


async def _running_backups(session: Session, databases: Mapping[str, Database]) -> list[str]:
    now = datetime.now(UTC)
    return [
        key
        for key, database in databases.items()
        for schedule in await schedules_of(session.client, database)
        for one in schedule.executions
        if one.status is BackupStatus.RUNNING
        and one.created_at is not None
        and now - one.created_at < timedelta(seconds=schedule.timeout)
    ]


async def restore_points(database_uuid: str) -> tuple[RestorePoint, ...]:
    """Return the restore points of a database that are on record, oldest first."""
    return await BlockRestorePointStore().load(database_uuid)


async def proved_executions(database_uuid: str) -> frozenset[str]:
    """Return the executions of a database whose restore was seen."""
    points = await restore_points(database_uuid)
    return frozenset(one.execution for one in points if one.proved and one.execution)


@step("keep restore point")
async def keep_restore_point(database_uuid: str, point: RestorePoint) -> tuple[RestorePoint, ...]:
    """Put a restore point on record and return all that are there now."""
    store = BlockRestorePointStore()
    points = remember(await store.load(database_uuid), point)
    await store.save(database_uuid, points)
    return points


@step("publish proofs")
async def publish_proofs(
    session: Session, points: tuple[RestorePoint, ...], findings: tuple[Finding, ...], uuids: dict[str, str]
) -> None:
    """Keep what was proved as an artifact, and tell automations of each database.

    Args:
        session: The application.
        points: What was proved now.
        findings: Everything else that was seen.
        uuids: Key of a database -> its identifier.
    """
    config = session.config
    await acreate_markdown_artifact(
        key=f"restore-points-{slug(config.application_name)}-{slug(config.environment)}",
        markdown=render_restore_points(config.application_name, config.environment, points, findings),
        description=f"Restore points of {config.application_name} ({config.environment})",
    )
    told = {one.subject: not any(finding.is_problem for finding in one.findings) for one in points}
    told |= {one.subject: False for one in findings if one.is_problem}
    for subject, good in told.items():
        emit_event(
            event=f"coolify.backup.{'proved' if good else 'unproved'}",
            resource={
                "prefect.resource.id": f"coolify.database.{uuids.get(subject, subject)}",
                "prefect.resource.name": subject,
                "coolify.environment": config.environment,
            },
            payload={
                "findings": [
                    {"name": one.name, "severity": one.severity.value, "summary": one.summary}
                    for one in (*findings, *(it for point in points for it in point.findings))
                    if one.subject == subject
                ]
            },
        )
