"""Read the records of an application without changing anything."""

from __future__ import annotations

from coolify.api import Placement
from coolify.release import ReleaseRecord
from tasks.session import Target, open_session

__all__ = ["read_history"]


async def read_history(target: Target) -> tuple[ReleaseRecord, ...]:
    """Return the records of an application, newest first; none when project or application do not exist."""
    async with open_session(target) as session:
        config, client = session.config, session.client
        project = await client.projects.find(config.project.name)
        if project is None or config.environment not in {one.name for one in project.environments}:
            return ()
        placement = Placement(project_uuid=project.uuid, environment_name=config.environment, server_uuid="")
        application = await client.applications.locate(placement, config.application_name, config.application.uuid)
        return tuple(reversed(await session.records.load(application.uuid))) if application else ()
