"""Headers, limits and access of an application: written as labels, seen from the outside."""

from __future__ import annotations

from coolify.api import ApplicationSettings, CoolifyClient
from coolify.errors import OperatorError
from coolify.finding import Finding, Severity
from coolify.security import LabelsPlan, WantedSecurity, plan_labels
from coolify.security.absence import Standing, standing_of
from coolify.security.check import check_security
from tasks.phases import report_findings, step_done
from tasks.session import Session
from tasks.steps import step

__all__ = ["LabelsNotGeneratedError", "compare_labels", "look_at_security", "write_labels"]


class LabelsNotGeneratedError(OperatorError):
    """Coolify has not generated the labels that ours are to be added to."""


@step("compare labels")
async def compare_labels(client: CoolifyClient, application_uuid: str, wanted: WantedSecurity) -> LabelsPlan:
    """Return what the labels have to become, read anew: a change of domains has generated them again."""
    return plan_labels(await client.applications.get(application_uuid), wanted)


@step("write labels")
async def write_labels(client: CoolifyClient, application_uuid: str, wanted: WantedSecurity, plan: LabelsPlan) -> None:
    """Write the labels alone: together with domains they would be lost (reference 3.5).

    Raises:
        LabelsNotGeneratedError: The application has domains, and Coolify generates no labels for them.
    """
    if plan.lacks_routes:
        application = await client.applications.get(application_uuid)
        # Sending the same domains again makes Coolify generate labels (reference 3.4).
        await client.applications.update(application_uuid, ApplicationSettings(domains=application.fqdn))
        plan = plan_labels(await client.applications.get(application_uuid), wanted)
        if plan.lacks_routes:
            raise LabelsNotGeneratedError(
                f"Coolify generates no routing labels for {application.name} although it has domains: look at its "
                "labels in Coolify, and remove the section `security` if they are written by hand."
            )
    if plan.labels is not None:
        await client.applications.update(application_uuid, ApplicationSettings(custom_labels=plan.labels))
    step_done(f"security labels: {plan.before} -> {plan.after}", changed=True)


@step("look at security")
async def look_at_security(session: Session) -> tuple[Finding, ...]:
    """Compare what visitors get with what is configured; problems are warnings unless the configuration insists."""

    async def standing() -> Standing:
        return await standing_of(session.client, session.config)

    findings = await check_security(session.config, session.security, session.resolver, standing=standing)
    if not session.config.security.required:
        findings = tuple(
            one.model_copy(update={"severity": Severity.WARNING}) if one.is_problem else one for one in findings
        )
    report_findings(findings)
    return findings
