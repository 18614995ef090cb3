"""Look at what a rollback would bring back, and at what became of one that failed."""

from __future__ import annotations

import re
from typing import Final

from coolify.api import Application, CoolifyError
from coolify.finding import Finding
from coolify.locating import existing_application
from coolify.release import ReleaseRecord, Snapshot
from coolify.release.strategy import ApplicationKind, NoWayBack, Strategy
from coolify.release.target import RollbackTargetError, find_target
from coolify.release.way_back import WayBack, judge_way_back
from coolify.source import GitError, parse_address, resolve_tag
from tasks.deployments import kind_of, rollback_strategy
from tasks.phases import step_done
from tasks.session import Session, Target, open_session
from tasks.source import git_access

__all__ = ["find_release", "look_around", "look_back", "survey_way_back", "version_of"]

_TAG: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/+-]{0,199}")


def version_of(application: Application, snapshot: Snapshot) -> str | None:
    """Return what names the version of a snapshot: commit or tag; None where nothing was serving."""
    return snapshot.image_tag if kind_of(application) is ApplicationKind.DOCKER_IMAGE else snapshot.commit


async def find_release(session: Session, application: Application, version: str) -> ReleaseRecord:
    """Return the recorded release that is meant: `previous`, a number, or the beginning of a commit or tag.

    A tag of the Git repository names its commit.

    Raises:
        RollbackTargetError: None fits, several do, or its state is not kept any more.
    """
    records = await session.records.load(application.uuid)
    try:
        return find_target(records, version)
    except RollbackTargetError:
        commit = await _commit_of_tag(session, version)
        if commit is None:
            raise
        step_done(f"the tag {version} names {commit[:12]}")
        return find_target(records, commit)


async def _commit_of_tag(session: Session, tag: str) -> str | None:
    source = session.config.source
    if source is None or source.repository is None or not _TAG.fullmatch(tag):
        return None
    try:
        async with git_access(session.client, source) as environment:
            if environment is None:
                return None
            return await resolve_tag(parse_address(source.repository).git, tag, environment=environment)
    except (GitError, CoolifyError):
        # Whoever asked for a number that does not exist is not told of Git.
        return None


async def survey_way_back(target: Target, version: str) -> tuple[Finding, ...]:
    """Return what a rollback would mean, for whoever has to confirm it; nothing is changed.

    Raises:
        ApplicationMissingError: There is no such application.
        RollbackTargetError: There is no such release.
    """
    async with open_session(target) as session:
        application = await existing_application(session.client, session.config)
        chosen = await find_release(session, application, version)
        if chosen.proved is None:
            raise TypeError("a release without its state was chosen")
        return await look_back(session, application, chosen.number, chosen.proved)


async def look_back(session: Session, application: Application, number: int, snapshot: Snapshot) -> tuple[Finding, ...]:
    """Return what going back to a recorded state means; nothing is changed.

    Args:
        session: The application.
        application: As it is now.
        number: The release that recorded the state.
        snapshot: The state.
    """
    client = session.client
    version = version_of(application, snapshot)
    strategy: Strategy | NoWayBack = NoWayBack("nothing was serving then")
    if version is not None:
        strategy = rollback_strategy(application, await client.capabilities(), version)
    kept = None
    if strategy is Strategy.NATIVE:
        # A server that Coolify does not reach has no images to it (reference 4.6).
        kept = tuple(sorted((await client.applications.rollback_images(application.uuid)).tags())) or None
    variables = await client.variables.list(application.uuid)
    way = WayBack(number, version or "nothing", snapshot, strategy, kept)
    return judge_way_back(way, application, variables, session.config)


async def look_around(session: Session, application_uuid: str) -> str:
    """Return in a sentence or two what state an application is in after something failed; empty where nobody knows."""
    client = session.client
    try:
        application = await client.applications.get(application_uuid)
        newest = await client.deployments.newest(application_uuid)
    except CoolifyError:
        return "What state it is in cannot be told: Coolify does not answer."
    told = f"The application is {application.status} in Coolify"
    if newest is None:
        return f"{told}; it was never deployed."
    commit = f" of {newest.commit[:12]}" if newest.commit else ""
    return f"{told}; its newest deployment, {newest.deployment_uuid}{commit}, is {newest.status.value}."
