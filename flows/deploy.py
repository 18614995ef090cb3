"""A deployment runs to its end; what its end is worth is proved by other phases."""

from __future__ import annotations

from typing import Literal

from prefect import flow
from pydantic import BaseModel, ConfigDict

from blocks import CoolifyServer
from coolify.api import Deployment, DeploymentStatus
from coolify.decisions import BUILD_FAILED
from coolify.errors import OperatorError
from coolify.release import Step, StepStatus
from tasks.decision_points import take_decision
from tasks.deployments import follow_deployment, trigger_deployment
from tasks.phases import phase
from tasks.session import Session, Target, open_session

__all__ = ["Deployed", "DeploymentFailedError", "deploy"]


class DeploymentFailedError(OperatorError):
    """Coolify ended the deployment without success; the old container keeps serving where it could be kept."""


class Deployed(BaseModel):
    """A deployment that Coolify calls finished."""

    model_config = ConfigDict(frozen=True)

    deployment_uuid: str
    status: Literal["finished"] = "finished"
    commit: str
    commit_message: str | None = None


@flow(name="deploy", flow_run_name="deploy {application_uuid}")
async def deploy(
    target: Target, application_uuid: str, force: bool = False, server: CoolifyServer | None = None
) -> Deployed:
    """Deploy an application as it is configured in Coolify, and follow the build.

    Args:
        target: The application.
        application_uuid: Its UUID in Coolify.
        force: Build without cache.
        server: Connection to Coolify instead of the one in the configuration file.
    """
    async with open_session(target, server) as session, phase("deploy") as handle:
        resumed = _was_deploying(session)
        async with session.journal.step(Step.DEPLOY):
            ended = await _deploy_once(session, application_uuid, force=force, resumed=resumed)
            if ended.status is DeploymentStatus.FAILED:
                ended = await _retry_or_give_up(session, application_uuid, ended)
            if ended.status is not DeploymentStatus.FINISHED:
                raise DeploymentFailedError(
                    f"The deployment {ended.deployment_uuid} ended as {ended.status.value}: its log in Coolify tells "
                    "why."
                )
        handle.done(f"{ended.commit[:12]} {ended.commit_message or ''}".strip())
        return Deployed(deployment_uuid=ended.deployment_uuid, commit=ended.commit, commit_message=ended.commit_message)


async def _deploy_once(session: Session, application_uuid: str, *, force: bool, resumed: bool) -> Deployment:
    uuid = await trigger_deployment(session.client, application_uuid, force=force, resumed=resumed)
    await session.journal.note(deployment_uuid=uuid)
    return await follow_deployment(session.client, uuid, session.config.release.deploy_timeout)


async def _retry_or_give_up(session: Session, application_uuid: str, failed: Deployment) -> Deployment:
    evidence = f"The deployment {failed.deployment_uuid} failed."
    choice = await take_decision(BUILD_FAILED, session.config, evidence)
    if choice.option.id != "retry":
        return failed
    # The only adjustment that is safe without a diagnosis: build without the cache.
    return await _deploy_once(session, application_uuid, force=True, resumed=False)


def _was_deploying(session: Session) -> bool:
    """Whether the journal of an adopted release shows a deployment that was begun and not seen to end."""
    entries = session.journal.record.journal if session.journal.record else ()
    deploys = [entry.status for entry in entries if entry.step is Step.DEPLOY]
    return bool(deploys) and deploys[-1] is StepStatus.STARTED
