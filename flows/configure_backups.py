"""Buckets and schedules in Coolify are what the configuration says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from prefect import flow
from pydantic import BaseModel, ConfigDict

from blocks import CoolifyServer
from coolify.backup.configuring import SchedulesPlan, plan_schedules
from coolify.backup.volumes import require_volumes
from coolify.databases import find_databases
from coolify.errors import OperatorError
from coolify.finding import Finding
from coolify.wording import counted
from tasks.backups import ensure_storages, proved_executions, write_schedules
from tasks.phases import phase, report_findings
from tasks.session import Session, Target, open_session
from tasks.volume_backups import retention_of_volumes, write_volume_schedules

__all__ = [
    "BackupsConfigured",
    "BackupsRefusedError",
    "configure_backups",
    "configure_backups_after_release",
    "plan_backups",
]


class BackupsRefusedError(OperatorError):
    """The schedules are not written, because that would lose something."""


class BackupsConfigured(BaseModel):
    """What was done."""

    model_config = ConfigDict(frozen=True)

    created: int = 0
    updated: int = 0
    findings: tuple[Finding, ...] = ()


@flow(name="configure backups", flow_run_name="configure backups {target.label}")
async def configure_backups(target: Target, server: CoolifyServer | None = None) -> BackupsConfigured:
    """Bring buckets and schedules in line with the configuration file; schedules that it does not mention stay.

    Args:
        target: The application.
        server: Connection to Coolify instead of the one in the configuration file.

    Raises:
        BackupsRefusedError: Retention would delete the only backup whose restore was seen.
        OperatorError: A bucket cannot be used, or a database or a volume is missing.
    """
    async with open_session(target, server) as session, phase("configure backups") as handle:
        if not session.config.backups.has_schedules:
            handle.skipped("no schedules in `backups`")
            return BackupsConfigured()
        await require_volumes(session.client, session.config)
        storages = await ensure_storages(session)
        plan = await plan_backups(session, storages)
        report_findings(plan.findings)
        refused = [one for one in plan.findings if one.is_problem]
        if refused:
            raise BackupsRefusedError(" ".join(f"{one.summary} {one.remedy}" for one in refused))
        await write_schedules(session, plan.changes)
        new_volumes = await write_volume_schedules(session, storages) if session.config.backups.volumes else 0
        kinds = [change.kind for change in plan.changes]
        changed = len(kinds) - kinds.count("unchanged") + new_volumes
        handle.done(counted(changed, "change") if changed else "unchanged")
        return BackupsConfigured(
            created=kinds.count("create") + new_volumes, updated=kinds.count("update"), findings=plan.findings
        )


async def plan_backups(session: Session, storages: Mapping[str, str]) -> SchedulesPlan:
    """Compare the schedules of databases with Coolify's, which tells none of volumes; changes nothing.

    Args:
        session: The application.
        storages: Key of a bucket -> its identifier in Coolify.

    Raises:
        OperatorError: A database or a volume is missing, or an engine has no backups.
    """
    databases = await find_databases(session.client, session.config)
    proved = {key: await proved_executions(one.uuid) for key, one in databases.items()}
    plan = await plan_schedules(session.client, session.config, databases, storages, proved, datetime.now(UTC))
    return replace(plan, findings=(*plan.findings, *await retention_of_volumes(session)))


async def configure_backups_after_release(session: Session) -> str:
    """Configure backups as the last phase of a release; return what is wrong with them in one sentence, or nothing.

    The application works by then: a bucket that cannot be reached is no reason to call it otherwise.
    """
    if not session.config.backups.has_schedules:
        return ""
    try:
        await configure_backups(session.target)
    except OperatorError as error:
        return f"The backups are not as configured: {error}"
    return ""
