"""Headers, limits and access are what visitors get, not what labels say."""

from __future__ import annotations

from prefect import flow
from pydantic import BaseModel, ConfigDict

from blocks import CoolifyServer
from coolify.errors import OperatorError
from coolify.finding import Severity
from coolify.wording import counted
from tasks.phases import phase
from tasks.security import look_at_security
from tasks.session import Target, open_session

__all__ = ["SecurityNotProvedError", "SecuritySeen", "verify_security"]


class SecurityNotProvedError(OperatorError):
    """The application is served otherwise than the section `security` requires."""


class SecuritySeen(BaseModel):
    """What was seen."""

    model_config = ConfigDict(frozen=True)

    proved: bool
    summary: str


@flow(name="verify security", flow_run_name="verify security {target.label}")
async def verify_security(target: Target, server: CoolifyServer | None = None) -> SecuritySeen:
    """Compare what visitors get with the section `security`; changes nothing.

    Limits are not exceeded on purpose here, `coolify security check` does so when asked.

    Args:
        target: The application.
        server: Connection to Coolify instead of the one in the configuration file.

    Raises:
        SecurityNotProvedError: Something differs, and the configuration says that it is required.
    """
    async with open_session(target, server) as session, phase("verify security") as handle:
        if not session.config.security.is_declared or not session.config.domains:
            handle.skipped("nothing is configured that can be seen from the outside")
            return SecuritySeen(proved=True, summary="not checked: nothing is configured")
        findings = await look_at_security(session)
        problems = [one for one in findings if one.is_problem]
        if problems:
            raise SecurityNotProvedError(f"{problems[0].summary} {problems[0].remedy}".strip())
        warnings = [one for one in findings if one.severity is Severity.WARNING]
        summary = counted(len(warnings), "warning") if warnings else "as configured"
        handle.done(summary)
        return SecuritySeen(proved=not warnings, summary=summary)
