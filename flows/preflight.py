"""Preflight: everything that can be known to fail is found before anything is changed."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping
from typing import Final

from prefect import flow
from pydantic import BaseModel, ConfigDict

from blocks import CoolifyServer
from coolify.api import AuthenticationError, Feature, Server
from coolify.config import BuildPack, Config, Source
from coolify.decisions import AUTHENTICATION_FAILED
from coolify.errors import OperatorError
from coolify.exhaustion import FULL, Shortage
from coolify.finding import Finding
from coolify.locating import names_of
from coolify.plan import judge_rollout
from coolify.release.readiness import judge_dependencies
from coolify.source import GitError, GitPrivateError
from coolify.wording import counted
from flows.ask_operator import answered_in_prefect
from flows.relieve import relieve
from tasks.access import ServerNotReadyError, authenticate, choose_server
from tasks.checks import check_domains
from tasks.decision_points import take_decision
from tasks.domain_settling import choose_way, take_way, wait_for_domains
from tasks.phases import phase, report_findings, step_done
from tasks.projects import applications_beside
from tasks.room import look_at_room
from tasks.session import Session, Target, open_session
from tasks.source import check_build, check_registry, check_source, git_access

__all__ = ["DependencyNotReadyError", "Preflight", "preflight"]

_FULL_SHA: Final = re.compile(r"^[0-9a-f]{40}$")
_HOPELESS: Final = 99
"""Percent of the disk after a cleaning, with which no image can be built."""


class DependencyNotReadyError(OperatorError):
    """An application that must come first is not there, or not healthy."""


class Preflight(BaseModel):
    """What was found out."""

    model_config = ConfigDict(frozen=True)

    server_uuid: str
    commit: str | None = None
    """Commit that the source points at, or the image's tag; None for repositories that only Coolify can read."""
    image_digest: str | None = None
    """What the image's tag is at the registry, where that told it."""


@flow(name="preflight", flow_run_name="preflight {target.label}")
async def preflight(target: Target, server: CoolifyServer | None = None) -> Preflight:
    """Check access, server, source and domains of an application; changes nothing but, by decision, DNS records.

    Args:
        target: The application.
        server: Connection to Coolify instead of the one in the configuration file.
    """
    async with answered_in_prefect(), open_session(target, server) as session, phase("preflight") as handle:
        await _authenticate(session)
        await _check_prerequisites(session)
        chosen = await choose_server(session.client, session.config.application.server)
        await _make_room(session, chosen)
        (commit, digest), _ = await asyncio.gather(
            _resolve_source(session), _settle_domains(session, names_of(chosen, session.client.base_url))
        )
        handle.done(f"{counted(len(session.config.domains), 'domain')}, server {chosen.name}")
        return Preflight(server_uuid=chosen.uuid, commit=commit, image_digest=digest)


async def _authenticate(session: Session) -> None:
    try:
        await authenticate(session.client)
    except AuthenticationError as error:
        choice = await take_decision(AUTHENTICATION_FAILED, session, str(error))
        if choice.option.id != "retry":
            raise
        # The token's source is read again; a token that is still refused ends the run.
        await authenticate(session.client)


async def _make_room(session: Session, server: Server) -> None:
    """Decide what is done about a full disk, before a build makes it worse."""
    use = await look_at_room(session.client, server)
    if use is None or use.percent < FULL:
        return
    evidence = f"The disk of {server.name} is used to {use.percent} %."
    relief = await relieve(session.target, Shortage.DISK, evidence)
    if not relief.adjusted:
        raise ServerNotReadyError(f"{evidence} Make room on it, then run again.")
    left = use.percent if relief.disk_percent is None else relief.disk_percent
    if left >= _HOPELESS:
        raise ServerNotReadyError(f"The disk of {server.name} is used to {left} % after cleaning up: enlarge it.")


async def _resolve_source(session: Session) -> tuple[str | None, str | None]:
    """Return the commit or tag that the source points at and the tag's digest, once nothing speaks against them."""
    source = session.config.source
    if source is None:
        return None, None
    if source.image is not None:
        return source.image_tag, (await check_registry(session, source)).digest
    if source.repository is None:
        return None, None
    async with git_access(session.client, source) as environment:
        if environment is None:
            step_done("the repository is private: only Coolify can read it")
            return source.commit, None
        return await _resolve_commit(session.config, source, source.repository, environment), None


async def _resolve_commit(
    config: Config, source: Source, repository: str, environment: Mapping[str, str]
) -> str | None:
    commit = source.commit
    if commit is None:
        try:
            commit = (await check_source(repository, source.branch, environment)).commit
        except GitError as error:
            if source.private_key is None or isinstance(error, GitPrivateError):
                raise
            # The way from here to the Git host is not the way from Coolify.
            step_done(f"the repository cannot be read from here: {error}")
            return None
    if _FULL_SHA.match(commit):
        await check_build(config, repository, commit, environment)
    return commit


async def _check_prerequisites(session: Session) -> None:
    """Refuse what the server cannot build, and a release before those that must come first."""
    config, client = session.config, session.client
    if config.build.pack is BuildPack.RAILPACK:
        (await client.capabilities()).require(Feature.RAILPACK)
    findings = judge_rollout(config)
    if config.release.requires:
        findings += judge_dependencies(config, await applications_beside(client, config))
    report_findings(findings)
    if problems := _problems(findings):
        raise DependencyNotReadyError(" ".join(f"{one.summary} {one.remedy}" for one in problems))


async def _settle_domains(session: Session, server: tuple[str, ...]) -> None:
    """Make sure that every domain leads to the server, by the declared decision where one does not."""
    hosts = tuple(sorted({domain.host for domain in session.config.domains}))
    if not hosts:
        return

    async def look() -> tuple[Finding, ...]:
        return tuple(_problems(await check_domains(session, server)))

    way = await choose_way(session, hosts, await session.resolver.server_addresses(*server), look)
    await take_way(session, way)
    await wait_for_domains(session, way)


def _problems(findings: Iterable[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.is_problem]
