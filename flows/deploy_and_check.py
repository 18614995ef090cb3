"""A deployment with its health gate, without the other phases of a release."""

from __future__ import annotations

from prefect import flow
from pydantic import BaseModel, ConfigDict, Field

from blocks import CoolifyServer
from coolify.api import Application, ApplicationSettings, DeploymentStatus
from coolify.errors import OperatorError
from coolify.locating import existing_application
from coolify.release.strategy import ApplicationKind
from flows.ask_operator import answered_in_prefect
from flows.check_health import check_health
from flows.deploy import Deployed, DeploymentFailedError, deploy
from tasks.access import authenticate
from tasks.deployments import kind_of, trigger_deployment
from tasks.following import ended_with_the_run, follow_deployment, limits_of
from tasks.freeze import check_freeze
from tasks.locks import exclusive_release
from tasks.phases import step_done
from tasks.pinning import pinned_commit
from tasks.session import Session, Target, open_session

__all__ = ["DeployRequest", "DeployedAndChecked", "deploy_and_check"]


class NotDeployableError(OperatorError):
    """The application is of a kind that cannot be deployed like this."""


class DeployRequest(BaseModel):
    """What to deploy."""

    model_config = ConfigDict(frozen=True)

    target: Target = Field(default=Target(), title="Application")
    force: bool = Field(default=False, title="Without cache", description="Build without cache.")
    commit: str = Field(
        default="",
        title="Commit",
        description="Full sha of the commit to deploy once; empty for what is configured. Needs Coolify 4.2.0.",
        pattern=r"^([0-9a-f]{40})?$",
    )
    tag: str = Field(
        default="",
        title="Image tag",
        description="Tag of the image to deploy from now on; with a pull request, for its preview alone.",
        pattern=r"^([A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?$",
    )
    pull_request: int = Field(
        default=0, ge=0, title="Pull request", description="Number of the pull request whose preview is deployed."
    )
    override: bool = Field(default=False, title="Override freeze", description="Deploy also in a freeze.")
    wait: bool = Field(default=True, title="Wait", description="Follow the deployment and check health.")


class DeployedAndChecked(BaseModel):
    """What came of it."""

    model_config = ConfigDict(frozen=True)

    application_uuid: str
    deployment_uuid: str
    commit: str = ""
    """Empty where nobody waited for it."""
    healthy: bool | None
    """None where health was not checked."""
    reason: str


@flow(name="deploy and check", flow_run_name="deploy and check {request.target.label}")
async def deploy_and_check(request: DeployRequest, server: CoolifyServer | None = None) -> DeployedAndChecked:
    """Deploy an application as it is configured in Coolify and ask whether it is healthy; rolls nothing back.

    Args:
        request: What to deploy.
        server: Connection to Coolify instead of the one in the configuration file.

    Raises:
        DeploymentFailedError: The build failed; the old container keeps serving where it could be kept.
        ApplicationMissingError: There is no such application.
        NotDeployableError: It is of a kind that cannot be deployed like this.
    """
    async with answered_in_prefect(), open_session(request.target, server) as session:
        config, client = session.config, session.client
        await check_freeze(session, override=request.override)
        await authenticate(client)
        identity = (client.base_url, config.project.name, config.environment, config.application_name)
        async with exclusive_release(*identity):
            application = await existing_application(client, config)
            _check_kind(application, request)
            if request.pull_request:
                return await _preview(session, application, request)
            if request.tag:
                settings = ApplicationSettings(docker_registry_image_tag=request.tag)
                await client.applications.update(application.uuid, settings)
                step_done(f"image tag is {request.tag}", changed=True)
            if not request.wait:
                uuid = await trigger_deployment(client, application.uuid, force=request.force)
                return _not_waited_for(application, uuid)
            deployed = await _deploy(session, application, request)
            health = await check_health(request.target)
            return DeployedAndChecked(
                application_uuid=application.uuid,
                deployment_uuid=deployed.deployment_uuid,
                commit=deployed.commit,
                healthy=health.passed if health.checked else None,
                reason=health.reason,
            )


def _check_kind(application: Application, request: DeployRequest) -> None:
    """Refuse what Coolify would answer with a deployment of something else."""
    kind = kind_of(application)
    if request.commit and kind is not ApplicationKind.GIT:
        raise NotDeployableError(f"{application.name} is built from no repository: --commit is for those that are.")
    if request.commit and (request.pull_request or not request.wait):
        raise NotDeployableError(
            "--commit pins the application until its deployment has ended: it goes with neither --pr nor --no-wait."
        )
    if request.tag and kind is not ApplicationKind.DOCKER_IMAGE:
        raise NotDeployableError(f"{application.name} is no image of a registry: --tag is for those that are.")


async def _deploy(session: Session, application: Application, request: DeployRequest) -> Deployed:
    if not request.commit:
        return await deploy(request.target, application.uuid, request.force)
    after = str(application.raw.get("git_commit_sha") or "HEAD")
    async with pinned_commit(session.client, application.uuid, request.commit, after):
        deployed = await deploy(request.target, application.uuid, request.force)
    if deployed.commit != request.commit:
        raise NotDeployableError(f"Coolify deployed {deployed.commit[:12]} instead of {request.commit[:12]}.")
    return deployed


async def _preview(session: Session, application: Application, request: DeployRequest) -> DeployedAndChecked:
    client, number = session.client, request.pull_request
    async with ended_with_the_run(client, application.uuid, number):
        uuid = await client.deployments.trigger_preview(
            application.uuid, number, docker_tag=request.tag or None, force=request.force
        )
        step_done(f"deployment {uuid} of the preview of pull request {number} queued", changed=True)
        if not request.wait:
            return _not_waited_for(application, uuid)
        ended = await follow_deployment(client, uuid, limits_of(session.config.release), application.name)
    if ended.status is not DeploymentStatus.FINISHED:
        raise DeploymentFailedError(f"The preview's deployment {uuid} ended as {ended.status.value}.")
    return DeployedAndChecked(
        application_uuid=application.uuid,
        deployment_uuid=uuid,
        commit=ended.commit,
        healthy=None,
        reason=f"the preview of pull request {number} has a domain of its own, which is not checked",
    )


def _not_waited_for(application: Application, uuid: str) -> DeployedAndChecked:
    return DeployedAndChecked(
        application_uuid=application.uuid,
        deployment_uuid=uuid,
        healthy=None,
        reason="queued; nobody waited for its end",
    )
