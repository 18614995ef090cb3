"""A backup is one when its restore was seen."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed
from pydantic import BaseModel, ConfigDict, Field

from blocks import CoolifyServer
from coolify.backup.choosing import NothingToChooseError, choose_dump
from coolify.backup.objects import BucketError
from coolify.backup.proof import RestorePoint
from coolify.backup.record import not_fetched, overdue
from coolify.backup.survey import Surveyed, bucket_of
from coolify.backup.volumes import Archive, FoundVolume, judge_archives
from coolify.finding import Finding
from coolify.wording import counted
from tasks.backups import keep_restore_point, prove_object, publish_proofs, restore_points, survey_backups
from tasks.lateness import too_late
from tasks.phases import phase, report_findings
from tasks.session import Session, Target, open_session
from tasks.volume_backups import look_at_volumes, prove_volume

__all__ = ["Verified", "VerifyRequest", "verify_backups"]

_LATE: Final = timedelta(hours=6)


class VerifyRequest(BaseModel):
    """What to prove."""

    model_config = ConfigDict(frozen=True)

    target: Target = Field(default=Target(), title="Application")
    database: str = Field(default="", title="Database", description="Key of one database or volume; all when empty.")


class Verified(BaseModel):
    """What was proved."""

    model_config = ConfigDict(frozen=True)

    proved: bool
    points: tuple[RestorePoint, ...] = ()
    findings: tuple[Finding, ...] = ()
    """What was seen besides the restores."""
    skipped: str = ""


@flow(name="verify backups", flow_run_name="verify backups {request.target.label}")
async def verify_backups(request: VerifyRequest, server: CoolifyServer | None = None) -> State[Any]:
    """Fetch the newest dump of each database, restore it into a server that is thrown away, and ask it.

    Archives of volumes are read to their end.

    Args:
        request: What to prove.
        server: Connection to Coolify instead of the one in the configuration file.

    Returns:
        A state named Completed, Unproved, or Skipped for a run that comes too late, with the result.
    """
    if late := too_late(_LATE):
        return Completed(name="Skipped", message=f"Not proved: {late}.", data=Verified(proved=True, skipped=late))
    async with open_session(request.target, server) as session, phase("verify backups") as handle:
        points: list[RestorePoint] = []
        findings: list[Finding] = []
        surveyed = await survey_backups(session, request.database)
        for one in surveyed:
            findings += one.problems
            try:
                point = await _prove_newest(session, one)
                points.append(point)
            except (BucketError, NothingToChooseError) as error:
                findings.append(not_fetched(one.key, str(error)))
                point = None
            uuid = one.database.uuid
            known = await keep_restore_point(uuid, point) if point else await restore_points(uuid)
            max_age = session.config.backups.proof_of(one.key).max_age_days
            if late_proof := overdue(one.key, known, max_age, datetime.now(UTC)):
                findings.append(late_proof)
        volumes = await look_at_volumes(session, request.database)
        for volume, archives in volumes:
            proved, told = await _prove_archive(session, volume, archives)
            points += [proved] if proved else []
            findings += told
        report_findings(findings)
        result = Verified(
            proved=bool(points)
            and all(point.proved for point in points)
            and not any(finding.is_problem for finding in findings),
            points=tuple(points),
            findings=tuple(findings),
        )
        uuids = {one.key: one.database.uuid for one in surveyed} | {one.key: one.volume.uuid for one, _ in volumes}
        await publish_proofs(session, result.points, result.findings, uuids)
        if result.proved:
            handle.done(f"{counted(len(points), 'restore')} seen")
            return Completed(message=f"{counted(len(points), 'restore')} seen.", data=result)
        seen = (*result.findings, *(finding for point in points for finding in point.findings))
        reason = " ".join(dict.fromkeys(finding.summary for finding in seen if finding.is_problem))
        reason = reason or "There is nothing to prove: `backups` has no schedules and no proofs."
        handle.failed(reason)
        return Failed(name="Unproved", message=reason, data=result)


async def _prove_newest(session: Session, surveyed: Surveyed) -> RestorePoint:
    """Prove the newest dump of one database."""
    config = session.config
    chosen = await choose_dump(config, session.environ, surveyed)
    if chosen.storage is None:
        raise TypeError("a dump that lies in no bucket was chosen to be fetched")
    bucket = bucket_of(config, config.backups.storages[chosen.storage], session.environ)
    return await prove_object(session, surveyed.key, bucket, chosen.place, chosen.execution, chosen.made)


async def _prove_archive(
    session: Session, volume: FoundVolume, archives: Sequence[Archive]
) -> tuple[RestorePoint | None, list[Finding]]:
    """Prove the newest archive of one volume; return it with what else is to be said."""
    now = datetime.now(UTC)
    findings, point = list(judge_archives(volume, archives, now)), None
    if archives:
        try:
            point = await prove_volume(session, volume, archives[0])
        except BucketError as error:
            findings.append(not_fetched(volume.key, str(error)))
    else:
        findings.append(not_fetched(volume.key, "there is no archive in a bucket."))
    uuid = volume.volume.uuid
    known = await keep_restore_point(uuid, point) if point else await restore_points(uuid)
    late_proof = overdue(volume.key, known, volume.section.proof.max_age_days, now)
    return point, [*findings, *([late_proof] if late_proof else [])]
