"""Which dump to work with: the newest good one, the newest whose restore was seen, or the one that is named."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from coolify.backup.survey import Judged, Surveyed, bucket_of
from coolify.config import Config
from coolify.errors import OperatorError

__all__ = ["Chosen", "NothingToChooseError", "choose_dump"]


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
    newest = await asyncio.to_thread(bucket.newest, proof.objects)
    if newest is None:
        raise NothingToChooseError(f"The bucket {bucket.name} has no object below {proof.objects}.")
    return Chosen(newest.key, proof.storage, newest.modified, size=newest.size)


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
    return f"There is no good backup of {surveyed.key}. {problems}".strip()
