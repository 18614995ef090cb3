"""What `coolify backup` does with volumes, beside databases."""

from __future__ import annotations

import asyncio
import os
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from coolify.backup.choosing import Chosen
    from coolify.backup.proof import RestorePoint
    from coolify.backup.restore_plan import RestoreSubject
    from coolify.backup.volumes import Archive, FoundVolume
    from coolify.config import Config
    from coolify.finding import Finding

__all__ = [
    "archives_in_buckets",
    "look",
    "plan_subject",
    "print_volumes",
    "prove_one_archive",
    "volume_findings",
    "volume_json",
]

Seen = tuple["FoundVolume", tuple["Archive", ...]]


async def look(config: Config, only: str) -> tuple[Seen, ...]:
    """Return the volumes of the configuration with their archives, newest first."""
    from coolify.backup.survey import buckets_of
    from coolify.backup.volumes import archives_in, chosen_volumes, find_volumes, require_volumes
    from coolify_cli.reaching import connection_of

    if not chosen_volumes(config, only):
        return ()
    async with connection_of(config).client() as client:
        await require_volumes(client, config)
        found = await find_volumes(client, config, only)
    buckets = buckets_of(config, os.environ)
    return tuple([(one, await archives_in(one, buckets)) for one in found])


def volume_findings(seen: Seen) -> tuple[Finding, ...]:
    """Say what the archives of a volume are worth."""
    from datetime import UTC, datetime

    from coolify.backup.volumes import judge_archives

    return judge_archives(*seen, datetime.now(UTC))


def volume_json(seen: Seen, limit: int, points: Sequence[RestorePoint] | None) -> dict[str, Any]:
    """Return the archives of one volume for programs; `restore_points` is null where nobody has asked for them."""
    from coolify_cli.backup_output import point_json

    found, archives = seen
    findings = volume_findings(seen)
    return {
        "volume": found.key,
        "name": found.volume.name,
        "uuid": found.volume.uuid,
        "good": not any(one.is_problem for one in findings),
        "archives": [
            {"made": one.made, "size": one.size, "storage": one.storage, "key": one.key} for one in archives[:limit]
        ],
        "findings": [one.model_dump(mode="json") for one in findings],
        "restore_points": None if points is None else [point_json(one) for one in points],
    }


def print_volumes(seen: Sequence[Seen], limit: int, points: Mapping[str, Sequence[RestorePoint]] | None) -> None:
    """Print archives as a table, and below it what is wrong.

    Args:
        seen: The volumes with their archives.
        limit: How many of each.
        points: Restore points of each volume, None where nobody has asked for them.
    """
    from coolify.finding import Severity
    from coolify_cli.output import make_table, print_findings, stdout_console

    console = stdout_console()
    proved = {one.place for of_one in (points or {}).values() for one in of_one if one.proved}
    rows = [
        (
            found.key,
            f"{one.made:%Y-%m-%d %H:%M}",
            str(one.size),
            one.storage,
            one.key,
            *(["yes" if one.key in proved else "no"] if points is not None else []),
        )
        for found, archives in seen
        for one in archives[:limit]
    ]
    columns = ("Volume", "When (UTC)", "Bytes", "Lies in", "Archive")
    console.print(make_table(*columns, *(["Proved"] if points is not None else []), rows=rows))
    print_findings(console, [one for each in seen for one in volume_findings(each) if one.severity is not Severity.OK])


async def archives_in_buckets(config: Config, key: str) -> list[Chosen]:
    """Return the archives of a volume that lie in the buckets, newest first; Coolify is not asked."""
    from coolify.backup.choosing import Chosen
    from coolify.backup.survey import buckets_of
    from coolify.backup.volumes import PREFIX, archives_named

    found: list[Chosen] = []
    for storage, bucket in buckets_of(config, os.environ).items():
        objects = await asyncio.to_thread(bucket.list, PREFIX)
        found += [Chosen(one.key, storage, one.made, size=one.size) for one in archives_named(storage, objects, key)]
    return found


async def prove_one_archive(config: Config, volume: str, file: Path | None, key: str) -> RestorePoint:
    """Read one archive to its end: a file, or an object of a bucket that Coolify need not know."""
    from coolify.backup.choosing import choose_object
    from coolify.backup.survey import bucket_of
    from coolify.backup.volume_proof import file_reader, prove_archive

    proof = config.backups.volumes[volume].proof
    if file is not None:
        return await asyncio.to_thread(prove_archive, volume, file_reader(file), None, proof)
    chosen = await choose_object(config, os.environ, key)
    storage = config.backups.storages[chosen.storage or ""]
    bucket = bucket_of(config, storage, os.environ)
    reader = await asyncio.to_thread(bucket.read, chosen.place, deadline=time.monotonic() + proof.timeout)
    return await asyncio.to_thread(prove_archive, volume, reader, chosen.made, proof)


async def plan_subject(config: Config, seen: Seen, key: str, points: Sequence[RestorePoint]) -> RestoreSubject:
    """Return what the steps of a volume's restore are about: the archive that is named, proved, or the newest.

    Raises:
        NothingToChooseError: There is no archive.
    """
    from coolify.backup.choosing import Chosen, NothingToChooseError, choose_object
    from coolify.backup.restore_subject import volume_subject
    from coolify_cli.reaching import connection_of

    found, archives = seen
    if key:
        chosen = await choose_object(config, os.environ, key)
    else:
        proved = {one.place for one in points if one.proved}
        best = next((one for one in archives if one.key in proved), None) or next(iter(archives), None)
        if best is None:
            raise NothingToChooseError(
                f"No bucket has an archive of {found.key}. Those on the server lie below /data/coolify/backups/volumes/"
                f"*/{found.volume.uuid}/."
            )
        chosen = Chosen(best.key, best.storage, best.made, size=best.size)
    async with connection_of(config).client() as client:
        return await volume_subject(client, config, found, chosen, points)
