from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from coolify.release import (
    Outcome,
    ReleaseRecord,
    Snapshot,
    SnapshotVariable,
    Step,
    StepStatus,
    last_good,
    next_number,
    open_record,
    prune,
)

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


def record(number: int, outcome: Outcome | None = Outcome.COMPLETED) -> ReleaseRecord:
    return ReleaseRecord(
        number=number,
        application_uuid="a" * 24,
        application_name="shop",
        environment="production",
        started_at=NOW,
        outcome=outcome,
        before=Snapshot(taken_at=NOW, variables=(SnapshotVariable(key="TOKEN", value="s3cret"),)),
    )


def test_releases_are_numbered_from_one() -> None:
    assert next_number([]) == 1
    assert next_number([record(1), record(4)]) == 5


def test_an_unended_release_is_found_whatever_came_before() -> None:
    assert open_record([record(1), record(2, None)]) == record(2, None)
    assert open_record([record(1)]) is None


def test_the_way_back_is_the_newest_release_that_passed_its_gate() -> None:
    records = [record(1), record(2), record(3, Outcome.ROLLED_BACK)]
    assert last_good(records) == record(2)
    assert last_good(records, before=2) == record(1)
    assert last_good([record(1, Outcome.ABORTED)]) is None


def test_a_step_is_journalled_before_and_after_its_effect() -> None:
    begun = record(1, None).journalled(Step.DEPLOY, StepStatus.STARTED, NOW)
    done = begun.journalled(Step.DEPLOY, StepStatus.DONE, NOW, "abc")
    assert [entry.status for entry in done.journal] == [StepStatus.STARTED, StepStatus.DONE]
    assert begun.changed_anything
    assert not record(1).changed_anything


def test_state_names_are_those_that_automations_match() -> None:
    assert [outcome.state_name for outcome in Outcome] == ["Completed", "RolledBack", "RollbackFailed", "Aborted"]


def test_a_secret_shows_in_neither_repr_nor_python_dump_of_a_record() -> None:
    one = record(1)
    assert "s3cret" not in repr(one)
    assert "s3cret" not in str(one.model_dump())
    assert "s3cret" in one.model_dump_json(), "encrypted storage needs the value"
    assert ReleaseRecord.model_validate_json(one.model_dump_json()) == one


@given(st.lists(st.sampled_from([*Outcome, None]), max_size=30), st.integers(1, 10), st.integers(1, 10))
def test_pruning_never_drops_the_way_back(outcomes: list[Outcome | None], keep: int, keep_snapshots: int) -> None:
    records = [record(number, outcome) for number, outcome in enumerate(outcomes, start=1)]
    kept = prune(records, keep, keep_snapshots)
    assert last_good(kept) == last_good(records)
    assert open_record(kept) == open_record(records)
    assert list(kept) == sorted(kept, key=lambda one: one.number)
    assert len(kept) <= max(keep, keep_snapshots) + 2
