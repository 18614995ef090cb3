"""Why a deployment failed, as its log shows."""

from __future__ import annotations

from coolify.api import CoolifyClient
from coolify.build import Diagnosis, diagnose
from coolify.errors import OperatorError
from tasks.phases import report_findings, step_done
from tasks.steps import step

__all__ = ["diagnose_deployment"]


@step("diagnose deployment", run_name="diagnose deployment {deployment_uuid}")
async def diagnose_deployment(client: CoolifyClient, deployment_uuid: str, subject: str) -> tuple[Diagnosis, ...]:
    """Return the causes that fit the log of a failed deployment, and report them; none where it cannot be read.

    Args:
        client: The Coolify server.
        deployment_uuid: What failed.
        subject: Whose deployment it was.
    """
    try:
        log = await client.deployments.log(deployment_uuid)
    except OperatorError as error:
        # A diagnosis is help: without it the decision is taken all the same.
        step_done(f"the build log cannot be read: {error}")
        return ()
    found = diagnose(line.output for line in log or () if not line.hidden)
    report_findings([one.finding(subject) for one in found])
    return found
