"""What a source points at beside what is deployed, and whether everything that belongs to it is in place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from coolify.api import AmbiguousNameError, Application, CoolifyClient, Deployment
from coolify.api.git_apps import GitApp
from coolify.api.models import PrivateKey
from coolify.config import Config, Source
from coolify.finding import Finding, Severity
from coolify.githosts import GitHostError, Hook, find_hook, open_git_host
from coolify.plan import desired_settings, plan_settings
from coolify.source.address import parse_address
from coolify.source.connect import read_publicly, read_with_key
from coolify.source.git import GitError
from coolify.source.image import check_image
from coolify.source.origin import judge_origin

__all__ = ["SourceStatus", "judge_status", "read_status"]

_OF_SOURCE = ("git_repository", "git_branch", "docker_registry_image_name")
_SHORT = 12


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """What was seen."""

    name: str
    """Repository and branch, or the image."""
    points_at: str | None = None
    """Commit of the branch, or digest of the tag; None when it could not be found out."""
    problem: str | None = None
    """Why the repository cannot be read."""
    image: Finding | None = None
    """What the registry said."""
    application: Application | None = None
    deployed: Deployment | None = None
    """The newest deployment that finished."""
    key: PrivateKey | None = None
    app: GitApp | None = None
    missing: str | None = None
    """What Coolify does not have although the configuration names it: the key or the app."""
    hook: Hook | None = None
    hook_problem: str | None = None
    """Why nobody knows whether there is a webhook."""

    @property
    def serving(self) -> str | None:
        """Commit or tag of the newest deployment."""
        if self.deployed is None:
            return None
        if self.application is not None and self.application.build_pack == "dockerimage":
            return self.application.docker_registry_image_tag
        return self.deployed.commit


async def read_status(
    client: CoolifyClient, source: Source, application: Application | None, environ: Mapping[str, str]
) -> SourceStatus:
    """Look at the source, at Coolify and at the Git host; nothing is changed.

    Args:
        client: The Coolify server.
        source: The source of the configuration.
        application: The application, None where there is none yet.
        environ: Where tokens of Git hosts and registries are looked up.
    """
    name = f"{parse_address(source.repository).name} ({source.branch})" if source.repository else source.image or "?"
    deployed = await client.deployments.last_finished(application.uuid) if application else None
    if source.image is not None:
        checked = await check_image(source, environ)
        return SourceStatus(
            f"{source.image}", checked.digest, image=checked.finding, application=application, deployed=deployed
        )
    if source.repository is None:
        return SourceStatus(f"Dockerfile {source.dockerfile}", application=application, deployed=deployed)
    key, app, missing = await _reader(client, source)
    points_at, problem = await _head(client, source, source.repository, key)
    hook, hook_problem = await _hook(source, source.repository, environ)
    return SourceStatus(name, points_at, problem, None, application, deployed, key, app, missing, hook, hook_problem)


async def _reader(client: CoolifyClient, source: Source) -> tuple[PrivateKey | None, GitApp | None, str | None]:
    try:
        if source.private_key is not None:
            return await client.private_keys.find(source.private_key), None, None
        if source.github_app is not None:
            return None, await client.git_apps.find(source.github_app), None
    except AmbiguousNameError as error:
        return None, None, str(error)
    return None, None, None


async def _head(
    client: CoolifyClient, source: Source, repository: str, key: PrivateKey | None
) -> tuple[str | None, str | None]:
    """Return the commit of the branch and, where it cannot be read, why; neither where only Coolify can read it."""
    address = parse_address(repository)
    try:
        if key is not None:
            private = await client.private_keys.private_half(key.uuid)
            return ((await read_with_key(address, source.branch, private)).commit if private else None), None
        if source.private_key is not None or source.github_app is not None:
            return None, None
        head = await read_publicly(address, source.branch)
    except GitError as error:
        return None, str(error)
    if head is None:
        return None, f"The repository {address.name} is private: run `coolify source connect {repository}`."
    return head.commit, None


async def _hook(source: Source, repository: str, environ: Mapping[str, str]) -> tuple[Hook | None, str | None]:
    webhook = source.webhook
    if webhook is None:
        return None, None
    host = open_git_host(parse_address(repository), webhook.host, webhook.api, environ)
    if host is None:
        return None, "There is no token for the Git host: set one to look, see `coolify source connect --help`."
    try:
        return await find_hook(host, webhook.url), None
    except GitHostError as error:
        return None, str(error)
    finally:
        await host.aclose()


def judge_status(config: Config, source: Source, status: SourceStatus) -> tuple[Finding, ...]:
    """Return what is right and what is wrong; a warning or an error means that somebody has to do something."""
    return (
        *_judge_reading(status),
        *_judge_reader(source, status),
        *judge_origin(source, status.application, status.key, status.app),
        *_judge_application(config, status),
        *_judge_hook(source, status),
    )


def _judge_reading(status: SourceStatus) -> list[Finding]:
    if status.image is not None:
        return [status.image]
    if status.problem is not None:
        summary, _, remedy = status.problem.rpartition(": ")
        return [_finding("source-unreadable", Severity.ERROR, status.name, f"{summary or status.name}.", remedy)]
    if status.points_at is None:
        return []
    return [_finding("source-readable", Severity.OK, status.name, f"{status.name} is at {status.points_at[:_SHORT]}.")]


def _judge_reader(source: Source, status: SourceStatus) -> list[Finding]:
    if status.missing is not None:
        name = "source-key-missing" if source.private_key else "source-app-missing"
        summary, _, remedy = status.missing.partition(": ")
        return [_finding(name, Severity.ERROR, source.private_key or source.github_app or "", f"{summary}.", remedy)]
    if status.key is not None:
        told = f"Coolify has the deploy key {status.key.name}."
        return [_finding("source-key-present", Severity.OK, status.key.name, told)]
    if status.app is not None:
        told = f"Coolify has the GitHub App {status.app.name}."
        return [_finding("source-app-present", Severity.OK, status.app.name, told)]
    return []


def _judge_application(config: Config, status: SourceStatus) -> list[Finding]:
    application = status.application
    if application is None or status.deployed is None:
        summary = f"Nothing of {config.application_name} is deployed yet."
        return [
            _finding("source-not-deployed", Severity.INFO, config.application_name, summary, "Run coolify release.")
        ]
    found = []
    changes = [one for one in plan_settings(application, desired_settings(config)).changes if one.subject in _OF_SOURCE]
    if changes:
        summary = "The application in Coolify is made from something else than the configuration says."
        evidence = tuple(str(change) for change in changes)
        finding = _finding("source-differs", Severity.WARNING, application.name, summary, "Run coolify plan.")
        found.append(finding.model_copy(update={"evidence": evidence}))
    found += _judge_progress(status)
    if application.raw.get("is_auto_deploy_enabled") is True and not config.release.auto_deploy:
        summary = "Coolify deploys every push on its own, past the health gate and beside the pipeline."
        remedy = "Run coolify apply, which switches it off, or set release.auto_deploy."
        found.append(_finding("source-auto-deploy-on", Severity.WARNING, application.name, summary, remedy))
    return found


def _judge_progress(status: SourceStatus) -> list[Finding]:
    serving = status.serving or ""
    if status.image is not None or status.points_at is None:
        return []
    if serving == status.points_at:
        summary = f"{serving[:_SHORT]} is deployed, the newest of {status.name}."
        return [_finding("source-deployed", Severity.OK, status.name, summary)]
    summary = f"{status.name} is at {status.points_at[:_SHORT]}, and {serving[:_SHORT]} is deployed."
    return [_finding("source-ahead", Severity.INFO, status.name, summary, "Run coolify release.")]


def _judge_hook(source: Source, status: SourceStatus) -> list[Finding]:
    webhook = source.webhook
    if webhook is None:
        return []
    connect = f"Run coolify source connect {source.repository} --webhook-url {webhook.url}."
    if status.hook_problem is not None:
        return [_finding("source-webhook-unknown", Severity.INFO, webhook.url, status.hook_problem)]
    if status.hook is None:
        summary = f"The Git host has no webhook that calls {webhook.url}: pushes start nothing."
        return [_finding("source-webhook-missing", Severity.WARNING, webhook.url, summary, connect)]
    if not status.hook.works:
        summary = f"The webhook that calls {webhook.url} is switched off or not called for pushes."
        return [_finding("source-webhook-inactive", Severity.WARNING, webhook.url, summary, connect)]
    return [_finding("source-webhook-present", Severity.OK, webhook.url, f"Pushes call {webhook.url}.")]


def _finding(name: str, severity: Severity, subject: str, summary: str, remedy: str = "") -> Finding:
    told = remedy[:1].upper() + remedy[1:]
    return Finding(name=name, severity=severity, subject=subject, summary=summary, remedy=told)
