"""A commit that is deployed once although the branch has moved on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from coolify.api import ApplicationSettings, CoolifyClient, Feature
from tasks.phases import step_done

__all__ = ["pinned_commit"]


@asynccontextmanager
async def pinned_commit(client: CoolifyClient, application_uuid: str, commit: str, after: str) -> AsyncIterator[None]:
    """Pin an application to a commit while a deployment runs; it is unpinned whatever comes of that.

    A process that dies within leaves the pin; the next release sets what the configuration says.

    Args:
        client: The Coolify server.
        application_uuid: The application.
        commit: Full sha.
        after: What `git_commit_sha` is to be afterwards.

    Raises:
        UnsupportedVersionError: The server ignores a pin (before 4.2.0, trap 7).
    """
    (await client.capabilities()).require(Feature.GIT_PIN)
    await client.applications.update(application_uuid, ApplicationSettings(git_commit_sha=commit))
    step_done(f"pinned to {commit[:12]} for this deployment", changed=True)
    try:
        yield
    finally:
        await client.applications.update(application_uuid, ApplicationSettings(git_commit_sha=after))
