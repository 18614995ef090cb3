"""Runs that a schedule wanted and that come too late: a server that was down hands them all over when it is back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from prefect.context import FlowRunContext

__all__ = ["too_late"]


def too_late(allowed: timedelta) -> str | None:
    """Return why a scheduled run is to be skipped; None for one that is in time or that somebody started.

    Args:
        allowed: How late it may be.
    """
    context = FlowRunContext.get()
    run = context.flow_run if context else None
    if run is None or not run.auto_scheduled or run.expected_start_time is None:
        return None
    late = datetime.now(UTC) - run.expected_start_time
    if late <= allowed:
        return None
    return f"its window was {late.total_seconds() / 60:.0f} minutes ago; the next one follows its schedule"
