"""The end of a renewal run: a table for people, an event for each certificate that changed or needs somebody."""

from __future__ import annotations

from prefect.artifacts import acreate_table_artifact
from prefect.events import emit_event

from coolify.tls import Renewal, Renewals
from tasks.steps import step

__all__ = ["publish_renewals"]


@step("publish renewals")
async def publish_renewals(renewals: Renewals) -> None:
    """Keep the table as an artifact of the run, and tell automations `coolify.certificate.<result>`."""
    rows = [
        {
            "domain": one.subject,
            "application": one.application,
            "result": one.result.value,
            "days left": one.days_left if one.days_left is not None else "",
            "reason": one.reason,
        }
        for one in renewals.hosts
    ]
    if rows:
        await acreate_table_artifact(rows, key="certificates", description=renewals.summary)
    for one in renewals.hosts:
        if one.result is not Renewal.FINE:
            emit_event(
                event=f"coolify.certificate.{one.result.value}",
                resource={
                    "prefect.resource.id": f"coolify.certificate.{one.subject}",
                    "prefect.resource.name": one.subject,
                    "coolify.application": one.application,
                },
                payload={
                    "reason": one.reason,
                    "days_left": one.days_left,
                    "serial_before": one.serial_before,
                    "serial_after": one.serial_after,
                },
            )
