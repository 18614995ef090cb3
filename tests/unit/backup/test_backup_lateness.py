"""Runs that come too late are skipped, those that somebody started never are."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from prefect.context import FlowRunContext

from tasks.lateness import too_late


@pytest.mark.parametrize(
    ("scheduled", "late", "skipped"),
    [(True, timedelta(hours=2), True), (True, timedelta(minutes=5), False), (False, timedelta(hours=2), False)],
)
def test_only_a_scheduled_run_far_behind_its_window_is_skipped(monkeypatch, scheduled, late, skipped) -> None:
    run = SimpleNamespace(auto_scheduled=scheduled, expected_start_time=datetime.now(UTC) - late)
    monkeypatch.setattr(FlowRunContext, "get", lambda: SimpleNamespace(flow_run=run))
    assert (too_late(timedelta(hours=1)) is not None) is skipped


def test_outside_of_a_run_nothing_is_late() -> None:
    assert too_late(timedelta(hours=1)) is None
