"""Back up now, and know what came of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed
from pydantic import BaseModel, ConfigDict, Field

from blocks import CoolifyServer
from coolify.backup.survey import Judged, schedules_of
from coolify.errors import OperatorError
from coolify.finding import Finding
from coolify.wording import counted
from tasks.backups import run_backup, survey_backups
from tasks.lateness import too_late
from tasks.phases import phase, step_done
from tasks.session import Target, open_session
from tasks.volume_backups import look_at_volumes, run_volume_backup

__all__ = ["BackUpRequest", "BackedUp", "back_up"]

_LATE: Final = timedelta(hours=1)


class BackUpRequest(BaseModel):
    """What to back up."""

    model_config = ConfigDict(frozen=True)

    target: Target = Field(default=Target(), title="Application")
    database: str = Field(default="", title="Database", description="Key of one database or volume; all when empty.")


class BackedUp(BaseModel):
    """What came of it."""

    model_config = ConfigDict(frozen=True)

    good: bool
    executions: tuple[str, ...] = ()
    archives: tuple[str, ...] = ()
    """Keys of the archives of volumes that came into the bucket."""
    findings: tuple[Finding, ...] = ()
    skipped: str = ""


@flow(name="back up", flow_run_name="back up {request.target.label}")
async def back_up(request: BackUpRequest, server: CoolifyServer | None = None) -> State[Any]:
    """Run one schedule of each database and volume now and judge the result by evidence; nothing is restored here.

    Args:
        request: What to back up.
        server: Connection to Coolify instead of the one in the configuration file.

    Returns:
        A state named Completed, BackupFailed, or Skipped for a run that comes too late, with the result.
    """
    if late := too_late(_LATE):
        return Completed(name="Skipped", message=f"Not backed up: {late}.", data=BackedUp(good=True, skipped=late))
    async with open_session(request.target, server) as session, phase("back up") as handle:
        judged: list[Judged] = []
        for surveyed in await survey_backups(session, request.database):
            schedules = await schedules_of(session.client, surveyed.database)
            enabled = [one for one in schedules if one.enabled]
            if not enabled:
                if request.database:
                    raise OperatorError(f"{surveyed.key} has no schedule that could run: `coolify backup configure`.")
                step_done(f"{surveyed.key} has no schedule")
                continue
            # One that goes into a bucket is worth more than one beside the database.
            schedule = max(enabled, key=lambda one: (one.save_s3, one.dump_all))
            judged += await run_backup(session, surveyed, schedule)
        findings = [finding for one in judged for finding in one.findings]
        archives: list[str] = []
        for volume, before in await look_at_volumes(session, request.database):
            archive, seen = await run_volume_backup(session, volume, before)
            findings += seen
            archives += [archive.key] if archive else []
        made = counted(len(judged) + len(archives), "backup")
        result = BackedUp(
            good=bool(findings) and not any(one.is_problem for one in findings),
            executions=tuple(one.execution.uuid for one in judged),
            archives=tuple(archives),
            findings=tuple(findings),
        )
        if result.good:
            handle.done(made)
            return Completed(message=f"{made} made.", data=result)
        problems = [one.summary for one in result.findings if one.is_problem]
        reason = " ".join(problems) or "There was nothing to back up."
        handle.failed(reason)
        return Failed(name="BackupFailed", message=reason, data=result)
