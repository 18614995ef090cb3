"""A look at all backups of a configuration: Coolify's executions beside the objects in the bucket. Changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import SecretStr

from coolify.api import CoolifyClient
from coolify.api.backups import BackupExecution, BackupSchedule
from coolify.api.databases import Database
from coolify.backup.cron import interval_of
from coolify.backup.objects import Bucket
from coolify.backup.truth import (
    BucketUnreadable,
    ObjectMissing,
    ObjectSeen,
    Sighting,
    judge_execution,
    judge_schedule,
    key_of,
)
from coolify.config import Config
from coolify.config.backups import Storage
from coolify.databases import find_databases
from coolify.errors import OperatorError
from coolify.finding import Finding, Severity

__all__ = [
    "Judged",
    "Surveyed",
    "bucket_of",
    "buckets_of",
    "chosen_databases",
    "judge_all",
    "schedules_of",
    "survey",
]


@dataclass(frozen=True, slots=True)
class Judged:
    """One execution, what the bucket holds of it, and what it is worth."""

    schedule: BackupSchedule
    execution: BackupExecution
    sighting: Sighting | None
    findings: tuple[Finding, ...]
    bucket: str | None = None
    """Name of the storage that holds the copy."""

    @property
    def is_good(self) -> bool:
        """Whether nothing speaks against it."""
        return not any(one.is_problem for one in self.findings)

    @property
    def key(self) -> str | None:
        """Key of the copy that was seen in the bucket."""
        return self.sighting.key if isinstance(self.sighting, ObjectSeen) else None


@dataclass(frozen=True, slots=True)
class Surveyed:
    """The backups of one database."""

    key: str
    database: Database
    judged: tuple[Judged, ...]
    """Executions, newest first."""
    findings: tuple[Finding, ...]
    """What is to be said of the schedules themselves."""

    @property
    def problems(self) -> tuple[Finding, ...]:
        """Findings about the schedules and about the newest execution of each."""
        newest: dict[str, Judged] = {}
        for one in self.judged:
            newest.setdefault(one.schedule.uuid, one)
        return (*self.findings, *(finding for one in newest.values() for finding in one.findings))


def bucket_of(config: Config, storage: Storage, environ: Mapping[str, str]) -> Bucket:
    """Return the bucket of a storage, its keys taken from the environment.

    Raises:
        ConfigError: A variable is not set.
        BucketError: boto3 is not installed.
    """
    return Bucket(
        storage.endpoint,
        storage.bucket,
        storage.region,
        SecretStr(storage.key.resolve(environ)),
        SecretStr(storage.secret.resolve(environ)),
        path_style=storage.path_style,
        ca_file=config.ca_path,
    )


def buckets_of(config: Config, environ: Mapping[str, str]) -> dict[str, Bucket]:
    """Return name -> bucket for all storages of the configuration."""
    return {name: bucket_of(config, storage, environ) for name, storage in config.backups.storages.items()}


def chosen_databases(config: Config, only: str) -> tuple[str, ...]:
    """Return the databases to work on: one, or all that are backed up; none where `only` is a volume.

    Raises:
        OperatorError: There is no such database in the configuration.
    """
    if only in config.backups.volumes:
        return ()
    if only and only not in config.databases:
        known = ", ".join((*config.databases, *config.backups.volumes)) or "none"
        raise OperatorError(f"{config.path} has no database '{only}': there is {known}.")
    backed_up = {one.database for one in config.backups.schedules.values()} | config.backups.proofs.keys()
    return (only,) if only else tuple(key for key in config.databases if key in backed_up)


async def survey(
    client: CoolifyClient,
    config: Config,
    environ: Mapping[str, str],
    now: datetime,
    *,
    only: str = "",
    limit: int = 10,
) -> tuple[Surveyed, ...]:
    """Look at the latest executions of every database that is backed up, and at their objects.

    Args:
        client: The server.
        config: The configuration.
        environ: Where keys of buckets are looked up.
        now: The time here.
        only: One database instead of all.
        limit: Executions to look at for each schedule.

    Raises:
        OperatorError: The server cannot be read, or a database does not exist.
    """
    keys = chosen_databases(config, only)
    found = await find_databases(client, config)
    buckets = buckets_of(config, environ)
    surveyed = []
    for key in keys:
        if key not in found:
            raise OperatorError(f"The database {key} does not exist yet: run `coolify database init`.")
        schedules = await schedules_of(client, found[key])
        surveyed.append(await _survey_one(config, key, found[key], schedules, buckets, now, limit))
    return tuple(surveyed)


async def schedules_of(client: CoolifyClient, database: Database) -> tuple[BackupSchedule, ...]:
    """Return the schedules of a database with their executions; none for engines without backups."""
    return await client.backups.list(database) if database.engine.has_backups else ()


async def _survey_one(
    config: Config,
    key: str,
    database: Database,
    schedules: Sequence[BackupSchedule],
    buckets: Mapping[str, Bucket],
    now: datetime,
    limit: int,
) -> Surveyed:
    findings: list[Finding] = []
    judged: list[Judged] = []
    if config.backups.proof_of(key).objects is not None:
        # Something else makes its dumps.
        pass
    elif not database.engine.has_backups:
        findings.append(_without_backups(key, database))
    elif not schedules:
        findings.append(
            Finding(
                name="backup-none",
                severity=Severity.ERROR,
                subject=key,
                summary=f"The database {key} has no backup schedule in Coolify.",
                remedy="Describe one in `backups.schedules` and run `coolify backup configure`.",
            )
        )
    for schedule in schedules:
        findings += judge_schedule(key, schedule, interval_of(schedule.frequency, now), now)
        judged += await judge_all(config, key, schedule, schedule.executions, buckets, now, limit)
    judged.sort(key=lambda one: one.execution.created_at.timestamp() if one.execution.created_at else 0, reverse=True)
    return Surveyed(key, database, tuple(judged), tuple(findings))


async def judge_all(
    config: Config,
    key: str,
    schedule: BackupSchedule,
    executions: Sequence[BackupExecution],
    buckets: Mapping[str, Bucket],
    now: datetime,
    limit: int,
) -> list[Judged]:
    """Judge the latest executions of one schedule, each beside its object."""
    proof = config.backups.proof_of(key)
    judged = []
    for index, execution in enumerate(executions[:limit]):
        sighting, bucket = await _look(execution, schedule, buckets)
        findings = judge_execution(
            key,
            execution,
            save_s3=schedule.save_s3,
            sighting=sighting,
            earlier=executions[index + 1 :],
            shrink_percent=proof.shrink_percent,
            now=now,
            timeout=schedule.timeout,
        )
        judged.append(Judged(schedule, execution, sighting, findings, bucket))
    return judged


async def _look(
    execution: BackupExecution, schedule: BackupSchedule, buckets: Mapping[str, Bucket]
) -> tuple[Sighting | None, str | None]:
    """Look for the copy of an execution: Coolify does not tell which bucket a schedule has, so in all that we know."""
    key = key_of(execution)
    if not schedule.save_s3 or key is None or not buckets:
        return None, None
    seen = await asyncio.gather(*(asyncio.to_thread(bucket.look, key) for bucket in buckets.values()))
    for kind in (ObjectSeen, BucketUnreadable, ObjectMissing):
        for name, one in zip(buckets, seen, strict=True):
            if isinstance(one, kind):
                return one, name if isinstance(one, ObjectSeen) else None
    return None, None


def _without_backups(key: str, database: Database) -> Finding:
    return Finding(
        name="backup-engine-without-schedules",
        severity=Severity.WARNING,
        subject=key,
        summary=f"Coolify makes no backups of {database.engine.value}: {key} has none.",
        remedy="Let something else put dumps into a bucket and name it in `backups.proofs` (`objects`), or treat the "
        "data as lost with the server.",
    )
