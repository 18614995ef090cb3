"""Project, environment and application on the Coolify server, looked up before they are created."""

from __future__ import annotations

from coolify.api import (
    Application,
    ApplicationSettings,
    ApplicationSpec,
    CoolifyClient,
    DeployKeySource,
    DockerfileSource,
    DockerImageSource,
    GithubAppSource,
    Placement,
    Project,
    PublicGitSource,
)
from coolify.api.application_specs import ApplicationSource
from coolify.config import Config, Source
from coolify.errors import OperatorError
from coolify.source import parse_address
from tasks.phases import step_done
from tasks.steps import step

__all__ = [
    "SourceMissingError",
    "applications_beside",
    "create_application",
    "ensure_environment",
    "ensure_project",
    "find_application",
]


class SourceMissingError(OperatorError):
    """The configuration does not say what the application is made from."""

    is_usage = True


@step("ensure project", run_name="ensure project {name}")
async def ensure_project(client: CoolifyClient, name: str, uuid: str | None, description: str | None) -> Project:
    """Return the project with this UUID or name, created if there is none.

    Applications that are released together share it: two that look at the same time would create it twice.
    """

    async def ensure() -> Project:
        ensured = await client.projects.ensure(name, uuid, description)
        step_done(f"project {name}", changed=ensured.created)
        return ensured.value

    return await client.memory.once(("project", name, uuid), ensure)


@step("ensure environment", run_name="ensure environment {name}")
async def ensure_environment(client: CoolifyClient, project_uuid: str, name: str) -> None:
    """Make sure that the project has the environment."""

    async def ensure() -> None:
        ensured = await client.environments.ensure(project_uuid, name)
        step_done(f"environment {name}", changed=ensured.created)

    await client.memory.once(("environment", project_uuid, name), ensure)


@step("find application", run_name="find application {name}")
async def find_application(
    client: CoolifyClient, placement: Placement, name: str, uuid: str | None
) -> Application | None:
    """Return the application with this UUID or name, None if there is none."""
    return await client.applications.locate(placement, name, uuid)


@step("look at the applications beside")
async def applications_beside(client: CoolifyClient, config: Config) -> tuple[Application, ...]:
    """Return the applications of the same environment, none where there is no such environment yet."""
    project = await client.projects.locate(config.project.name, config.project.uuid)
    if project is None or config.environment not in {one.name for one in project.environments}:
        return ()
    return await client.environments.applications(project.uuid, config.environment)


@step("create application")
async def create_application(
    client: CoolifyClient, config: Config, placement: Placement, settings: ApplicationSettings
) -> Application:
    """Create the application as the configuration wants it, without deploying it.

    Raises:
        SourceMissingError: The configuration has no source.
    """
    if config.source is None:
        raise SourceMissingError(
            f"{config.path}: the application {config.application_name} does not exist yet, and without a section "
            "`source` it cannot be created: add source.repository or source.image."
        )
    source = await _source(client, config, config.source)
    own = settings.model_dump(exclude_unset=True, exclude=set(source.fields()) | {"git_commit_sha"})
    if isinstance(source, PublicGitSource | DeployKeySource | GithubAppSource):
        own["git_commit_sha"] = config.source.commit or "HEAD"
    else:
        own.pop("build_pack", None)
    if not isinstance(source, DockerfileSource):
        own.setdefault("ports_exposes", config.build.ports_exposes)
    spec = ApplicationSpec(
        name=config.application_name, placement=placement, source=source, settings=ApplicationSettings(**own)
    )
    application = await client.applications.create(spec)
    step_done(f"application {config.application_name}", changed=True)
    return application


async def _source(client: CoolifyClient, config: Config, source: Source) -> ApplicationSource:
    if source.image is not None:
        # A digest goes into the tag, without its `sha256:` (reference 2.1).
        return DockerImageSource(image=source.image.partition("@")[0], tag=source.image_tag)
    if source.dockerfile is not None:
        path = config.path.parent.parent / source.dockerfile
        try:
            return DockerfileSource(dockerfile=path.read_text())
        except OSError as error:
            raise SourceMissingError(f"The Dockerfile {path} cannot be read: {error.strerror}.") from None
    repository = parse_address(source.repository or "").coolify
    if source.github_app is not None:
        app = await client.git_apps.find(source.github_app)
        return GithubAppSource(repository=repository, branch=source.branch, github_app_uuid=app.uuid or "")
    if source.private_key is not None:
        key = await client.private_keys.find(source.private_key)
        return DeployKeySource(repository=repository, branch=source.branch, private_key_uuid=key.uuid)
    return PublicGitSource(repository=repository, branch=source.branch)
