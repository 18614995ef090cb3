"""Begin, adopt and look up the records of an application's releases."""

from __future__ import annotations

from datetime import UTC, datetime

from prefect.runtime import flow_run

from coolify.api import Application
from coolify.release import Outcome, ReleaseKind, ReleaseRecord, Snapshot, next_number, open_record
from tasks.dead_runs import end_dead_run
from tasks.journal import Journal
from tasks.phases import step_done
from tasks.session import Session
from tasks.sharing import current_set_run
from tasks.steps import step

__all__ = ["begin_record"]


@step("open release record")
async def begin_record(
    session: Session, application: Application, before: Snapshot | None, kind: ReleaseKind = "release"
) -> bool:
    """Open a record for this run, or adopt the one of a run that died; return whether one was adopted.

    The caller holds the application's lock, so that an open record belongs to nobody who lives. An adopted record keeps
    its number and its snapshot: that one was taken before anything was changed.
    """
    records = await session.records.load(application.uuid)
    unfinished = open_record(records)
    if unfinished is not None and unfinished.flow_run_id is not None:
        await end_dead_run(unfinished.flow_run_id)
    if unfinished is not None and unfinished.kind == kind:
        session.journal = Journal(unfinished, session.records, stored=True)
        session.decisions = [*unfinished.decisions, *session.decisions]
        await session.journal.note(
            flow_run_id=str(flow_run.id) if flow_run.id else None, set_run=current_set_run() or unfinished.set_run
        )
        step_done(f"{kind} {unfinished.number} did not end and is taken up again")
        return True
    if unfinished is not None:
        # Whoever began it died, and this run brings the application to another state.
        reason = f"It did not end; {kind} {next_number(records)} took over."
        await session.records.save(unfinished.closed(Outcome.ABORTED, datetime.now(UTC), reason))
    record = ReleaseRecord(
        number=next_number(records),
        kind=kind,
        application_uuid=application.uuid,
        application_name=application.name,
        environment=session.config.environment,
        started_at=datetime.now(UTC),
        flow_run_id=str(flow_run.id) if flow_run.id else None,
        set_run=current_set_run(),
        url=session.config.domains[0].url if session.config.domains else None,
        before=before,
        decisions=tuple(session.decisions),
    )
    session.journal = Journal(record, session.records)
    return False
