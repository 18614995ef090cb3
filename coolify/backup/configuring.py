"""Bring storages and schedules in Coolify to what the configuration says. Planned first, then done."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pydantic import SecretStr

from coolify.api import CoolifyClient
from coolify.api.backups import BackupSchedule, BackupStatus, S3StorageWrite
from coolify.api.databases import Database
from coolify.backup.retention import Point, plan_retention, retention_findings
from coolify.backup.schedules import Wanted, collisions, differs, pair, wanted_schedules
from coolify.config import Config
from coolify.engines import DatabaseEngine
from coolify.errors import OperatorError
from coolify.finding import Finding, Severity

__all__ = [
    "NEW_STORAGE",
    "ScheduleChange",
    "SchedulesPlan",
    "ensure_storage",
    "known_storages",
    "plan_schedules",
    "refuse_missing_keys",
    "storage_name",
    "write_schedule",
]

NEW_STORAGE = "(new)"
"""Stands for the identifier of a storage that only a real run creates."""
_DEFAULTS: Final = {
    DatabaseEngine.POSTGRESQL: "postgres",
    DatabaseEngine.MYSQL: "default",
    DatabaseEngine.MARIADB: "default",
}
"""Databases that Coolify makes in a new server where no name is given."""


@dataclass(frozen=True, slots=True)
class ScheduleChange:
    """What happens to one schedule."""

    database: Database
    wanted: Wanted
    actual: BackupSchedule | None
    fields: tuple[str, ...]
    """Settings that differ; empty where it is to be created or is as wanted."""

    @property
    def kind(self) -> str:
        """`create`, `update` or `unchanged`."""
        return "create" if self.actual is None else "update" if self.fields else "unchanged"

    def __str__(self) -> str:
        told = f" ({', '.join(self.fields)})" if self.fields else ""
        return f"schedule {self.wanted.name} of {self.wanted.database}, {self.wanted.write.frequency}{told}"


@dataclass(frozen=True, slots=True)
class SchedulesPlan:
    """Everything that stands between the configuration and the server."""

    changes: tuple[ScheduleChange, ...]
    findings: tuple[Finding, ...]

    @property
    def is_refused(self) -> bool:
        """Whether a finding forbids it."""
        return any(one.is_problem for one in self.findings)


def storage_name(config: Config, key: str) -> str:
    """Return the name of a storage in Coolify, where the whole team shares them."""
    return f"{config.project.name}-{key}"


async def plan_schedules(
    client: CoolifyClient,
    config: Config,
    databases: Mapping[str, Database],
    storages: Mapping[str, str],
    proved: Mapping[str, Collection[str]],
    now: datetime,
) -> SchedulesPlan:
    """Compare the schedules of the configuration with Coolify's.

    Args:
        client: The server.
        config: The configuration.
        databases: Key -> database, those that exist.
        storages: Key -> identifier in Coolify.
        proved: Key of a database -> executions whose restore was seen.
        now: The time here.

    Raises:
        OperatorError: A database is missing, or its engine has no backups.
    """
    changes: list[ScheduleChange] = []
    findings: list[Finding] = []
    every: list[Wanted] = []
    for key in dict.fromkeys(one.database for one in config.backups.schedules.values()):
        if key not in databases:
            raise OperatorError(f"The database {key} does not exist yet: run `coolify database init`.")
        database = databases[key]
        if not database.engine.has_backups:
            raise OperatorError(
                f"{config.path}: backups.schedules: Coolify makes no backups of {database.engine.value} ({key}): "
                "remove the schedule, and name dumps of another origin in `backups.proofs` (`objects`)."
            )
        wanted = wanted_schedules(config.backups, key, _main_database(config, key), storages)
        every += wanted
        paired = pair(wanted, await client.backups.list(database))
        for one, actual in paired.pairs:
            changes.append(ScheduleChange(database, one, actual, differs(one, actual) if actual else ()))
            findings += _retention(changes[-1], proved.get(key, ()))
        findings += [_unmanaged(key, one) for one in paired.unmanaged]
    frequencies = {one.name: one.write.frequency or "daily" for one in every if one.write.enabled}
    frequencies |= {
        f"{key} (volume)": volume.frequency for key, volume in config.backups.volumes.items() if volume.enabled
    }
    return SchedulesPlan(tuple(changes), (*findings, *collisions(frequencies, now)))


def refuse_missing_keys(config: Config, environ: Mapping[str, str]) -> None:
    """Find out before anything is changed that the keys of a bucket are not there.

    Raises:
        ConfigError: A variable that `backups.storages` names is not set.
    """
    for storage in config.backups.storages.values():
        for reference in (storage.key, storage.secret):
            reference.resolve(environ)


async def known_storages(client: CoolifyClient, config: Config) -> dict[str, str]:
    """Return key -> identifier in Coolify of the buckets, `NEW_STORAGE` for those that it does not know yet.

    Raises:
        CoolifyError: Coolify is too old to tell, or cannot be read.
    """
    if not config.backups.storages:
        return {}
    there = {one.name: one.uuid for one in await client.s3_storages.list()}
    return {key: there.get(storage_name(config, key), NEW_STORAGE) for key in config.backups.storages}


async def ensure_storage(
    client: CoolifyClient, config: Config, key: str, environ: Mapping[str, str]
) -> tuple[str, bool]:
    """Make sure that Coolify knows a bucket and can use it; return its identifier and whether something changed.

    Raises:
        OperatorError: Coolify cannot use it, or is too old for it.
        ConfigError: A variable with a key is not set.
    """
    storage = config.backups.storages[key]
    wanted = S3StorageWrite(
        name=storage_name(config, key),
        endpoint=storage.endpoint,
        bucket=storage.bucket,
        region=storage.region,
        key=SecretStr(storage.key.resolve(environ)),
        secret=SecretStr(storage.secret.resolve(environ)),
    )
    ensured = await client.s3_storages.ensure(wanted)
    there = ensured.value
    # Keys that the token may not read are written again: a changed one must not stay unnoticed.
    same = all(
        getattr(there, name) == getattr(wanted, name) for name in ("endpoint", "bucket", "region", "key", "secret")
    )
    if not ensured.created and not same:
        await client.s3_storages.update(there.uuid, wanted)
    verdict = await client.s3_storages.validate(there.uuid)
    if not verdict.valid:
        raise OperatorError(f"Coolify cannot use the bucket {storage.bucket} at {storage.endpoint}: {verdict.message}")
    return there.uuid, ensured.created or not same


async def write_schedule(client: CoolifyClient, change: ScheduleChange) -> None:
    """Create or change one schedule.

    One with a bucket is written even where nothing seems to differ: which bucket it has cannot be read.
    """
    if change.actual is None:
        await client.backups.create(change.database, change.wanted.write)
    elif change.fields or change.wanted.storage is not None:
        await client.backups.update(change.database, change.actual.uuid, change.wanted.write)


def _main_database(config: Config, key: str) -> str | None:
    """Return what Coolify dumps where nothing is said (reference 5.1), None where it cannot be known."""
    section = config.databases[key]
    return section.database or _DEFAULTS.get(section.engine)


def _retention(change: ScheduleChange, proved: Collection[str]) -> tuple[Finding, ...]:
    """Refuse a change that makes Coolify delete the last proved copy; what is so already is Coolify's to do."""
    actual, wanted = change.actual, change.wanted
    if actual is None or wanted.storage is None or not any("retention" in name for name in change.fields):
        return ()
    points = [
        Point(one.uuid, one.created_at, one.size or 0)
        for one in actual.executions
        if one.status is BackupStatus.SUCCESS and one.created_at is not None
    ]
    return retention_findings(wanted.database, plan_retention(points, wanted.keep.s3), proved)


def _unmanaged(key: str, schedule: BackupSchedule) -> Finding:
    what = "everything" if schedule.dump_all else schedule.databases_to_backup or "the main database"
    return Finding(
        name="backup-schedule-unmanaged",
        severity=Severity.INFO,
        subject=key,
        summary=f"Coolify has a schedule {schedule.frequency} of {key} that the configuration does not mention; it "
        "stays.",
        evidence=(f"dumps: {what}", f"identifier: {schedule.uuid}"),
        remedy="Add it to `backups.schedules`, or delete it in Coolify.",
    )
