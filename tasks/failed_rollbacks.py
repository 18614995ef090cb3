"""Tell of a rollback that failed, to those whom the configuration names."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import httpx
from prefect.exceptions import PrefectException

from coolify.api import Application
from coolify.monitor.alerts import failed_rollback_messages
from tasks.alerting import send_alerts
from tasks.phases import step_done
from tasks.session import Session, redaction_of

__all__ = ["tell_failed_rollback"]

_REMEDY: Final = "Look at the application now; then run `coolify rollback previous`, or release a fixed version."


async def tell_failed_rollback(session: Session, application: Application, reason: str) -> None:
    """Tell every destination of `monitoring.alerts`, also where the application is not watched.

    Whoever cannot be told keeps no release from ending: that is said among its steps.

    Args:
        session: The application's.
        application: The application.
        reason: Why the rollback failed, and what state everything is in.
    """
    config = session.config
    name = f"{config.application_name} ({config.environment})"
    why = redaction_of(session)(reason)
    problem = f"rollback-{application.uuid}"
    now = datetime.now(UTC)
    messages = failed_rollback_messages(config.monitoring.alerts, name, why, _REMEDY, problem, now)
    if not messages:
        return
    try:
        await send_alerts(messages)
    except (PrefectException, httpx.HTTPError, OSError) as error:
        # The credentials are blocks on a server that may be the next thing that fails.
        step_done(f"nobody told of the failed rollback: {type(error).__name__}")
