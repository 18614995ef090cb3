"""The application exists with its source, build, resources, domains and variables."""

from __future__ import annotations

from prefect import flow
from pydantic import BaseModel, ConfigDict

from blocks import CoolifyServer
from coolify.api import Placement
from coolify.plan import desired_settings, desired_variables, desired_volumes, plan_settings
from coolify.release import Step
from coolify.wording import counted
from tasks.configuration import compare_variables, compare_volumes, update_settings, write_variables, write_volumes
from tasks.databases import connect_variables
from tasks.phases import phase
from tasks.projects import create_application, find_application
from tasks.security import compare_labels, write_labels
from tasks.session import Target, open_session
from tasks.source import refuse_misfit

__all__ = ["Configured", "configure_application"]


class Configured(BaseModel):
    """The application as it is now."""

    model_config = ConfigDict(frozen=True)

    application_uuid: str
    created: bool
    changed: bool


@flow(name="configure application", flow_run_name="configure application {target.label}")
async def configure_application(
    target: Target, placement: Placement, server: CoolifyServer | None = None
) -> Configured:
    """Bring an application in line with its configuration file, without deploying it.

    Args:
        target: The application.
        placement: Where it lives.
        server: Connection to Coolify instead of the one in the configuration file.
    """
    async with open_session(target, server) as session, phase("configure application") as handle:
        config, client, journal = session.config, session.client, session.journal
        await connect_variables(session)
        settings = desired_settings(config, session.security)
        application = await find_application(client, placement, config.application_name, config.application.uuid)
        created = application is None
        if application is None:
            application = await create_application(client, config, placement, settings)
        elif config.source is not None:
            await refuse_misfit(client, config.source, application)
        settings_plan = plan_settings(application, settings)
        if not settings_plan.is_empty:
            async with journal.step(Step.UPDATE_SETTINGS):
                await update_settings(client, application.uuid, settings_plan)
        # After domains and password, whose change generates all labels anew (reference 3.5).
        labels_plan = await compare_labels(client, application.uuid, session.security)
        if labels_plan.is_change:
            async with journal.step(Step.SET_LABELS):
                await write_labels(client, application.uuid, session.security, labels_plan)
        variables_plan = await compare_variables(client, application.uuid, desired_variables(session.variables))
        if variables_plan.writes:
            async with journal.step(Step.SYNC_VARIABLES):
                await write_variables(client, application.uuid, variables_plan)
        changes = len(settings_plan.changes) + len(variables_plan.changes) + labels_plan.is_change
        if volumes := desired_volumes(config):
            volumes_plan = await compare_volumes(client, application, volumes)
            changes += len(volumes_plan.changes)
            if volumes_plan.writes:
                async with journal.step(Step.WRITE_VOLUMES):
                    await write_volumes(client, application.uuid, volumes_plan)
        handle.done("created" if created else counted(changes, "change") if changes else "unchanged")
        return Configured(application_uuid=application.uuid, created=created, changed=created or changes > 0)
