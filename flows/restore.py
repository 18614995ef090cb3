"""Bring an application back to a recorded state: image and configuration, proved from the outside."""

from __future__ import annotations

from typing import Literal

from prefect import flow
from pydantic import BaseModel, ConfigDict, Field

from blocks import CoolifyServer
from coolify.api import Application, Deployment, DeploymentStatus
from coolify.errors import OperatorError
from coolify.release import Snapshot, Step
from coolify.release.strategy import ApplicationKind, NoWayBack, Strategy
from coolify.release.way_back import earlier_questions
from coolify.security import Credential, WantedSecurity
from flows.check_health import Health, check_health
from tasks.configuration import restore_settings, restore_variables
from tasks.deployments import kind_of, rollback_strategy, trigger_rollback
from tasks.following import ended_with_the_run, follow_deployment, limits_of
from tasks.phases import phase, report_findings, step_done
from tasks.pinning import pinned_commit
from tasks.session import Session, Target, open_session
from tasks.way_back import look_back, version_of

__all__ = ["RestoreFailedError", "RestorePoint", "RestoreRefusedError", "Restored", "restore"]


class RestoreFailedError(OperatorError):
    """The earlier state could not be brought back, or does not work any more."""


class RestoreRefusedError(RestoreFailedError):
    """The earlier state cannot be brought back; nothing was touched."""


class RestorePoint(BaseModel):
    """Names a recorded state of an application."""

    model_config = ConfigDict(frozen=True)

    application_uuid: str = Field(title="Application UUID", description="UUID of the application in Coolify.")
    number: int = Field(ge=1, title="Release", description="Number of the release that recorded the state.")
    state: Literal["before", "proved"] = Field(
        default="before", title="State", description="The state before that release, or the one it proved."
    )


class Restored(BaseModel):
    """What serves now."""

    model_config = ConfigDict(frozen=True)

    version: str | None
    deployment_uuid: str | None = None
    health: str


@flow(name="restore", flow_run_name="restore release {point.number} ({point.state})")
async def restore(
    target: Target, point: RestorePoint, redeploy: bool = True, server: CoolifyServer | None = None
) -> Restored:
    """Restore settings, variables and version of an application, and prove that it works.

    Args:
        target: The application.
        point: The recorded state to bring back.
        redeploy: Run the earlier version again even if it still answers.
        server: Connection to Coolify instead of the one in the configuration file.

    Raises:
        RestoreFailedError: The state cannot be brought back, or the health gate does not pass.
    """
    async with open_session(target, server) as session, phase("roll back") as handle:
        snapshot = await _load(session, point)
        application = await session.client.applications.get(point.application_uuid)
        report_findings(await look_back(session, application, point.number, snapshot))
        strategy = await _strategy(session, application, snapshot)
        async with session.journal.step(Step.ROLL_BACK, snapshot.commit or snapshot.image_tag or ""):
            await restore_settings(session.client, application, snapshot)
            _knock_as_before(session, snapshot)
            session.config = earlier_questions(session.config, snapshot)
            await restore_variables(session.client, application.uuid, snapshot)
            restored = await _restore_version(session, application, snapshot, strategy, redeploy=redeploy)
        handle.done(f"{(restored.version or 'the earlier version')[:12]} serves again")
        return restored


async def _load(session: Session, point: RestorePoint) -> Snapshot:
    records = await session.records.load(point.application_uuid)
    record = next((one for one in records if one.number == point.number), None)
    snapshot = getattr(record, point.state) if record else None
    if snapshot is None:
        raise RestoreRefusedError(
            f"Release {point.number} has no recorded state '{point.state}': only the newest releases keep theirs. Fix "
            "the application forward, or roll back in Coolify."
        )
    if not isinstance(snapshot, Snapshot):
        raise TypeError(f"{point.state} is not a snapshot")
    return snapshot


async def _strategy(session: Session, application: Application, snapshot: Snapshot) -> Strategy:
    """Choose how to go back, before anything is touched."""
    version = version_of(application, snapshot)
    if version is None:
        raise RestoreRefusedError("Nothing was serving before this release, so there is nothing to go back to.")
    strategy = rollback_strategy(application, await session.client.capabilities(), version)
    if isinstance(strategy, NoWayBack):
        raise RestoreRefusedError(f"The version {version[:12]} cannot be run again: {strategy.reason}.")
    return strategy


async def _restore_version(
    session: Session, application: Application, snapshot: Snapshot, strategy: Strategy, *, redeploy: bool
) -> Restored:
    version = version_of(application, snapshot) or ""
    target = session.target
    if not redeploy:
        health = await check_health(target, _proof(session, version))
        if health.passed:
            return Restored(version=version, health=health.reason)
        step_done("the old container does not answer any more: the version is deployed again")
    if strategy is Strategy.PINNED_COMMIT:
        # The pin is only for this deployment: the next release decides anew.
        pin = str(snapshot.settings.get("git_commit_sha") or "HEAD")
        async with pinned_commit(session.client, application.uuid, version, pin):
            ended = await _run_version(session, application, strategy, version)
    else:
        ended = await _run_version(session, application, strategy, version)
    uuid = ended.deployment_uuid
    if ended.status is not DeploymentStatus.FINISHED:
        raise RestoreFailedError(f"The deployment {uuid} of version {version[:12]} ended as {ended.status.value}.")
    if kind_of(application) is ApplicationKind.GIT and ended.commit != version:
        raise RestoreFailedError(f"Coolify deployed {ended.commit[:12]} instead of {version[:12]}.")
    health = await check_health(target, _proof(session, version))
    _demand(health, version)
    return Restored(version=version, deployment_uuid=uuid, health=health.reason)


def _knock_as_before(session: Session, snapshot: Snapshot) -> None:
    """Let the gate use the password that the earlier version asks for; the configuration has the newer one."""
    name = snapshot.settings.get("http_basic_auth_username")
    if snapshot.settings.get("is_http_basic_auth_enabled") and isinstance(name, str) and snapshot.login_password:
        credential = Credential(name, snapshot.login_password, None)
        session.security = WantedSecurity(session.security.section, (credential,))


async def _run_version(session: Session, application: Application, strategy: Strategy, version: str) -> Deployment:
    release, name = session.config.release, application.name
    patience = release.stage_timeouts.queued
    async with ended_with_the_run(session.client, application.uuid):
        uuid = await trigger_rollback(
            session.client, application.uuid, strategy, version, patience=patience, subject=name
        )
        return await follow_deployment(session.client, uuid, limits_of(release), name)


def _demand(health: Health, version: str) -> None:
    if not health.passed:
        raise RestoreFailedError(f"The version {version[:12]} runs again, but {health.reason}.")


def _proof(session: Session, version: str) -> str:
    """Return what proves the earlier version: a fixed text in the configuration is of the newer one."""
    proof = session.config.health.version
    return proof.expected.replace("${commit}", version) if proof and "${commit}" in proof.expected else ""
