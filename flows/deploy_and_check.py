"""A deployment with its health gate, without the other phases of a release."""

from __future__ import annotations

from prefect import flow
from pydantic import BaseModel, ConfigDict, Field

from blocks import CoolifyServer
from coolify.plan import existing_application
from flows.check_health import check_health
from flows.deploy import deploy
from tasks.access import authenticate
from tasks.locks import exclusive_release
from tasks.session import Target, open_session

__all__ = ["DeployRequest", "DeployedAndChecked", "deploy_and_check"]


class DeployRequest(BaseModel):
    """What to deploy."""

    model_config = ConfigDict(frozen=True)

    target: Target = Field(default=Target(), title="Application")
    force: bool = Field(default=False, title="Without cache", description="Build without cache.")


class DeployedAndChecked(BaseModel):
    """What is serving now."""

    model_config = ConfigDict(frozen=True)

    application_uuid: str
    deployment_uuid: str
    commit: str
    healthy: bool
    reason: str


@flow(name="deploy and check", flow_run_name="deploy and check {request.target.config}")
async def deploy_and_check(request: DeployRequest, server: CoolifyServer | None = None) -> DeployedAndChecked:
    """Deploy an application as it is configured in Coolify and ask whether it is healthy; rolls nothing back.

    Args:
        request: What to deploy.
        server: Connection to Coolify instead of the one in the configuration file.

    Raises:
        DeploymentFailedError: The build failed; the old container keeps serving where it could be kept.
        ApplicationMissingError: There is no such application.
    """
    target = request.target
    async with open_session(target, server) as session:
        config, client = session.config, session.client
        await authenticate(client)
        identity = (client.base_url, config.project.name, config.environment, config.application_name)
        async with exclusive_release(*identity):
            found = await existing_application(client, config)
            deployed = await deploy(target, found.uuid, request.force)
            health = await check_health(target)
            return DeployedAndChecked(
                application_uuid=found.uuid,
                deployment_uuid=deployed.deployment_uuid,
                commit=deployed.commit,
                healthy=health.passed,
                reason=health.reason,
            )
