"""Project and environment exist."""

from __future__ import annotations

from prefect import flow

from blocks import CoolifyServer
from coolify.api import Placement
from tasks.access import choose_server
from tasks.phases import phase
from tasks.projects import ensure_environment, ensure_project
from tasks.session import Target, open_session

__all__ = ["set_up_project"]


@flow(name="set up project", flow_run_name="set up project {target.label}")
async def set_up_project(target: Target, server: CoolifyServer | None = None) -> Placement:
    """Make sure that the project and the environment of an application exist; returns where it lives.

    Args:
        target: The application.
        server: Connection to Coolify instead of the one in the configuration file.
    """
    async with open_session(target, server) as session, phase("set up project") as handle:
        config = session.config
        project = await ensure_project(
            session.client, config.project.name, config.project.uuid, config.project.description
        )
        await ensure_environment(session.client, project.uuid, config.environment)
        chosen = await choose_server(session.client, config.application.server)
        handle.done(f"{project.name} / {config.environment}")
        return Placement(
            project_uuid=project.uuid,
            environment_name=config.environment,
            server_uuid=chosen.uuid,
            destination_uuid=config.application.destination,
        )
