"""Buckets and schedules in Coolify are what the configuration says."""

from __future__ import annotations

from datetime import UTC, datetime

from prefect import flow
from pydantic import BaseModel, ConfigDict

from blocks import CoolifyServer
from coolify.backup.configuring import plan_schedules
from coolify.databases import find_databases
from coolify.errors import OperatorError
from coolify.finding import Finding
from coolify.wording import counted
from tasks.backups import ensure_storages, proved_executions, write_schedules
from tasks.phases import phase, report_findings
from tasks.session import Target, open_session

__all__ = ["BackupsConfigured", "BackupsRefusedError", "configure_backups", "configure_backups_after_release"]


class BackupsRefusedError(OperatorError):
    """The schedules are not written, because that would lose something."""


class BackupsConfigured(BaseModel):
    """What was done."""

    model_config = ConfigDict(frozen=True)

    created: int = 0
    updated: int = 0
    findings: tuple[Finding, ...] = ()


@flow(name="configure backups", flow_run_name="configure backups {target.config}")
async def configure_backups(target: Target, server: CoolifyServer | None = None) -> BackupsConfigured:
    """Bring buckets and schedules in line with the configuration file; schedules that it does not mention stay.

    Args:
        target: The application.
        server: Connection to Coolify instead of the one in the configuration file.

    Raises:
        BackupsRefusedError: Retention would delete the only backup whose restore was seen.
        OperatorError: A bucket cannot be used, or a database is missing.
    """
    async with open_session(target, server) as session, phase("configure backups") as handle:
        config, client = session.config, session.client
        if not config.backups.schedules:
            handle.skipped("no schedules in `backups`")
            return BackupsConfigured()
        databases = await find_databases(client, config)
        storages = await ensure_storages(session)
        proved = {key: await proved_executions(one.uuid) for key, one in databases.items()}
        plan = await plan_schedules(client, config, databases, storages, proved, datetime.now(UTC))
        report_findings(plan.findings)
        refused = [one for one in plan.findings if one.is_problem]
        if refused:
            raise BackupsRefusedError(" ".join(f"{one.summary} {one.remedy}" for one in refused))
        await write_schedules(session, plan.changes)
        kinds = [change.kind for change in plan.changes]
        changed = len(kinds) - kinds.count("unchanged")
        handle.done(counted(changed, "change") if changed else "unchanged")
        return BackupsConfigured(created=kinds.count("create"), updated=kinds.count("update"), findings=plan.findings)


async def configure_backups_after_release(target: Target) -> str:
    """Configure backups as the last phase of a release; return what is wrong with them in one sentence, or nothing.

    The application works by then: a bucket that cannot be reached is no reason to call it otherwise.
    """
    try:
        await configure_backups(target)
    except OperatorError as error:
        return f"The backups are not as configured: {error}"
    return ""
