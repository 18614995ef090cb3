"""What an execution is worth, whatever its status says."""

from datetime import UTC, datetime, timedelta

import pytest

from coolify.api.backups import BackupExecution, BackupSchedule
from coolify.api.databases import Database
from coolify.backup.truth import (
    BucketUnreadable,
    ObjectMissing,
    ObjectSeen,
    judge_execution,
    judge_schedule,
    key_of,
)
from coolify.finding import Severity

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
KEY = "data/coolify/backups/databases/team-0/shop/pg-dump-shop-1.dmp"


def execution(**fields):
    plain = {"uuid": "e1", "status": "success", "filename": f"/{KEY}", "size": 1000, "s3_uploaded": True}
    return BackupExecution.model_validate(plain | {"created_at": NOW - timedelta(hours=1)} | fields)


def seen(size: int = 1000) -> ObjectSeen:
    return ObjectSeen(KEY, size, "e", NOW)


def judge(one, sighting=None, *, save_s3=True, **more):
    findings = judge_execution("main", one, save_s3=save_s3, sighting=sighting, now=NOW, **more)
    return [finding.name for finding in findings], any(finding.is_problem for finding in findings)


@pytest.mark.parametrize(
    ("fields", "sighting", "name"),
    [
        ({"s3_uploaded": False, "message": "S3 upload failed: no such host"}, None, "backup-upload-failed"),
        ({"message": "Backup done\nS3 upload failed"}, seen(), "backup-upload-failed"),
        ({"s3_uploaded": None}, None, "backup-upload-unproved"),
        ({"s3_uploaded": None}, seen(), "backup-upload-unproved"),
        ({}, ObjectMissing(KEY), "backup-object-missing"),
        ({}, seen(999), "backup-object-differs"),
        ({}, BucketUnreadable("keys are refused"), "backup-bucket-unreadable"),
        ({"size": 0}, seen(0), "backup-empty"),
        ({"status": "failed", "message": "pg_dump: error: password"}, None, "backup-failed"),
        ({"status": "failed", "s3_uploaded": True}, seen(10), "backup-failed"),
        ({"status": "running", "created_at": NOW - timedelta(hours=2)}, None, "backup-stuck"),
    ],
)
def test_what_is_no_backup_is_an_error_even_where_the_status_is_success(fields, sighting, name) -> None:
    names, is_problem = judge(execution(**fields), sighting)
    assert name in names
    assert "backup-good" not in names
    assert is_problem


@pytest.mark.parametrize("sighting", [None, seen()])
def test_an_upload_that_coolify_and_the_bucket_agree_on_is_good(sighting) -> None:
    assert judge(execution(), sighting) == (["backup-good"], False)


def test_a_failed_status_with_a_whole_object_is_a_false_alarm() -> None:
    names, is_problem = judge(execution(status="failed", message="Uploaded to S3"), seen())
    assert "backup-false-alarm" in names
    assert not is_problem


def test_a_backup_beside_the_database_is_a_warning_and_no_error() -> None:
    assert judge(execution(s3_uploaded=None), save_s3=False) == (["backup-local-only"], False)


def test_a_sudden_shrink_is_told_against_the_usual_size() -> None:
    usual = [execution(uuid=f"e{n}", size=1000 + n) for n in range(5)]
    assert judge(execution(size=400), seen(400), earlier=usual) == (["backup-shrunk"], False)
    assert judge(execution(size=600), seen(600), earlier=usual) == (["backup-good"], False)
    assert judge(execution(size=600), seen(600), earlier=usual, shrink_percent=30)[0] == ["backup-shrunk"]
    assert judge(execution(size=400), seen(400), earlier=usual[:2])[0] == ["backup-good"]


def test_a_clock_that_is_ahead_is_told_and_a_little_is_not() -> None:
    assert "backup-clock-skew" in judge(execution(created_at=NOW + timedelta(hours=2)), seen())[0]
    assert "backup-clock-skew" not in judge(execution(created_at=NOW + timedelta(minutes=2)), seen())[0]


def test_the_key_in_the_bucket_is_the_path_without_its_slash() -> None:
    assert key_of(execution()) == KEY
    assert key_of(execution(filename=None)) is None


def schedule(*executions, **fields):
    plain = {"uuid": "s", "frequency": "daily", "executions": executions}
    return BackupSchedule.model_validate(plain | fields)


def test_a_schedule_that_has_stopped_is_overdue() -> None:
    day = timedelta(days=1)
    old = execution(created_at=NOW - timedelta(days=3))
    assert judge_schedule("main", schedule(execution()), day, NOW) == ()
    assert [one.name for one in judge_schedule("main", schedule(old), day, NOW)] == ["backup-overdue"]
    assert [one.name for one in judge_schedule("main", schedule(), day, NOW)] == ["backup-none"]
    failed = schedule(execution(status="failed"))
    assert [one.name for one in judge_schedule("main", failed, day, NOW)] == ["backup-none"]
    off = judge_schedule("main", schedule(execution(), enabled=False), day, NOW)
    assert [(one.name, one.severity) for one in off] == [("backup-schedule-disabled", Severity.WARNING)]


def test_a_new_schedule_is_not_blamed_before_its_first_run_can_have_been() -> None:
    month, made = timedelta(days=31), NOW - timedelta(days=20)
    assert [one.name for one in judge_schedule("main", schedule(created_at=made), month, NOW)] == ["backup-not-due"]
    assert [one.name for one in judge_schedule("main", schedule(created_at=made), timedelta(days=1), NOW)] == [
        "backup-none"
    ]
    failed = schedule(execution(status="failed"), created_at=made)
    assert [one.name for one in judge_schedule("main", failed, month, NOW)] == ["backup-none"]


def test_schedules_of_another_engine_with_the_same_number_are_not_taken_for_ours() -> None:
    database = Database.model_validate({"uuid": "d", "name": "main", "database_type": "standalone-postgresql"})
    assert schedule(database_type="App\\Models\\StandalonePostgresql").belongs_to(database)
    assert not schedule(database_type="App\\Models\\StandaloneClickhouse").belongs_to(database)
    assert not schedule(database_type=None).belongs_to(database)
