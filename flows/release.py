"""`release`: from the configuration file to an application that is proved to work, or back to the one before."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from prefect import flow
from prefect.client.schemas.objects import State
from pydantic import BaseModel, ConfigDict, Field

from blocks import CoolifyServer
from coolify.api import Application, QueueFullError
from coolify.backup.configuring import refuse_missing_keys
from coolify.decisions import HEALTH_GATE_FAILED
from coolify.errors import OperatorError
from coolify.exhaustion import Shortage
from coolify.plan import desired_settings, desired_variables, desired_volumes, fingerprint
from coolify.progress import chained, observe
from coolify.release import Outcome, Snapshot
from coolify.release.need import DeployNeed, decide_deploy
from coolify.release.report import ReleaseReport, Timeline
from coolify.release.strategy import ApplicationKind, NoWayBack
from flows.apply_schemas import apply_schemas, has_schemas
from flows.ask_operator import answered_in_prefect
from flows.back_up_first import back_up_first
from flows.check_health import check_health
from flows.configure_application import configure_application
from flows.configure_backups import configure_backups_after_release
from flows.deploy import DeploymentFailedError, deploy
from flows.preflight import Preflight, preflight
from flows.relieve import relieve
from flows.restore import RestorePoint, restore
from flows.run_hooks import run_hooks
from flows.set_up_databases import set_up_databases
from flows.set_up_project import set_up_project
from flows.verify_certificates import CertificateInvalidError, verify_certificates
from flows.verify_security import SecurityNotProvedError, verify_security
from tasks.backups import let_backups_end
from tasks.configuration import take_snapshot
from tasks.decision_points import take_decision
from tasks.deployments import kind_of, rollback_strategy
from tasks.failed_rollbacks import tell_failed_rollback
from tasks.following import DeploymentStuckError
from tasks.freeze import check_freeze
from tasks.hooks import HookFailedError, check_hooks
from tasks.locks import exclusive_release
from tasks.phases import step_done
from tasks.projects import find_application
from tasks.records import begin_record
from tasks.reports import Ending, conclude, final_state
from tasks.room import lower_limits
from tasks.session import Session, Target, open_session
from tasks.way_back import look_around

__all__ = ["ReleaseRequest", "release"]

_FULL_SHA: Final = re.compile(r"^[0-9a-f]{40}$")


class ReleaseRequest(BaseModel):
    """What to release."""

    model_config = ConfigDict(frozen=True)

    target: Target = Field(default=Target(), title="Application", description="The application to release.")
    force: bool = Field(default=False, title="Force", description="Deploy without cache even if nothing has changed.")
    override: bool = Field(
        default=False, title="Override freeze", description="Release also in a freeze; recorded in the report."
    )
    by: str = Field(default="", title="Who", description="Who releases, for report and history.", max_length=200)
    why: str = Field(default="", title="Why", description="Why, for report and history.", max_length=500)


@dataclass(frozen=True, slots=True)
class _Problem:
    """Why a version that was deployed is not what it should be."""

    text: str = ""
    """Empty when it is what it should be."""
    shortage: Shortage | None = None


@flow(name="release", flow_run_name="release {request.target.label}")
async def release(request: ReleaseRequest, server: CoolifyServer | None = None) -> State[ReleaseReport]:
    """Bring an application to the state that its configuration file declares, prove it, or bring the old state back.

    Running it again is the recovery from anything: what exists is adopted, what is unchanged stays, and a release
    whose process died is taken up again.

    Args:
        request: What to release.
        server: Connection to Coolify instead of the one in the configuration file.

    Returns:
        A state named Completed, RolledBack, RollbackFailed or Aborted, with the report as its result.
    """
    started = datetime.now(UTC)
    timeline = Timeline()
    with observe(chained(timeline)):
        ending = await _open_and_run(request, server)
    return final_state(await conclude(ending, timeline, started, by=request.by, why=request.why))


async def _open_and_run(request: ReleaseRequest, server: CoolifyServer | None) -> Ending:
    try:
        async with answered_in_prefect(), open_session(request.target, server) as session:
            try:
                return await _run(session, request)
            except OperatorError as error:
                return _aborted(session, error)
    except OperatorError as error:
        return Ending(Outcome.ABORTED, str(error), application=request.target.label)


async def _run(session: Session, request: ReleaseRequest) -> Ending:
    """The story of a release."""
    config, client, target = session.config, session.client, request.target
    await check_freeze(session, override=request.override)
    refuse_missing_keys(config, session.environ)
    found = await preflight(target)
    await check_hooks(session)
    async with exclusive_release(client.base_url, config.project.name, config.environment, config.application_name):
        placement = await set_up_project(target)
        if config.databases:
            await set_up_databases(target, placement)
        existing = await find_application(client, placement, config.application_name, config.application.uuid)
        before = await take_snapshot(client, existing) if existing else None
        resumed = await begin_record(session, existing, before) if existing else False
        await session.journal.note(by=request.by, why=request.why)
        configured = await configure_application(target, placement)
        application = await client.applications.get(configured.application_uuid)
        if existing is None:
            resumed = await begin_record(session, application, None)
            await session.journal.note(by=request.by, why=request.why)
        no_way_back = await _why_no_way_back(session, application)
        need = await _need(session, application, found, request, resumed=resumed, changed=configured.changed)
        step_done(f"{'deploy' if need.needed else 'no deployment'}: {need.reason}")
        if not need.needed:
            return await _prove_unchanged(session, application)
        if config.backups.schedules:
            await let_backups_end(session)
        if config.release.backup_before:
            if before is None or (before.commit or before.image_tag) is None:
                step_done("no backup before a first release: nothing has written to the databases yet")
            else:
                try:
                    await back_up_first(target)
                except OperatorError as error:
                    return await _undo(session, application, str(error), no_way_back)
        wanted = "" if configured.changed or request.force else _wanted_commit(session, found)
        await session.journal.note(image_digest=found.image_digest)
        if config.release.before:
            try:
                await run_hooks(target, "before", application.uuid, found.commit or "")
            except HookFailedError as error:
                return await _undo(session, application, str(error), no_way_back)
        return await _deploy_and_prove(session, application, no_way_back, wanted, force=request.force)


def _wanted_commit(session: Session, found: Preflight) -> str:
    """Return what a deployment of a run that died must have built to be of use still, empty where none is."""
    earlier = session.journal.record.image_digest if session.journal.record else None
    has_moved = None not in {earlier, found.image_digest} and earlier != found.image_digest
    return "" if has_moved else found.commit or ""


async def _deploy_and_prove(
    session: Session, application: Application, no_way_back: str | None, wanted_commit: str, *, force: bool
) -> Ending:
    target = session.target
    try:
        version, problem = await _deploy_once(session, application, wanted_commit, force=force)
        if problem.shortage and (await relieve(target, problem.shortage, problem.text)).adjusted:
            version, problem = await _deploy_once(session, application, "", force=False)
    except (DeploymentFailedError, DeploymentStuckError, QueueFullError) as error:
        return await _undo(session, application, str(error), no_way_back)
    if problem.text:
        unavailable = {"rollback": no_way_back} if no_way_back else {}
        choice = await take_decision(HEALTH_GATE_FAILED, session, problem.text, unavailable)
        if choice.option.id == "rollback":
            return await _go_back(session, application, problem.text, redeploy=True)
        reason = f"{problem.text} {choice.option.consequence}"
        return await _close(session, application, Outcome.ABORTED, reason, version)
    try:
        certificates = await verify_certificates(target)
        if session.config.security.is_declared:
            await verify_security(target)
    except (CertificateInvalidError, SecurityNotProvedError) as error:
        return await _close(session, application, Outcome.ABORTED, str(error), version)
    current = await session.client.applications.get(application.uuid)
    await session.journal.note(proved=await take_snapshot(session.client, current), fingerprint=_fingerprint(session))
    backups = await configure_backups_after_release(session)
    reason = backups if certificates.valid else f"{certificates.summary} {backups}".strip()
    return await _close(session, application, Outcome.COMPLETED, reason, version)


async def _deploy_once(
    session: Session, application: Application, wanted_commit: str, *, force: bool
) -> tuple[str, _Problem]:
    deployed = await deploy(session.target, application.uuid, force, wanted_commit)
    version = _version_of(application, deployed.commit)
    await session.journal.note(commit=version, commit_message=deployed.commit_message)
    return version, await _prove(session, application, version)


async def _prove(session: Session, application: Application, version: str) -> _Problem:
    """Return why the new version is not what it should be."""
    if has_schemas(session.config):
        try:
            await apply_schemas(session.target, application.uuid)
        except OperatorError as error:
            return _Problem(str(error))
    health = await check_health(session.target, _proof(session, version))
    if not health.passed:
        return _Problem(f"The health gate did not pass: {health.reason}.", health.shortage)
    if session.config.release.after:
        try:
            await run_hooks(session.target, "after", application.uuid, version)
        except HookFailedError as error:
            return _Problem(str(error))
    return _Problem()


async def _undo(session: Session, application: Application, why: str, no_way_back: str | None) -> Ending:
    """Nothing new serves; what was changed for it is taken back."""
    if no_way_back:
        return await _close(session, application, Outcome.ABORTED, f"{why} Nothing to go back to: {no_way_back}")
    return await _go_back(session, application, why, redeploy=False)


async def _prove_unchanged(session: Session, application: Application) -> Ending:
    """Nothing is to be deployed; what is there has to work all the same."""
    if has_schemas(session.config):
        try:
            await apply_schemas(session.target, application.uuid)
        except OperatorError as error:
            return await _close(session, application, Outcome.ABORTED, str(error))
    health = await check_health(session.target)
    if not health.passed:
        reason = f"Nothing has changed, but the application is not healthy: {health.reason}. Deploy it with --force."
        return await _close(session, application, Outcome.ABORTED, reason)
    try:
        await verify_certificates(session.target)
        if session.config.security.is_declared:
            await verify_security(session.target)
    except (CertificateInvalidError, SecurityNotProvedError) as error:
        return await _close(session, application, Outcome.ABORTED, str(error))
    last = await session.client.deployments.last_finished(application.uuid)
    serving = _version_of(application, last.commit) if last else None
    backups = await configure_backups_after_release(session)
    return await _close(session, application, Outcome.COMPLETED, backups or "Nothing to do.", serving)


async def _go_back(session: Session, application: Application, why: str, *, redeploy: bool) -> Ending:
    record = session.journal.record
    if record is None:
        raise TypeError("a release without a record cannot be rolled back")
    point = RestorePoint(application_uuid=application.uuid, number=record.number, state="before")
    try:
        restored = await restore(session.target, point, redeploy)
    except OperatorError as error:
        reason = f"{why} Rolling back failed: {error} {await look_around(session, application.uuid)}"
        await tell_failed_rollback(session, application, reason)
        return await _close(session, application, Outcome.ROLLBACK_FAILED, reason)
    lower_limits(session)
    return await _close(session, application, Outcome.ROLLED_BACK, why, restored.version)


async def _need(
    session: Session,
    application: Application,
    found: Preflight,
    request: ReleaseRequest,
    *,
    resumed: bool,
    changed: bool,
) -> DeployNeed:
    records = [one for one in await session.records.load(application.uuid) if not one.is_open]
    latest = records[-1] if records else None
    finished = await session.client.deployments.last_finished(application.uuid)
    deployed, wanted = finished.commit if finished else None, found.commit
    if kind_of(application) is not ApplicationKind.GIT:
        # Coolify knows no commit of an image: what was proved last counts.
        deployed = latest.serving if finished and latest else None
    elif wanted is not None and not _FULL_SHA.match(wanted):
        wanted = None
    return decide_deploy(
        latest=latest,
        resumed=resumed,
        fingerprint=_fingerprint(session),
        configuration_changed=changed,
        deployed_commit=deployed,
        wanted_commit=wanted,
        image_digest=found.image_digest,
        force=request.force,
    )


async def _why_no_way_back(session: Session, application: Application) -> str | None:
    """Return why this release could not be rolled back, None if it can; said before it starts."""
    before: Snapshot | None = session.journal.record.before if session.journal.record else None
    version = None
    if before is not None:
        is_image = kind_of(application) is ApplicationKind.DOCKER_IMAGE
        version = before.image_tag if is_image else before.commit
    if version is None:
        reason = "no version was serving before"
    else:
        strategy = rollback_strategy(application, await session.client.capabilities(), version)
        if not isinstance(strategy, NoWayBack):
            return None
        reason = strategy.reason
    step_done(f"this release cannot be rolled back: {reason}")
    return reason


async def _close(
    session: Session, application: Application, outcome: Outcome, reason: str, serving: str | None = None
) -> Ending:
    stored = session.journal.is_stored
    await session.journal.close(outcome, reason, serving)
    record = session.journal.record
    return Ending(
        outcome,
        reason,
        application=session.config.application_name,
        environment=session.config.environment,
        application_uuid=application.uuid,
        record=record if stored else None,
        deployed=bool(stored and record and record.deployment_uuid),
        serving=serving,
        url=session.config.domains[0].url if session.config.domains else None,
    )


def _aborted(session: Session, error: OperatorError) -> Ending:
    """End a release that was interrupted; its open record lets the next run take it up."""
    stored = session.journal.is_stored
    hint = " What was begun is taken up when you run the release again." if stored else ""
    return Ending(
        Outcome.ABORTED,
        f"{error}{hint}",
        application=session.config.application_name,
        environment=session.config.environment,
        record=session.journal.record if stored else None,
    )


def _fingerprint(session: Session) -> str:
    config, security = session.config, session.security
    settings = desired_settings(config, security)
    return fingerprint(settings, desired_variables(session.variables), security, desired_volumes(config))


def _version_of(application: Application, commit: str) -> str:
    """Return what names the deployed version: the commit, or an image's tag."""
    if kind_of(application) is ApplicationKind.DOCKER_IMAGE:
        return application.docker_registry_image_tag or "latest"
    return commit


def _proof(session: Session, version: str) -> str:
    """Return the text that proves the new version, empty where none is configured."""
    proof = session.config.health.version
    return proof.expected.replace("${commit}", version) if proof else ""
