"""How backups are printed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

    from coolify.backup.choosing import Chosen
    from coolify.backup.configuring import SchedulesPlan
    from coolify.backup.proof import RestorePoint
    from coolify.backup.survey import Judged, Surveyed
    from coolify.config import Config

__all__ = [
    "configuration_json",
    "object_json",
    "point_json",
    "print_objects",
    "print_point",
    "print_schedules",
    "print_surveyed",
    "survey_json",
]


def print_schedules(plan: SchedulesPlan, zone: str, new_storages: Sequence[str], config: Config) -> None:
    """Print what `coolify backup configure` does, and in which time zone schedules are meant."""
    from coolify_cli.output import make_table, print_findings, stdout_console

    console = stdout_console()
    for key in new_storages:
        console.print(f"create     storage {key}", highlight=False, markup=False)
    rows = [
        (
            one.kind,
            one.wanted.name,
            one.wanted.database,
            str(one.wanted.write.frequency),
            _next_run(str(one.wanted.write.frequency), zone),
            one.wanted.storage or "on the server only",
            ", ".join(one.fields),
        )
        for one in plan.changes
    ]
    rows += [
        # Coolify tells nothing of the schedule of a volume: what differs is not known.
        ("write", key, "volume", one.frequency, _next_run(one.frequency, zone), one.storage or "on the server only", "")
        for key, one in config.backups.volumes.items()
    ]
    console.print(
        make_table("Change", "Schedule", "Database", "Frequency", f"Next ({zone or 'UTC'})", "To", "Differs", rows=rows)
    )
    told = f"in {zone}, the time zone of Coolify's server" if zone else "in the time zone of Coolify's server"
    console.print(f"Times are {told}.", highlight=False)
    print_findings(console, plan.findings)


def configuration_json(plan: SchedulesPlan, zone: str, new_storages: Sequence[str], config: Config) -> dict[str, Any]:
    """Return the same for programs."""
    return {
        "time_zone": zone or None,
        "new_storages": list(new_storages),
        "schedules": [
            {
                "name": one.wanted.name,
                "database": one.wanted.database,
                "frequency": one.wanted.write.frequency,
                "storage": one.wanted.storage,
                "change": one.kind,
                "fields": list(one.fields),
                "uuid": one.actual.uuid if one.actual else None,
            }
            for one in plan.changes
        ],
        "volumes": [
            {"name": key, "frequency": one.frequency, "storage": one.storage}
            for key, one in config.backups.volumes.items()
        ],
        "refused": plan.is_refused,
        "findings": [one.model_dump(mode="json") for one in plan.findings],
    }


def print_surveyed(surveyed: Sequence[Surveyed], points: Mapping[str, Sequence[RestorePoint]] | None) -> None:
    """Print backups as a table, and below it what is wrong.

    Args:
        surveyed: The backups of each database.
        points: Restore points of each database, None where nobody has asked for them.
    """
    from coolify.finding import Severity
    from coolify_cli.output import make_table, print_findings, stdout_console

    console = stdout_console()
    columns = ("Database", "When (UTC)", "Bytes", "Coolify says", "Lies in", "Verdict", "Backup")
    rows = [
        (
            one.key,
            _moment(judged.execution.created_at),
            str(judged.execution.size or ""),
            judged.execution.status.value,
            judged.bucket or ("-" if judged.schedule.save_s3 else "server only"),
            _verdict(judged),
            judged.execution.uuid,
            *([_proof(judged, points.get(one.key, ()))] if points is not None else []),
        )
        for one in surveyed
        for judged in one.judged
    ]
    console.print(make_table(*columns, *(["Restore seen"] if points is not None else []), rows=rows))
    told = [finding for one in surveyed for finding in one.problems]
    print_findings(console, [one for one in told if one.severity is not Severity.OK])


def survey_json(surveyed: Surveyed, points: Sequence[RestorePoint] | None) -> dict[str, Any]:
    """Return the backups of one database for programs; `restore_points` is null where nobody has asked for them."""
    return {
        "database": surveyed.key,
        "name": surveyed.database.name,
        "uuid": surveyed.database.uuid,
        "engine": surveyed.database.engine.value,
        "good": not any(one.is_problem for one in surveyed.problems),
        "backups": [
            {
                "uuid": one.execution.uuid,
                "schedule": one.schedule.uuid,
                "frequency": one.schedule.frequency,
                "made": one.execution.created_at,
                "size": one.execution.size,
                "status": one.execution.status.value,
                "uploaded": one.execution.s3_uploaded,
                "storage": one.bucket,
                "key": one.key,
                "good": one.is_good,
                "findings": [finding.model_dump(mode="json") for finding in one.findings],
            }
            for one in surveyed.judged
        ],
        "findings": [finding.model_dump(mode="json") for finding in surveyed.findings],
        "restore_points": None if points is None else [point_json(one) for one in points],
    }


def print_objects(found: Sequence[tuple[str, Chosen]]) -> None:
    """Print dumps as they lie in buckets: key of the database, and the dump."""
    from coolify_cli.output import make_table, stdout_console

    rows = [(key, _moment(one.made), str(one.size), one.storage or "", one.place) for key, one in found]
    stdout_console().print(make_table("Database", "Written (UTC)", "Bytes", "Bucket", "Object", rows=rows))


def object_json(key: str, chosen: Chosen) -> dict[str, Any]:
    """Return one of them for programs."""
    return {
        "database": key,
        "storage": chosen.storage,
        "key": chosen.place,
        "written": chosen.made,
        "size": chosen.size,
    }


def point_json(point: RestorePoint) -> dict[str, Any]:
    """Return a restore point for programs."""
    shown: dict[str, Any] = point.model_dump(mode="json")
    return shown | {"seconds": point.seconds}


def print_point(point: RestorePoint) -> None:
    """Print a restore point with what was seen."""
    from coolify_cli.output import print_findings, stdout_console

    console = stdout_console()
    print_findings(console, point.findings)
    if point.proved:
        how = "read to the end" if point.engine is None else "restored" if point.whole else "structure only"
        console.print(f"[green]✓ proved[/] ({how}, {point.size} bytes, {point.seconds:.1f} s)", highlight=False)
    else:
        console.print("[red]✗ not proved[/]", highlight=False)


def _moment(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M}" if moment else "unknown"


def _next_run(frequency: str, zone: str) -> str:
    from datetime import UTC, datetime
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    from coolify.backup.cron import occurrences

    try:
        now = datetime.now(ZoneInfo(zone) if zone else UTC)
        return f"{next(occurrences(frequency, now)):%Y-%m-%d %H:%M}"
    except (ValueError, StopIteration, ZoneInfoNotFoundError):
        return ""


def _verdict(judged: Judged) -> str:
    from coolify.finding import Severity, worst

    if not judged.is_good:
        return next(one.name for one in judged.findings if one.is_problem)
    level = worst(judged.findings)
    return (
        "good"
        if level in {Severity.OK, Severity.INFO}
        else next(one.name for one in judged.findings if one.severity is level)
    )


def _proof(judged: Judged, points: Sequence[RestorePoint]) -> str:
    of_this = [one for one in points if one.execution == judged.execution.uuid]
    if not of_this:
        return "no"
    newest = max(of_this, key=lambda one: one.proved_at)
    return f"{newest.proved_at:%Y-%m-%d %H:%M}" if newest.proved else "refused"
