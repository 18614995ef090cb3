"""The end of a run: a report artifact for people, an event for automations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from prefect.artifacts import acreate_markdown_artifact
from prefect.client.schemas.objects import State
from prefect.events import emit_event
from prefect.runtime import flow_run
from prefect.settings import PREFECT_API_URL
from prefect.states import Completed, Failed
from prefect.utilities.urls import url_for

from coolify.finding import Finding
from coolify.plan import Plan
from coolify.release import Outcome, ReleaseKind, ReleaseRecord
from coolify.release.report import ReleaseReport, Timeline, headline, render_markdown
from coolify.wording import slug
from tasks.steps import step

__all__ = ["Ending", "conclude", "final_state", "publish_drift", "publish_report", "report_key"]


@dataclass(frozen=True)
class Ending:
    """How a release or a rollback ended, before it is reported."""

    outcome: Outcome
    reason: str = ""
    kind: ReleaseKind = "release"
    application: str = ""
    environment: str = ""
    application_uuid: str | None = None
    record: ReleaseRecord | None = None
    deployed: bool = False
    serving: str | None = None
    url: str | None = None


async def conclude(
    ending: Ending, timeline: Timeline, started: datetime, *, by: str = "", why: str = ""
) -> ReleaseReport:
    """Write and publish the report of a release or a rollback.

    Args:
        ending: How it ended.
        timeline: What happened.
        started: When it began.
        by: Who began it.
        why: Why.
    """
    record = ending.record
    before = record.before if record else None
    report = ReleaseReport(
        kind=ending.kind,
        number=record.number if record else None,
        application=ending.application,
        environment=ending.environment,
        outcome=ending.outcome,
        deployed=ending.deployed,
        reason=ending.reason,
        commit=record.commit if record else None,
        commit_message=record.commit_message if record else None,
        serving=ending.serving,
        url=ending.url,
        deployment_uuid=record.deployment_uuid if record else None,
        deployment_url=record.deployment_url if record else None,
        run_url=_page_of_run(),
        before=before.commit or before.image_tag if before else None,
        by=by,
        why=why,
        started_at=started,
        finished_at=datetime.now(UTC),
        phases=timeline.phases,
        decisions=timeline.decisions,
        changes=timeline.changes,
        findings=timeline.findings,
    )
    await publish_report(report, ending.application_uuid)
    return report


def _page_of_run() -> str | None:
    # The server that Prefect starts for a single run ends with it, and its pages too.
    if flow_run.id is None or not PREFECT_API_URL.value():
        return None
    return url_for("flow-run", obj_id=flow_run.id)


def final_state(report: ReleaseReport) -> State[ReleaseReport]:
    """Return the state of the run: its name is the outcome, and automations match on it."""
    state = Completed if report.outcome is Outcome.COMPLETED else Failed
    return state(name=report.outcome.state_name, message=report.reason or None, data=report)


def report_key(kind: ReleaseKind, application: str, environment: str) -> str:
    """Return the key of the artifacts that hold the reports of an application."""
    return f"{kind}-{slug(application)}-{slug(environment)}"


@step("publish report")
async def publish_report(report: ReleaseReport, application_uuid: str | None) -> None:
    """Keep the report as an artifact of the run and announce the outcome.

    Args:
        report: What happened.
        application_uuid: UUID in Coolify, None when the release ended before the application was known.
    """
    key = report_key(report.kind, report.application, report.environment)
    await acreate_markdown_artifact(render_markdown(report), key=key, description=headline(report))
    emit_event(
        event=f"coolify.{report.kind}.{report.outcome.value.replace('_', '-')}",
        resource={
            "prefect.resource.id": f"coolify.application.{application_uuid or slug(report.application)}",
            "prefect.resource.name": report.application,
            "coolify.environment": report.environment,
        },
        payload={
            "number": report.number,
            "commit": report.commit,
            "serving": report.serving,
            "deployed": report.deployed,
            "reason": report.reason,
            "url": report.url,
            "by": report.by,
            "why": report.why,
        },
    )


@step("publish drift")
async def publish_drift(plan: Plan, findings: tuple[Finding, ...]) -> None:
    """Keep the comparison as an artifact, and tell automations about differences."""
    rows = [f"| {one.severity} | {one.subject} | {one.summary} | {'; '.join(one.evidence)} |" for one in findings]
    table = "\n".join(["| | what | finding | values |", "|---|---|---|---|", *rows])
    await acreate_markdown_artifact(
        key=f"drift-{slug(plan.application)}-{slug(plan.environment)}",
        markdown=f"# {plan.application} ({plan.environment}) beside its configuration\n\n{table}\n",
        description=f"Drift of {plan.application} ({plan.environment})",
    )
    if plan.changes:
        emit_event(
            event="coolify.drift.detected",
            resource={
                "prefect.resource.id": f"coolify.application.{slug(plan.application)}",
                "prefect.resource.name": plan.application,
                "coolify.environment": plan.environment,
            },
            payload={"differences": [str(action) for action in plan.changes]},
        )
