"""Backups of volumes. Coolify makes archives on a schedule and has no way to list them: the bucket is the only witness.

Sources: reference 2.5 (endpoints; a schedule is written and never read), and Coolify's volume backup job (4.3), which
uploads an archive under the path that it has on the server: a folder named after the volume's identifier, and a name
that ends with the second in which it was begun.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Final

from coolify import locating
from coolify.api import CoolifyClient
from coolify.api.capabilities import Feature
from coolify.api.extras import Storages, Volume, VolumeBackup, VolumeBackupWrite
from coolify.backup.cron import interval_of
from coolify.backup.objects import Bucket
from coolify.backup.retention import Point, plan_retention, retention_findings
from coolify.backup.truth import ObjectSeen
from coolify.config import Config
from coolify.config.backups import VolumeSchedule
from coolify.databases import find_databases
from coolify.errors import OperatorError
from coolify.finding import Finding, Severity
from coolify.wording import counted, slug

__all__ = [
    "PREFIX",
    "Archive",
    "FoundVolume",
    "archives_in",
    "archives_named",
    "archives_of",
    "chosen_volumes",
    "find_volumes",
    "judge_archives",
    "not_seen",
    "require_volumes",
    "storages_of",
    "volume_retention",
    "write_volume_schedule",
]

PREFIX: Final = "data/coolify/backups/volumes/"
_NAME: Final = re.compile(r"-(?P<second>\d{9,11})\.tar\.gz$")
_SKEW: Final = timedelta(minutes=5)
_GRACE: Final = timedelta(hours=1)
_LEAST_FOR_TREND: Final = 3


@dataclass(frozen=True, slots=True)
class FoundVolume:
    """A volume of the configuration that exists."""

    key: str
    section: VolumeSchedule
    owner_uuid: str
    """Application or database that it belongs to."""
    volume: Volume


@dataclass(frozen=True, slots=True)
class Archive:
    """An archive that lies in a bucket."""

    key: str
    storage: str
    size: int
    made: datetime
    """When it was begun, by the clock of the server; when it was written, where its name does not tell."""


def chosen_volumes(config: Config, only: str) -> tuple[str, ...]:
    """Return the volumes to work on: one, or all; none where `only` is the key of a database."""
    return tuple(key for key in config.backups.volumes if not only or key == only)


async def require_volumes(client: CoolifyClient, config: Config) -> None:
    """Refuse volumes where Coolify is too old for them.

    Raises:
        UnsupportedVersionError: It is.
    """
    if config.backups.volumes:
        (await client.capabilities()).require(Feature.VOLUME_BACKUPS)


async def find_volumes(client: CoolifyClient, config: Config, only: str = "") -> tuple[FoundVolume, ...]:
    """Return the volumes of the section `backups.volumes`.

    Raises:
        OperatorError: One does not exist yet, or a database has several.
        CoolifyError: The server cannot be read.
    """
    keys = chosen_volumes(config, only)
    if not keys:
        return ()
    application = await locating.find_application(client, config)
    databases = await find_databases(client, config)
    found: list[FoundVolume] = []
    for key in keys:
        section = config.backups.volumes[key]
        if section.database is None:
            owner = application.uuid if application else None
            volumes = await client.storages.volumes(owner) if owner else ()
            volumes = tuple(one for one in volumes if one.name in {key, f"{owner}-{key}"})
        else:
            owner = databases[section.database].uuid if section.database in databases else None
            volumes = await client.database_storages.volumes(owner) if owner else ()
        if owner is None or not volumes:
            raise OperatorError(f"The volume {key} does not exist in Coolify yet: run `coolify release`.")
        if len(volumes) > 1:
            raise OperatorError(f"The database {section.database} has {len(volumes)} volumes, and one was expected.")
        found.append(FoundVolume(key, section, owner, volumes[0]))
    return tuple(found)


def storages_of(client: CoolifyClient, found: FoundVolume) -> Storages:
    """Return the group of the API that the volume belongs to."""
    return client.storages if found.section.database is None else client.database_storages


async def write_volume_schedule(client: CoolifyClient, found: FoundVolume, storages: Mapping[str, str]) -> VolumeBackup:
    """Write the schedule of a volume; Coolify replaces the one that is there, so that twice is once.

    Args:
        client: The server.
        found: The volume.
        storages: Key of a bucket -> its identifier in Coolify.
    """
    section = found.section
    bucket = {} if section.storage is None else {"s3_storage_uuid": storages[section.storage]}
    wanted = VolumeBackupWrite(
        frequency=section.frequency,
        enabled=section.enabled,
        save_s3=section.storage is not None,
        disable_local_backup=False,
        stop_during_backup=section.stop,
        retention_amount_locally=section.keep.local.amount,
        retention_days_locally=section.keep.local.days,
        retention_max_storage_locally=section.keep.local.gigabytes,
        retention_amount_s3=section.keep.s3.amount,
        retention_days_s3=section.keep.s3.days,
        retention_max_storage_s3=section.keep.s3.gigabytes,
        timeout=section.timeout,
        **bucket,
    )
    return await storages_of(client, found).back_up(found.owner_uuid, found.volume.uuid, wanted)


async def archives_in(found: FoundVolume, buckets: Mapping[str, Bucket]) -> tuple[Archive, ...]:
    """Return the archives of a volume that lie in its bucket, newest first.

    Raises:
        BucketError: The bucket cannot be read.
    """
    storage = found.section.storage
    if storage is None:
        return ()
    return archives_of(storage, await asyncio.to_thread(buckets[storage].list, PREFIX), found.volume.uuid)


def archives_of(storage: str, objects: Iterable[ObjectSeen], volume_uuid: str) -> tuple[Archive, ...]:
    """Return those objects that are archives of a volume, newest first."""
    ours = (one for one in objects if f"/{volume_uuid}/" in one.key)
    return tuple(_newest_first(filter(None, (_archive(storage, one) for one in ours))))


def archives_named(storage: str, objects: Iterable[ObjectSeen], name: str) -> tuple[Archive, ...]:
    """Return the archives of all volumes of this name, newest first: also of one that Coolify has forgotten.

    An application that was deleted and made anew has another identifier, and so has its volume; the name stays.
    """
    ending = re.compile(rf"[/-]{re.escape(slug(name))}-\d+\.tar\.gz$")
    named = (one for one in objects if ending.search(one.key))
    return tuple(_newest_first(filter(None, (_archive(storage, one) for one in named))))


def _archive(storage: str, one: ObjectSeen) -> Archive | None:
    match = _NAME.search(one.key)
    return Archive(one.key, storage, one.size, datetime.fromtimestamp(int(match["second"]), UTC)) if match else None


def _newest_first(archives: Iterable[Archive]) -> list[Archive]:
    return sorted(archives, key=lambda one: (one.made, one.key), reverse=True)


def volume_retention(found: FoundVolume, archives: Sequence[Archive], proved: Collection[str]) -> tuple[Finding, ...]:
    """Refuse a retention that makes Coolify delete the only archive that was proved.

    What Coolify keeps already, it keeps also by the same limits: only narrower ones delete anything of what is there.

    Args:
        found: The volume.
        archives: What lies in its bucket.
        proved: Keys of archives that were proved.
    """
    points = [Point(one.key, one.made, one.size) for one in archives]
    return retention_findings(found.key, plan_retention(points, found.section.keep.s3), proved)


def judge_archives(found: FoundVolume, archives: Sequence[Archive], now: datetime) -> tuple[Finding, ...]:
    """Say what the archives of a volume are worth; an error among the findings means: there is no backup.

    Args:
        found: The volume.
        archives: What lies in its bucket, newest first.
        now: The time here.
    """
    section, key = found.section, found.key
    if section.storage is None:
        text = f"The archives of {key} lie on the server itself, and nothing in the API tells whether there are any."
        return (_finding("backup-local-only", Severity.WARNING, key, text, "Name a bucket (`storage`)."),)
    if not section.enabled:
        return (_finding("backup-schedule-disabled", Severity.WARNING, key, f"The schedule of {key} is switched off."),)
    interval = interval_of(section.frequency, now)
    allowed = interval * 1.5 + _GRACE if interval is not None else None
    if not archives:
        return (_none(found, allowed, now),)
    newest = archives[0]
    notes = []
    if newest.made > now + _SKEW:
        text = f"The archive of {key} was made in the future: a clock is wrong."
        remedy = "Let both machines keep time (NTP): ages, retention and schedules depend on it."
        notes.append(_finding("backup-clock-skew", Severity.WARNING, key, text, remedy, newest))
    if newest.size == 0:
        text = f"The archive of {key} has no content."
        return (_finding("backup-empty", Severity.ERROR, key, text, "Run the backup again.", newest), *notes)
    if allowed is not None and now - newest.made > allowed:
        hours = (now - newest.made).total_seconds() / 3600
        text = f"The newest archive of {key} is {hours:.0f} hours old; one is due by `{section.frequency}`."
        remedy = (
            "Look at the volume's backups in Coolify: a failed upload is told there and nowhere else. Then run "
            "`coolify backup run`."
        )
        return (_finding("backup-overdue", Severity.ERROR, key, text, remedy, newest), *notes)
    earlier = [one.size for one in archives[1:11] if one.size]
    usual = median(earlier) if len(earlier) >= _LEAST_FOR_TREND else 0
    if newest.size < usual * (100 - section.proof.shrink_percent) / 100:
        text = f"The archive of {key} has {counted(newest.size, 'byte')}, much less than the usual {usual:.0f}."
        remedy = "Look whether files were deleted: the archives before it are kept only for a while."
        return (_finding("backup-shrunk", Severity.WARNING, key, text, remedy, newest), *notes)
    text = f"The archive of {key} is in the bucket: {counted(newest.size, 'byte')}."
    return (_finding("backup-good", Severity.OK, key, text, "", newest), *notes)


def not_seen(found: FoundVolume) -> Finding:
    """Return the finding for an archive that was ordered and did not come."""
    return _finding(
        "backup-archive-not-seen",
        Severity.ERROR,
        found.key,
        f"Coolify took the order to archive {found.key}, and no new archive came into the bucket.",
        "Coolify tells the reason under the volume's backups and nowhere else: a failed upload, a full disk, a queue "
        "that does not work.",
    )


def _none(found: FoundVolume, allowed: timedelta | None, now: datetime) -> Finding:
    made = found.volume.created_at
    if made is not None and allowed is not None and now < made + allowed:
        text = f"The volume {found.key} is new and has not been archived yet."
        return _finding("backup-not-due", Severity.INFO, found.key, text, "Nothing, or `coolify backup run` now.")
    text = f"The bucket has no archive of the volume {found.key}."
    remedy = "Run one now: `coolify backup run`. Coolify shows under the volume's backups what became of earlier ones."
    return _finding("backup-none", Severity.ERROR, found.key, text, remedy)


def _finding(
    name: str, severity: Severity, subject: str, summary: str, remedy: str = "", archive: Archive | None = None
) -> Finding:
    evidence = (
        (f"in the bucket: {archive.key}, {archive.size} bytes", f"made: {archive.made:%Y-%m-%d %H:%M:%S} UTC")
        if archive
        else ()
    )
    return Finding(name=name, severity=severity, subject=subject, summary=summary, evidence=evidence, remedy=remedy)
