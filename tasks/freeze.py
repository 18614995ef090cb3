"""Refuse what is started in a time in which nothing is released."""

from __future__ import annotations

from datetime import UTC, datetime

from coolify.config.freeze import active_freeze
from coolify.errors import OperatorError
from coolify.release.freezing import frozen
from tasks.phases import report_findings
from tasks.session import Session
from tasks.steps import step

__all__ = ["ReleaseFrozenError", "check_freeze"]


class ReleaseFrozenError(OperatorError):
    """Nothing is released at this time."""


@step("check freeze")
async def check_freeze(session: Session, *, override: bool) -> None:
    """Go on when no freeze is in force, or when it is overridden, which is recorded.

    Raises:
        ReleaseFrozenError: A freeze is in force.
    """
    freeze = active_freeze(session.config.release.freeze, datetime.now(UTC))
    if freeze is None:
        return
    finding = frozen(session.config.application_name, freeze, overridden=override)
    report_findings([finding])
    if not override:
        raise ReleaseFrozenError(f"{finding.summary} ({finding.evidence[0]}.) {finding.remedy}")
