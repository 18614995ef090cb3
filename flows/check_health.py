"""The health gate: the application answers well through its front door, several times in a row."""

from __future__ import annotations

from prefect import flow
from pydantic import BaseModel, ConfigDict

from blocks import CoolifyServer
from coolify.build import diagnose
from coolify.exhaustion import Shortage, shortage_of
from coolify.health.application import has_questions
from tasks.checks import pass_health_gate, read_container_log
from tasks.phases import phase
from tasks.session import Target, open_session

__all__ = ["Health", "check_health"]


class Health(BaseModel):
    """How the gate was decided."""

    model_config = ConfigDict(frozen=True)

    passed: bool
    reason: str
    checked: bool = True
    """False where there was nothing to ask from the outside."""
    shortage: Shortage | None = None
    """What the container's log says there is too little of."""


@flow(name="check health", flow_run_name="check health {target.label}")
async def check_health(target: Target, expected_version: str = "", server: CoolifyServer | None = None) -> Health:
    """Ask the application's domains until the health gate is decided; changes nothing.

    Args:
        target: The application.
        expected_version: Text that the version proof must show; empty for no proof.
        server: Connection to Coolify instead of the one in the configuration file.
    """
    async with open_session(target, server) as session, phase("check health") as handle:
        if not has_questions(session.config):
            handle.skipped("there is no domain to ask; add one to have releases proved")
            return Health(passed=True, reason="not checked: no domain", checked=False)
        result = await pass_health_gate(session, expected_version or None)
        shortage = None
        if result.passed:
            handle.done(result.reason)
        else:
            handle.failed(result.reason)
            shortage = shortage_of(diagnose(await read_container_log(session), started=True))
        last = "; ".join(f"{one.url} {one.reason}" for one in result.last if not one.ok)
        reason = f"{last} ({result.reason})" if last else result.reason
        return Health(passed=result.passed, reason=reason, shortage=shortage)
