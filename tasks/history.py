"""Read the records of an application without changing anything."""

from __future__ import annotations

from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId, ArtifactFilterKey

from blocks import CoolifyServer
from coolify.errors import OperatorError
from coolify.locating import find_application
from coolify.release import ReleaseRecord
from coolify.release.report import render_markdown, report_of
from tasks.reports import report_key
from tasks.session import Target, open_session

__all__ = ["NoSuchReleaseError", "read_history", "read_release"]


class NoSuchReleaseError(OperatorError):
    """There is no release of this number, or it is too old to be kept."""

    is_usage = True


async def read_history(target: Target, server: CoolifyServer | None = None) -> tuple[ReleaseRecord, ...]:
    """Return the records of an application, newest first; none when project or application do not exist."""
    async with open_session(target, server) as session:
        application = await find_application(session.client, session.config)
        return tuple(reversed(await session.records.load(application.uuid))) if application else ()


async def read_release(target: Target, number: int) -> tuple[ReleaseRecord, str]:
    """Return the record of a release and its report as Markdown.

    The report is the artifact that the run has left; where that is gone, it is written anew from the record.

    Raises:
        NoSuchReleaseError: There is none.
    """
    records = await read_history(target)
    record = next((one for one in records if one.number == number), None)
    if record is None:
        known = f"{records[-1].number} to {records[0].number}" if records else "none"
        raise NoSuchReleaseError(f"There is no release {number} in the history; there are: {known}.")
    return record, await _artifact(record) or render_markdown(report_of(record))


async def _artifact(record: ReleaseRecord) -> str | None:
    if record.flow_run_id is None:
        return None
    wanted = ArtifactFilter(
        flow_run_id=ArtifactFilterFlowRunId(any_=[UUID(record.flow_run_id)]),
        key=ArtifactFilterKey(any_=[report_key(record.kind, record.application_name, record.environment)]),
    )
    async with get_client() as client:
        found = await client.read_artifacts(artifact_filter=wanted)
    return str(found[0].data) if found else None
