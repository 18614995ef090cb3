"""Backups of volumes: schedules written, archives waited for in the bucket, judged and proved."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

from coolify.api.errors import AnswerLostError
from coolify.backup.objects import Bucket
from coolify.backup.proof import RestorePoint
from coolify.backup.survey import bucket_of
from coolify.backup.volume_proof import prove_archive
from coolify.backup.volumes import (
    Archive,
    FoundVolume,
    archives_in,
    find_volumes,
    judge_archives,
    not_seen,
    storages_of,
    volume_retention,
    write_volume_schedule,
)
from coolify.finding import Finding
from tasks.backups import restore_points
from tasks.phases import report_findings, step_done
from tasks.session import Session
from tasks.steps import step

__all__ = [
    "look_at_volumes",
    "prove_volume",
    "retention_of_volumes",
    "run_volume_backup",
    "write_volume_schedules",
]

_PATIENCE: Final = 120.0
"""Seconds for Coolify's queue and the upload, on top of the time that the schedule allows."""
_FIRST_POLL: Final = 0.5
_LONGEST_POLL: Final = 10.0


@step("look at volumes")
async def look_at_volumes(session: Session, only: str) -> tuple[tuple[FoundVolume, tuple[Archive, ...]], ...]:
    """Return the volumes of the configuration, each with the archives that lie in its bucket, newest first."""
    found = await find_volumes(session.client, session.config, only)
    return tuple([(one, await archives_in(one, _buckets(session, one))) for one in found])


async def retention_of_volumes(session: Session) -> tuple[Finding, ...]:
    """Refuse retentions that would delete the only archive that was proved; changes nothing."""
    findings: list[Finding] = []
    for found in await find_volumes(session.client, session.config):
        points = await restore_points(found.volume.uuid)
        proved = {one.place for one in points if one.proved}
        if proved:
            findings += volume_retention(found, await archives_in(found, _buckets(session, found)), proved)
    return tuple(findings)


@step("write volume schedules")
async def write_volume_schedules(session: Session, storages: dict[str, str]) -> int:
    """Write the schedules of all volumes and return how many are new; Coolify does not tell what was there before."""
    new = 0
    for found in await find_volumes(session.client, session.config):
        written = await write_volume_schedule(session.client, found, storages)
        new += written.is_new
        step_done(f"schedule of the volume {found.key}, {written.frequency}", changed=written.is_new)
    return new


@step("run volume backup", run_name="run backup of volume {found.key}")
async def run_volume_backup(
    session: Session, found: FoundVolume, before: Sequence[Archive]
) -> tuple[Archive | None, tuple[Finding, ...]]:
    """Archive a volume now, wait until the archive lies in the bucket, and judge it.

    Coolify tells nothing of what came of the order: an archive that was not in the bucket before is the only evidence.
    One that a schedule has made in the meantime is as good.

    Args:
        session: The application.
        found: The volume.
        before: The archives that are there already.
    """
    storages = storages_of(session.client, found)
    # An order whose answer was lost may have been taken: the bucket will tell.
    with suppress(AnswerLostError):
        await storages.back_up_now(found.owner_uuid, found.volume.uuid)
    archives: tuple[Archive, ...] = ()
    if found.section.storage is None:
        step_done(f"{found.key}: ordered; what comes of it is told in Coolify only")
    else:
        archives = await _until_one_is_new(session, found, {one.key for one in before})
    is_missing = found.section.storage is not None and not archives
    findings = (not_seen(found),) if is_missing else judge_archives(found, archives, datetime.now(UTC))
    report_findings(findings)
    return (archives[0] if archives else None), findings


async def _until_one_is_new(session: Session, found: FoundVolume, known: Collection[str]) -> tuple[Archive, ...]:
    """Return the archives once there is a new one; none when time is up."""
    deadline, pause = time.monotonic() + found.section.timeout + _PATIENCE, _FIRST_POLL
    step_done(f"{found.key}: waiting for the archive in the bucket")
    buckets = _buckets(session, found)
    while time.monotonic() < deadline:
        archives = await archives_in(found, buckets)
        if any(one.key not in known for one in archives):
            return archives
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, _LONGEST_POLL)
    return ()


@step("prove archive", run_name="prove archive of {found.key}")
async def prove_volume(session: Session, found: FoundVolume, archive: Archive) -> RestorePoint:
    """Read an archive in its bucket from the first byte to the last; nothing is written to the disk."""
    bucket = _buckets(session, found)[archive.storage]
    proof = found.section.proof
    stop = threading.Event()
    try:
        reader = await asyncio.to_thread(bucket.read, archive.key, deadline=time.monotonic() + proof.timeout, stop=stop)
        point = await asyncio.to_thread(prove_archive, found.key, reader, archive.made, proof)
    finally:
        stop.set()
    report_findings(point.findings)
    return point


def _buckets(session: Session, found: FoundVolume) -> dict[str, Bucket]:
    storage = found.section.storage
    if storage is None:
        return {}
    return {storage: bucket_of(session.config, session.config.backups.storages[storage], session.environ)}
