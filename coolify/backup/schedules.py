"""The schedules that the configuration wants, beside those that Coolify has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import combinations, islice, takewhile
from typing import Final

from coolify.api.backups import BackupSchedule, BackupWrite
from coolify.backup.cron import occurrences
from coolify.config.backups import Backups, Keep, Retention, Schedule
from coolify.finding import Finding, Severity

__all__ = ["Pairing", "Wanted", "collisions", "differs", "pair", "wanted_schedules"]

_WINDOW: Final = timedelta(minutes=15)
_HORIZON: Final = timedelta(days=35)
_GENERATIONS: Final = (
    ("daily", 0, "{minute} {hour} * * *", Retention(amount=7)),
    ("weekly", 1, "{minute} {hour} * * 0", Retention(amount=5)),
    ("monthly", 2, "{minute} {hour} 1 * *", Retention(amount=12)),
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """One schedule as it is to be in Coolify."""

    name: str
    """Name in the configuration, with the generation of a preset behind it."""
    database: str
    storage: str | None
    write: BackupWrite
    keep: Keep

    @property
    def scope(self) -> tuple[str | None, bool]:
        """What is dumped: names and whether it is everything."""
        return self.write.databases_to_backup, bool(self.write.dump_all)


@dataclass(frozen=True, slots=True)
class Pairing:
    """Which schedule of Coolify is which of the configuration."""

    pairs: tuple[tuple[Wanted, BackupSchedule | None], ...]
    """None where it is to be created."""
    unmanaged: tuple[BackupSchedule, ...]


def wanted_schedules(backups: Backups, database: str, main: str | None, storages: Mapping[str, str]) -> list[Wanted]:
    """Return the schedules of one database, presets unfolded.

    Args:
        backups: The section.
        database: Name of the database in the configuration.
        main: Its main database, which Coolify dumps where no names are said; None where the engine has no names.
        storages: Name of a bucket in the configuration -> UUID in Coolify.
    """
    wanted: list[Wanted] = []
    for name, schedule in backups.schedules.items():
        if schedule.database == database:
            wanted += [
                Wanted(label, database, schedule.storage, _write(schedule, frequency, keep, main, storages), keep)
                for label, frequency, keep in _generations(name, schedule)
            ]
    return wanted


def _generations(name: str, schedule: Schedule) -> list[tuple[str, str, Keep]]:
    if schedule.preset is None:
        return [(name, schedule.frequency, schedule.keep)]
    minute, hour = (int(one) for one in schedule.frequency.split()[:2])
    # Local copies of the older generations would only fill the disk that they are to protect from.
    return [
        (
            f"{name}-{generation}",
            pattern.format(minute=minute, hour=(hour + later) % 24),
            Keep(s3=kept, local=Retention(amount=2) if schedule.storage else kept),
        )
        for generation, later, pattern, kept in _GENERATIONS
    ]


def _write(
    schedule: Schedule, frequency: str, keep: Keep, main: str | None, storages: Mapping[str, str]
) -> BackupWrite:
    names = ",".join(schedule.names) or (None if schedule.all else main)
    fields: dict[str, object] = {
        "frequency": frequency,
        "enabled": schedule.enabled,
        "save_s3": schedule.storage is not None,
        "dump_all": schedule.all,
        "timeout": schedule.timeout,
    }
    if schedule.storage is not None:
        fields["s3_storage_uuid"] = storages[schedule.storage]
    if names is not None:
        fields["databases_to_backup"] = names
    for place, kept in (("locally", keep.local), ("s3", keep.s3)):
        fields[f"database_backup_retention_amount_{place}"] = kept.amount
        fields[f"database_backup_retention_days_{place}"] = kept.days
        fields[f"database_backup_retention_max_storage_{place}"] = kept.gigabytes
    return BackupWrite.model_validate(fields)


def pair(wanted: Sequence[Wanted], actual: Sequence[BackupSchedule]) -> Pairing:
    """Find each wanted schedule among those of Coolify, which have no names.

    First by what is dumped and how often; then, for a changed frequency, by what is dumped alone where that leaves one
    on both sides. Everything else is new, or is left alone.

    Args:
        wanted: From the configuration.
        actual: From Coolify, of this database only.
    """
    left = list(actual)
    found: dict[str, BackupSchedule] = {}
    for one in wanted:
        same = next((it for it in left if it.frequency == one.write.frequency and _dumps(it, one)), None)
        if same is not None:
            found[one.name] = same
            left.remove(same)
    for one in wanted:
        rivals = [other for other in wanted if other.name not in found and other.scope == one.scope]
        candidates = [it for it in left if _dumps(it, one)]
        if one.name not in found and len(rivals) == 1 and len(candidates) == 1:
            found[one.name] = candidates[0]
            left.remove(candidates[0])
    return Pairing(tuple((one, found.get(one.name)) for one in wanted), tuple(left))


def differs(wanted: Wanted, actual: BackupSchedule) -> tuple[str, ...]:
    """Return the names of the settings that are not as wanted.

    Which bucket a schedule has is only known as a number that nothing else tells: only whether it has one is compared.

    Args:
        wanted: From the configuration.
        actual: From Coolify.
    """
    body = wanted.write.model_dump(exclude_unset=True, exclude={"s3_storage_uuid"})
    names = [name for name, value in body.items() if getattr(actual, name) != value]
    if wanted.storage is not None and actual.s3_storage_id is None:
        names.append("s3_storage_uuid")
    return tuple(names)


def collisions(frequencies: Mapping[str, str], start: datetime) -> tuple[Finding, ...]:
    """Tell which schedules begin at the same time: two dumps at once load the server and make both slow.

    Args:
        frequencies: Name of a schedule that is switched on -> its frequency, of all databases and volumes.
        start: From when on to look, in the time zone of the server.
    """
    runs = {
        name: list(takewhile(lambda moment: moment < start + _HORIZON, islice(occurrences(frequency, start), 900)))
        for name, frequency in frequencies.items()
    }
    findings = []
    for (first, early), (second, late) in combinations(runs.items(), 2):
        clash = next((a for a in early for b in late if abs(a - b) < _WINDOW), None)
        if clash is not None:
            findings.append(
                Finding(
                    name="backup-windows-collide",
                    severity=Severity.WARNING,
                    subject=f"{first}, {second}",
                    summary=f"The schedules {first} and {second} begin within 15 minutes of each other, next on "
                    f"{clash:%Y-%m-%d at %H:%M}.",
                    remedy="Move one of them by an hour in `backups.schedules`.",
                )
            )
    return tuple(findings)


def _dumps(actual: BackupSchedule, wanted: Wanted) -> bool:
    names, everything = wanted.scope
    if actual.dump_all != everything:
        return False
    return everything or names is None or _split(actual.databases_to_backup) == _split(names)


def _split(names: str | None) -> tuple[str, ...]:
    return tuple(sorted(one.strip() for one in (names or "").split(",") if one.strip()))
