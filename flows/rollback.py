"""`rollback`: bring back an earlier release by hand, configuration included."""

from __future__ import annotations

from datetime import UTC, datetime

from prefect import flow
from prefect.client.schemas.objects import State
from pydantic import BaseModel, ConfigDict, Field

from blocks import CoolifyServer
from coolify.api import Application
from coolify.errors import OperatorError
from coolify.progress import chained, observe
from coolify.release import Outcome
from coolify.release.report import ReleaseReport, Timeline
from coolify.release.target import PREVIOUS
from flows.ask_operator import answered_in_prefect
from flows.preflight import preflight
from flows.restore import RestorePoint, RestoreRefusedError, restore
from flows.set_up_project import set_up_project
from tasks.configuration import take_snapshot
from tasks.failed_rollbacks import tell_failed_rollback
from tasks.locks import exclusive_release
from tasks.phases import step_done
from tasks.projects import SourceMissingError, find_application
from tasks.records import begin_record
from tasks.reports import Ending, conclude, final_state
from tasks.session import Session, Target, open_session
from tasks.way_back import find_release, look_around

__all__ = ["RollbackRequest", "rollback"]


class RollbackRequest(BaseModel):
    """What to bring back."""

    model_config = ConfigDict(frozen=True)

    target: Target = Field(default=Target(), title="Application", description="The application to roll back.")
    version: str = Field(
        default=PREVIOUS,
        title="Version",
        description="previous, the number of a release, the beginning of a commit or an image tag, or a tag in Git.",
        min_length=1,
    )
    by: str = Field(default="", title="Who", description="Who rolls back, for report and history.", max_length=200)
    why: str = Field(default="", title="Why", description="Why, for report and history.", max_length=500)


@flow(name="rollback", flow_run_name="rollback {request.target.label} to {request.version}")
async def rollback(request: RollbackRequest, server: CoolifyServer | None = None) -> State[ReleaseReport]:
    """Restore image, settings and variables of a release that was proved, and prove again that it works.

    Databases are left alone.

    Args:
        request: What to bring back.
        server: Connection to Coolify instead of the one in the configuration file.

    Returns:
        A state named Completed, RollbackFailed or Aborted, with the report as its result.
    """
    started = datetime.now(UTC)
    timeline = Timeline()
    with observe(chained(timeline)):
        ending = await _open_and_run(request, server)
    return final_state(await conclude(ending, timeline, started, by=request.by, why=request.why))


async def _open_and_run(request: RollbackRequest, server: CoolifyServer | None) -> Ending:
    try:
        async with answered_in_prefect(), open_session(request.target, server) as session:
            return await _run(session, request)
    except OperatorError as error:
        return Ending(Outcome.ABORTED, str(error), kind="rollback", application=request.target.label)


async def _run(session: Session, request: RollbackRequest) -> Ending:
    """The story of a rollback."""
    config, client = session.config, session.client
    await preflight(request.target)
    async with exclusive_release(client.base_url, config.project.name, config.environment, config.application_name):
        placement = await set_up_project(request.target)
        application = await find_application(client, placement, config.application_name, config.application.uuid)
        if application is None:
            raise SourceMissingError(f"There is no application {config.application_name} in {config.environment}.")
        chosen = await find_release(session, application, request.version)
        step_done(f"going back to release {chosen.number}, version {(chosen.serving or '')[:12]}")
        await begin_record(session, application, await take_snapshot(client, application), "rollback")
        await session.journal.note(by=request.by, why=request.why)
        point = RestorePoint(application_uuid=application.uuid, number=chosen.number, state="proved")
        try:
            restored = await restore(request.target, point)
        except RestoreRefusedError as error:
            return await _close(session, application, Outcome.ABORTED, f"{error} Nothing was touched.")
        except OperatorError as error:
            reason = f"{error} {await look_around(session, application.uuid)}"
            await tell_failed_rollback(session, application, reason)
            return await _close(session, application, Outcome.ROLLBACK_FAILED, reason)
        await session.journal.note(
            commit=restored.version,
            commit_message=chosen.commit_message,
            deployment_uuid=restored.deployment_uuid,
            proved=chosen.proved,
        )
        reason = f"Release {chosen.number} serves again. The next release deploys what the source has then."
        return await _close(session, application, Outcome.COMPLETED, reason, restored.version)


async def _close(
    session: Session, application: Application, outcome: Outcome, reason: str, serving: str | None = None
) -> Ending:
    await session.journal.close(outcome, reason, serving)
    return Ending(
        outcome,
        reason,
        kind="rollback",
        application=session.config.application_name,
        environment=session.config.environment,
        application_uuid=application.uuid,
        record=session.journal.record,
        deployed=True,
        serving=serving,
        url=session.config.domains[0].url if session.config.domains else None,
    )
