"""Configuration without deployment: project, application, settings and variables as the file says."""

from __future__ import annotations

from prefect import flow
from pydantic import BaseModel, ConfigDict, Field

from blocks import CoolifyServer
from coolify.plan import desired_volumes
from flows.configure_application import configure_application
from flows.set_up_databases import set_up_databases
from flows.set_up_project import set_up_project
from tasks.configuration import delete_variables, delete_volumes
from tasks.locks import exclusive_release
from tasks.session import Target, open_session

__all__ = ["Applied", "ApplyRequest", "apply"]


class ApplyRequest(BaseModel):
    """What to bring in line."""

    model_config = ConfigDict(frozen=True)

    target: Target = Field(default=Target(), title="Application")
    prune: bool = Field(
        default=False,
        title="Delete unmanaged variables",
        description="Delete the variables that the configuration does not mention.",
    )
    delete_volumes: bool = Field(
        default=False,
        title="Delete unmanaged volumes",
        description="Delete the volumes that the configuration does not mention, and the data in them.",
    )


class Applied(BaseModel):
    """What was done."""

    model_config = ConfigDict(frozen=True)

    application_uuid: str
    created: bool
    changed: bool
    deleted: tuple[str, ...] = ()
    """Variables and volumes that were deleted."""


@flow(name="apply", flow_run_name="apply {request.target.label}")
async def apply(request: ApplyRequest, server: CoolifyServer | None = None) -> Applied:
    """Bring an application in line with its configuration file, as a release does, without deploying it.

    Settings and variables take effect with the next deployment or restart (reference 2.4).

    Args:
        request: What to bring in line.
        server: Connection to Coolify instead of the one in the configuration file.
    """
    target = request.target
    async with open_session(target, server) as session:
        config = session.config
        identity = (session.client.base_url, config.project.name, config.environment, config.application_name)
        async with exclusive_release(*identity):
            placement = await set_up_project(target)
            if config.databases:
                await set_up_databases(target, placement)
            configured = await configure_application(target, placement)
            deleted: tuple[str, ...] = ()
            if request.prune:
                keep = frozenset(variable.key for variable in session.variables)
                deleted = await delete_variables(session.client, configured.application_uuid, keep)
            if request.delete_volumes:
                application = await session.client.applications.get(configured.application_uuid)
                deleted += await delete_volumes(session.client, application, desired_volumes(config))
            return Applied(
                application_uuid=configured.application_uuid,
                created=configured.created,
                changed=configured.changed or bool(deleted),
                deleted=deleted,
            )
