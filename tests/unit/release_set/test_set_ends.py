"""How a run over a set is judged, and where its rollback leads."""

from datetime import UTC, datetime
from typing import Any

import pytest

from coolify.release import Outcome, ReleaseRecord, Step, StepStatus
from coolify.release_set import MemberOutcome, MemberReport, SetOutcome, SetReport, judge_set, render_set, way_back

NOW = datetime(2026, 11, 25, tzinfo=UTC)


def record(number: int, outcome: Outcome | None = Outcome.COMPLETED, **facts: Any) -> ReleaseRecord:
    made = ReleaseRecord(
        number=number,
        application_uuid="a",
        application_name="shop",
        environment="production",
        started_at=NOW,
        outcome=outcome,
        **facts,
    )
    return made.journalled(Step.DEPLOY, StepStatus.DONE, NOW)


def test_the_way_back_leads_before_the_first_release_of_the_run() -> None:
    records = [record(1), record(2, set_run="r"), record(3, set_run="r")]
    assert way_back(records, "r").number == 1


@pytest.mark.parametrize("outcome", [None, Outcome.ABORTED, Outcome.ROLLBACK_FAILED])
def test_what_did_not_end_well_is_taken_back_too(outcome) -> None:
    assert way_back([record(1), record(2, outcome, set_run="r")], "r").number == 1


@pytest.mark.parametrize(
    ("records", "told", "needed"),
    [
        ([record(1)], "has released nothing of it", False),
        ([record(1), record(2, Outcome.ROLLED_BACK, set_run="r")], "has released nothing of it", False),
        ([record(1), record(2, set_run="r"), record(3, kind="rollback", set_run="r")], "rolled back already", False),
        ([record(1), record(2, set_run="r"), record(3)], "Release 3 came after the run", True),
        ([record(1), record(2, set_run="r"), record(3, kind="rollback")], "Rollback 3 came after the run", True),
        ([record(1, set_run="r")], "released for the first time", True),
    ],
)
def test_why_nothing_is_taken_back_is_told(records, told, needed) -> None:
    way = way_back(records, "r")
    assert way.number is None
    assert told in way.reason
    assert way.is_needed is needed


def test_a_later_release_that_was_rolled_back_itself_is_no_hindrance() -> None:
    assert way_back([record(1), record(2, set_run="r"), record(3, Outcome.ROLLED_BACK)], "r").number == 1


def member(outcome: str, **facts: Any) -> MemberReport:
    return MemberReport(application=f"app {outcome}", stage=1, outcome=MemberOutcome(outcome), **facts)


@pytest.mark.parametrize(
    ("kind", "outcomes", "expected"),
    [
        ("release", ["completed", "completed"], SetOutcome.COMPLETED),
        ("release", ["completed", "rolled_back"], SetOutcome.INCOMPLETE),
        ("release", ["completed", "untouched"], SetOutcome.INCOMPLETE),
        ("release", ["rolled_back", "untouched"], SetOutcome.ROLLED_BACK),
        ("release", ["aborted", "untouched"], SetOutcome.ABORTED),
        ("release", ["rollback_failed", "completed"], SetOutcome.ROLLBACK_FAILED),
        ("rollback", ["completed", "untouched"], SetOutcome.COMPLETED),
        ("rollback", ["completed", "aborted"], SetOutcome.INCOMPLETE),
        ("rollback", ["completed", "rollback_failed"], SetOutcome.ROLLBACK_FAILED),
    ],
)
def test_the_worst_end_of_an_application_counts(kind, outcomes, expected) -> None:
    assert judge_set(kind, [member(one) for one in outcomes])[0] is expected


def test_the_sentence_counts_and_names_the_first_failure() -> None:
    _, told = judge_set("release", [member("completed"), member("rolled_back", reason="The gate is closed.")])
    assert told == "2 applications: 1 completed, 1 rolled back. app rolled_back: The gate is closed."


def test_the_report_is_one_table_whose_cells_stay_in_their_rows() -> None:
    lines = (member("completed", number=2, url="https://a.example.com"), member("aborted", reason="one | two\nthree"))
    outcome, reason = judge_set("release", lines)
    report = SetReport(
        name="fleet", run="r", outcome=outcome, reason=reason, started_at=NOW, finished_at=NOW, applications=lines
    )
    rows = [line for line in render_set(report).splitlines() if line.startswith("|")]
    assert len(rows) == 4
    assert "[app completed](https://a.example.com)" in rows[2]
    assert rows[3].endswith("| aborted: one \\| two three |")
