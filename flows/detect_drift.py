"""Drift: what somebody has changed in Coolify behind the configuration's back."""

from __future__ import annotations

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from blocks import CoolifyServer
from coolify.finding import Finding
from coolify.plan import Plan, drift_findings
from coolify.wording import counted
from tasks.comparison import compare_with_server
from tasks.phases import phase, report_findings
from tasks.reports import publish_drift
from tasks.session import Target, open_session

__all__ = ["detect_drift"]


@flow(name="detect drift", flow_run_name="detect drift {target.label}")
async def detect_drift(target: Target, server: CoolifyServer | None = None) -> State[Any]:
    """Compare an application with its configuration file; changes nothing.

    Args:
        target: The application.
        server: Connection to Coolify instead of the one in the configuration file.

    Returns:
        A state named Completed, or Drifted (failed, so that automations can alert), with the plan as its result.
    """
    async with open_session(target, server) as session, phase("detect drift") as handle:
        plan: Plan = await compare_with_server(session)
        findings: tuple[Finding, ...] = drift_findings(plan)
        report_findings(findings)
        await publish_drift(plan, findings)
        if not plan.changes:
            handle.done("none")
            return Completed(message=findings[0].summary, data=plan)
        summary = f"{counted(len(plan.changes), 'difference')}: {', '.join(str(one) for one in plan.changes)}"
        handle.failed(summary)
        return Failed(name="Drifted", message=summary, data=plan)
