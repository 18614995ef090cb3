"""A deployment runs to its end; what its end is worth is proved by other phases."""

from __future__ import annotations

from typing import Literal

from prefect import flow
from pydantic import BaseModel, ConfigDict

from blocks import CoolifyServer
from coolify.api import Deployment, DeploymentStatus
from coolify.build import Again
from coolify.decisions import BUILD_FAILED
from coolify.deployment.stages import Stage
from coolify.errors import OperatorError
from coolify.exhaustion import shortage_of
from coolify.release import Step, StepStatus
from flows.ask_operator import answered_in_prefect
from flows.relieve import relieve
from tasks.build_logs import diagnose_deployment
from tasks.decision_points import take_decision
from tasks.deployments import cancel_dead_deployment, newest_deployment, page_of, trigger_deployment
from tasks.following import DeploymentStuckError, ended_with_the_run, follow_deployment, limits_of
from tasks.phases import phase, step_done
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


@flow(name="deploy", flow_run_name="deploy {target.label}")
async def deploy(
    target: Target,
    application_uuid: str,
    force: bool = False,
    wanted_commit: str = "",
    server: CoolifyServer | None = None,
) -> Deployed:
    """Deploy an application as it is configured in Coolify, and follow the build.

    A deployment that a run which died has queued is followed instead of queueing another.

    Args:
        target: The application.
        application_uuid: Its UUID in Coolify.
        force: Build without cache.
        wanted_commit: Commit that the dead run's deployment must have built to count when it has finished meanwhile;
            empty where a finished one never counts, as after a change of the configuration.
        server: Connection to Coolify instead of the one in the configuration file.
    """
    async with answered_in_prefect(), open_session(target, server) as session, phase("deploy") as handle:
        newest = await newest_deployment(session.client, application_uuid)
        left = _left_by_dead_run(session, newest, wanted_commit)
        async with session.journal.step(Step.DEPLOY, newest.deployment_uuid if newest else ""):
            try:
                ended = await _deploy_once(session, application_uuid, force=force, left=left)
            except DeploymentStuckError as error:
                ended = await _take_more_time(session, application_uuid, error)
            else:
                if ended.status is DeploymentStatus.FAILED:
                    ended = await _retry_or_give_up(session, application_uuid, ended)
            if ended.status is not DeploymentStatus.FINISHED:
                raise DeploymentFailedError(_why(ended))
        handle.done(f"{ended.commit[:12]} {ended.commit_message or ''}".strip())
        return Deployed(deployment_uuid=ended.deployment_uuid, commit=ended.commit, commit_message=ended.commit_message)


async def _deploy_once(
    session: Session, application_uuid: str, *, force: bool, left: Deployment | None = None, patience: float = 1
) -> Deployment:
    client, release, name = session.client, session.config.release, session.config.application_name
    async with ended_with_the_run(client, application_uuid):
        if left is None:
            limits = release.stage_timeouts
            await cancel_dead_deployment(client, application_uuid, limits.building, name)
            uuid = await trigger_deployment(client, application_uuid, force=force, patience=limits.queued, subject=name)
        else:
            uuid = left.deployment_uuid
            step_done(f"deployment {uuid} of the earlier run is followed")
        await session.journal.note(deployment_uuid=uuid)
        ended = await follow_deployment(client, uuid, limits_of(release).times(patience), name)
        await session.journal.note(deployment_url=page_of(client, ended))
        return ended


async def _take_more_time(session: Session, application_uuid: str, stuck: DeploymentStuckError) -> Deployment:
    """Deploy once more with twice the time, where that is decided: what hung may have been the network."""
    if stuck.stage is Stage.QUEUED:
        raise stuck
    choice = await take_decision(BUILD_FAILED, session, str(stuck))
    if choice.option.id != "retry":
        raise stuck
    session.adjusted = True
    step_done("deploying once more, with twice the time")
    return await _deploy_once(session, application_uuid, force=False, patience=2)


def _why(ended: Deployment) -> str:
    if ended.status is DeploymentStatus.CANCELLED:
        return (
            f"The deployment {ended.deployment_uuid} was cancelled in Coolify, not by this run: what served before "
            "goes on serving."
        )
    return f"The deployment {ended.deployment_uuid} ended as {ended.status.value}: its log in Coolify tells why."


async def _retry_or_give_up(session: Session, application_uuid: str, failed: Deployment) -> Deployment:
    causes = await diagnose_deployment(session.client, failed.deployment_uuid, session.config.application_name)
    told = " ".join(f"{cause.rule.name}: {cause.rule.summary}" for cause in causes)
    evidence = f"The deployment {failed.deployment_uuid} failed. {told or 'Its log shows no known cause.'}"
    if shortage := shortage_of(causes):
        relief = await relieve(session.target, shortage, evidence)
        return await _deploy_once(session, application_uuid, force=False) if relief.adjusted else failed
    choice = await take_decision(BUILD_FAILED, session, evidence)
    if choice.option.id != "retry":
        return failed
    session.adjusted = True
    again = causes[0].again if causes else Again.WITHOUT_CACHE
    step_done(f"building once more, {again.value}")
    return await _deploy_once(session, application_uuid, force=again is Again.WITHOUT_CACHE)


def _left_by_dead_run(session: Session, newest: Deployment | None, wanted_commit: str) -> Deployment | None:
    """Return the deployment that an adopted release has queued before its process died, if it is still of use.

    The journal holds the newest deployment that was there before: what is newer came of the dead run, also where it
    died before it could note the answer. One that has finished is of use as long as nothing was changed after it: what
    the dead run had still to do was to prove it.
    """
    record = session.journal.record
    entries = [entry for entry in record.journal if entry.step is not Step.RUN_HOOK] if record else []
    deploys = [entry for entry in entries if entry.step is Step.DEPLOY]
    if record is None or newest is None or not deploys or newest.deployment_uuid == deploys[0].detail:
        return None
    was_deploying = deploys[-1].status is StepStatus.STARTED
    was_proving = entries[-1].step is Step.DEPLOY and entries[-1].status is StepStatus.DONE
    if was_deploying and not newest.status.is_terminal:
        return newest
    is_ours = was_deploying or (was_proving and newest.deployment_uuid == record.deployment_uuid)
    is_wanted = newest.status is DeploymentStatus.FINISHED and newest.commit == wanted_commit
    return newest if is_ours and is_wanted else None
