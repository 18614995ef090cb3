"""Read the records of an application without changing anything."""

from __future__ import annotations

from coolify.plan import find_application
from coolify.release import ReleaseRecord
from tasks.session import Target, open_session

__all__ = ["read_history"]


async def read_history(target: Target) -> tuple[ReleaseRecord, ...]:
    """Return the records of an application, newest first; none when project or application do not exist."""
    async with open_session(target) as session:
        application = await find_application(session.client, session.config)
        return tuple(reversed(await session.records.load(application.uuid))) if application else ()
