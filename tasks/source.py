"""What the source points at, and what is known about its build before it is spent."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from coolify.api import Application, CoolifyClient
from coolify.config import Config, Source
from coolify.errors import OperatorError
from coolify.finding import Finding
from coolify.source import GitError, RemoteHead, parse_address, resolve_commit
from coolify.source.access import key_environment, known_hosts_file
from coolify.source.image import ImageSeen, check_image
from coolify.source.judge import files_to_read, judge_source, not_inspected
from coolify.source.origin import check_origin
from coolify.source.tree import look_into
from tasks.phases import report_findings, step_done
from tasks.session import Session
from tasks.steps import step

__all__ = ["SourceNotReadyError", "check_build", "check_registry", "check_source", "git_access", "refuse_misfit"]


class SourceNotReadyError(OperatorError):
    """A deployment of what the source points at would fail."""


@asynccontextmanager
async def git_access(client: CoolifyClient, source: Source) -> AsyncIterator[Mapping[str, str] | None]:
    """Yield what git has to be told to read the repository from here, None where only Coolify can read it.

    The deploy key of a private repository is asked of Coolify and lies in a file of ours only until the context is
    left.
    """
    if source.github_app is not None:
        yield None
    elif source.private_key is None:
        yield {}
    else:
        key = await client.private_keys.find(source.private_key)
        private = await client.private_keys.private_half(key.uuid)
        if private is None:
            yield None
        else:
            address = parse_address(source.repository or "")
            with key_environment(address, private, known_hosts_file(os.environ)) as environment:
                yield environment


@step("check source", run_name="check source {repository}")
async def check_source(repository: str, branch: str, environment: Mapping[str, str]) -> RemoteHead:
    """Resolve the branch of the repository, before a deployment is spent on it.

    Raises:
        GitError: The repository cannot be read or has no such branch.
    """
    head = await resolve_commit(parse_address(repository).git, branch, environment=environment)
    step_done(f"{branch} is at {head.commit[:12]}")
    return head


@step("check build")
async def check_build(config: Config, repository: str, commit: str, environment: Mapping[str, str]) -> None:
    """Look into the repository at the commit for what would make the build fail.

    That it cannot be looked into stops nothing: Coolify reads it itself.

    Raises:
        SourceNotReadyError: The build would fail.
    """
    try:
        tree = await look_into(
            parse_address(repository).git, commit, files_to_read(config.build), environment=environment
        )
    except GitError as error:
        report_findings((not_inspected(parse_address(repository).name, str(error)),))
        return
    findings = judge_source(config.build, config.domains, tree)
    report_findings(findings)
    _refuse(findings)
    step_done(f"{len(tree.files)} files of {commit[:12]} looked through")


@step("check origin")
async def refuse_misfit(client: CoolifyClient, source: Source, application: Application) -> None:
    """Find out whether an application that is there can be made from the source at all.

    Raises:
        SourceNotReadyError: It cannot, and Coolify's API cannot change that.
    """
    findings = await check_origin(client, source, application)
    report_findings(findings)
    _refuse(findings)


@step("check registry")
async def check_registry(session: Session, source: Source) -> ImageSeen:
    """Ask the registry for image and tag.

    Raises:
        SourceNotReadyError: There is no such tag.
    """
    seen = await check_image(source, session.environ)
    report_findings((seen.finding,))
    _refuse((seen.finding,))
    return seen


def _refuse(findings: tuple[Finding, ...]) -> None:
    problems = [finding for finding in findings if finding.is_problem]
    if problems:
        raise SourceNotReadyError(" ".join(f"{one.summary} {one.remedy}".strip() for one in problems))
