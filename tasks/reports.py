"""The end of a run: a report artifact for people, an event for automations."""

from __future__ import annotations

import re

from prefect import task
from prefect.artifacts import acreate_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.events import emit_event

from coolify.release.report import ReleaseReport, render_markdown

__all__ = ["publish_report"]


@task(name="publish report", cache_policy=NO_CACHE)
async def publish_report(report: ReleaseReport, application_uuid: str | None) -> None:
    """Keep the report as an artifact of the run and announce the outcome.

    Args:
        report: What happened.
        application_uuid: UUID in Coolify, None when the release ended before the application was known.
    """
    key = f"{report.kind}-{_slug(report.application)}-{_slug(report.environment)}"
    await acreate_markdown_artifact(render_markdown(report), key=key, description=f"{report.kind} report")
    emit_event(
        event=f"coolify.{report.kind}.{report.outcome.value.replace('_', '-')}",
        resource={
            "prefect.resource.id": f"coolify.application.{application_uuid or _slug(report.application)}",
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
        },
    )


def _slug(text: str) -> str:
    """Artifact keys hold lower-case letters, digits and dashes only."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "unnamed"
