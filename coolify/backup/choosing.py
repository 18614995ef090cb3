"""Which dump to work with: the newest good one, the newest whose restore was seen, or the one that is named."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from coolify.backup.objects import BucketError
from coolify.backup.survey import Judged, Surveyed, bucket_of, buckets_of
from coolify.backup.truth import BucketUnreadable, ObjectSeen
from coolify.config import Config
from coolify.databases import database_name
from coolify.errors import OperatorError
from coolify.wording import slug

__all__ = ["Chosen", "NothingToChooseError", "choose_dump", "choose_object", "newest_object", "objects_of"]

_PREFIX: Final = "data/coolify/backups/databases/"
"""Where Coolify puts dumps, on its server and in a bucket (reference 5.3)."""


class NothingToChooseError(OperatorError):
    """There is no dump that fits."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A dump and where it lies."""

    place: str
    """Key in the bucket, or path on the server."""
    storage: str | None
    """Name of the bucket in the configuration, None for a dump that lies on the server only."""
    made: datetime | None = None
    execution: str | None = None
    """Coolify's identifier of the execution."""
    size: int | None = None
    dump_all: bool = False


async def choose_dump(
    config: Config,
    environ: Mapping[str, str],
    surveyed: Surveyed,
    *,
    execution: str = "",
    proved: Collection[str] = (),
    in_bucket: bool = True,
) -> Chosen:
    """Choose a dump of a database.

    Args:
        config: The configuration.
        environ: Where keys of buckets are looked up.
        surveyed: The backups of the database.
        execution: Beginning of the identifier of a certain execution; the newest good one when empty.
        proved: Executions whose restore was seen: the newest of them goes before newer ones that nobody has proved.
        in_bucket: Whether it must be fetchable.

    Raises:
        NothingToChooseError: There is none that fits; the sentence says why.
        BucketError: The bucket cannot be read.
    """
    if not execution and (other := await _of_other_origin(config, environ, surveyed)):
        return other
    candidates = [one for one in surveyed.judged if not execution or one.execution.uuid.startswith(execution)]
    if execution:
        return _named(surveyed.key, execution, candidates, in_bucket=in_bucket)
    good = [one for one in candidates if one.is_good and (one.key is not None or not in_bucket)]
    best = next((one for one in good if one.execution.uuid in proved), None) or next(iter(good), None)
    if best is None:
        raise NothingToChooseError(_why_nothing(surveyed))
    return _chosen(best)


async def choose_object(config: Config, environ: Mapping[str, str], key: str) -> Chosen:
    """Choose a dump by its key in a bucket: also one of a database that Coolify has forgotten.

    Raises:
        NothingToChooseError: No bucket of the configuration has it.
        BucketError: A bucket cannot be read.
    """
    for storage, bucket in buckets_of(config, environ).items():
        seen = await asyncio.to_thread(bucket.look, key.lstrip("/"))
        if isinstance(seen, ObjectSeen):
            return Chosen(seen.key, storage, seen.modified, size=seen.size, dump_all="-all-" in seen.key)
        if isinstance(seen, BucketUnreadable):
            raise BucketError(seen.reason)
    raise NothingToChooseError(
        f"No bucket of `backups.storages` has an object {key}: see `coolify backup list --bucket`."
    )


async def objects_of(config: Config, environ: Mapping[str, str], database: str) -> tuple[Chosen, ...]:
    """Return the dumps of a database that lie in the buckets, newest first, whether Coolify knows them or not.

    They are told by the folder that Coolify gives to them: the database's name and its identifier. A database that was
    deleted and made anew has another identifier and the same name.

    Args:
        config: The configuration.
        environ: Where keys of buckets are looked up.
        database: Key of the database.

    Raises:
        BucketError: A bucket cannot be read.
    """
    folder = f"/{slug(database_name(config, database))}-"
    found: list[Chosen] = []
    for storage, bucket in buckets_of(config, environ).items():
        objects = await asyncio.to_thread(bucket.list, _PREFIX)
        found += [
            Chosen(one.key, storage, one.modified, size=one.size, dump_all="-all-" in one.key)
            for one in objects
            if folder in one.key
        ]
    return tuple(sorted(found, key=lambda one: one.made or datetime.min.replace(tzinfo=UTC), reverse=True))


async def newest_object(config: Config, environ: Mapping[str, str], database: str) -> Chosen:
    """Choose the newest dump of a database that lies in a bucket; Coolify is not asked, for it may be gone.

    Raises:
        NothingToChooseError: There is none.
        BucketError: A bucket cannot be read.
    """
    proof = config.backups.proof_of(database)
    if proof.objects is not None and proof.storage is not None:
        bucket = bucket_of(config, config.backups.storages[proof.storage], environ)
        objects = await asyncio.to_thread(bucket.list, proof.objects)
        found = [Chosen(one.key, proof.storage, one.modified, size=one.size) for one in objects[:1]]
    else:
        found = list((await objects_of(config, environ, database))[:1])
    if not found:
        raise NothingToChooseError(
            f"No bucket of `backups.storages` has a dump of {database}: there is nothing to save."
        )
    return found[0]


def _named(database: str, execution: str, candidates: list[Judged], *, in_bucket: bool) -> Chosen:
    if len(candidates) != 1:
        told = f"{len(candidates)} backups of {database} begin" if candidates else f"No backup of {database} begins"
        raise NothingToChooseError(f"{told} with '{execution}': see `coolify backup list {database}`.")
    (one,) = candidates
    if one.key is None and (in_bucket or one.execution.filename is None):
        problems = " ".join(finding.summary for finding in one.findings)
        raise NothingToChooseError(f"The backup {one.execution.uuid} cannot be fetched: {problems}")
    return _chosen(one)


async def _of_other_origin(config: Config, environ: Mapping[str, str], surveyed: Surveyed) -> Chosen | None:
    """Return the newest dump of those that something else than Coolify makes, where the configuration names them."""
    proof = config.backups.proof_of(surveyed.key)
    if proof.objects is None or proof.storage is None:
        return None
    bucket = bucket_of(config, config.backups.storages[proof.storage], environ)
    found = await asyncio.to_thread(bucket.list, proof.objects)
    if not found:
        raise NothingToChooseError(f"The bucket {bucket.name} has no object below {proof.objects}.")
    return Chosen(found[0].key, proof.storage, found[0].modified, size=found[0].size)


def _chosen(judged: Judged) -> Chosen:
    execution = judged.execution
    return Chosen(
        place=judged.key or execution.filename or "",
        storage=judged.bucket if judged.key is not None else None,
        made=execution.created_at,
        execution=execution.uuid,
        size=execution.size,
        dump_all=judged.schedule.dump_all,
    )


def _why_nothing(surveyed: Surveyed) -> str:
    local = [one for one in surveyed.judged if one.is_good]
    if local:
        return (
            f"All good backups of {surveyed.key} lie on the server itself, and Coolify's API has no download. Name a "
            "bucket in `backups.schedules`, or copy a dump by SSH and prove it by `coolify backup verify --file`."
        )
    problems = " ".join(dict.fromkeys(one.summary for one in surveyed.problems if one.is_problem))
    return (
        f"There is no good backup of {surveyed.key}. {problems}".rstrip()
        + f" Dumps that Coolify has forgotten are listed by `coolify backup list {surveyed.key} --bucket`."
    )
