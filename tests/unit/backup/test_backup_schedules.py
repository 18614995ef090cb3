"""When backups fall due, and which schedule of Coolify is which of the configuration."""

from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest

from coolify.api.backups import BackupSchedule
from coolify.backup.cron import interval_of, occurrences
from coolify.backup.schedules import collisions, differs, pair, wanted_schedules
from coolify.config.backups import Backups

START = datetime(2026, 11, 25, 12, 30, tzinfo=UTC)  # a Wednesday


@pytest.mark.parametrize(
    ("frequency", "first", "gap"),
    [
        ("hourly", "25T13:00", timedelta(hours=1)),
        ("daily", "26T00:00", timedelta(days=1)),
        ("weekly", "29T00:00", timedelta(days=7)),
        ("*/20 * * * *", "25T12:40", timedelta(minutes=20)),
        ("15 2,14 * * *", "25T14:15", timedelta(hours=12)),
        ("0 3 * * 1-5", "26T03:00", timedelta(days=3)),
        ("0 3 * * 7", "29T03:00", timedelta(days=7)),
        ("0 0 30 * 5", "27T00:00", timedelta(days=7)),
    ],
)
def test_a_frequency_falls_due_as_cron_says(frequency, first, gap) -> None:
    assert next(occurrences(frequency, START)).isoformat()[8:16] == first
    assert interval_of(frequency, START) == gap


def test_what_is_no_frequency_has_no_interval() -> None:
    assert interval_of("sometimes", START) is None
    assert list(islice(occurrences("0 0 31 2 *", START), 1)) == []


STORAGES = {"s": {"endpoint": "https://s3.example.com", "bucket": "shop-backups", "key": "${K}", "secret": "${S}"}}


def wanted(**schedules):
    backups = Backups.model_validate({"storages": STORAGES, "schedules": schedules})
    return wanted_schedules(backups, "main", "shop", {"s": "uuid-of-s"})


def there(uuid: str, **fields) -> BackupSchedule:
    plain = {"uuid": uuid, "frequency": "daily", "databases_to_backup": "shop", "s3_storage_id": 1}
    return BackupSchedule.model_validate(plain | fields)


def test_a_preset_makes_three_generations_that_do_not_collide() -> None:
    made = wanted(
        nightly={"database": "main", "frequency": "0 2 * * *", "storage": "s", "preset": "grandfather-father-son"}
    )
    assert [(one.name, one.write.frequency, one.keep.s3.amount) for one in made] == [
        ("nightly-daily", "0 2 * * *", 7),
        ("nightly-weekly", "0 3 * * 0", 5),
        ("nightly-monthly", "0 4 1 * *", 12),
    ]
    assert all(one.write.save_s3 and one.write.s3_storage_uuid == "uuid-of-s" for one in made)
    assert collisions(frequencies(made), START) == ()


def frequencies(made) -> dict[str, str]:
    return {one.name: one.write.frequency for one in made}


def test_two_schedules_at_one_time_are_told() -> None:
    made = wanted(a={"database": "main", "frequency": "0 2 * * *"}, b={"database": "main", "frequency": "5 2 * * 0"})
    (found,) = collisions(frequencies(made) | {"uploads (volume)": "0 12 * * *"}, START)
    assert found.name == "backup-windows-collide"
    assert "2026-11-29" in found.summary


def test_a_schedule_is_found_again_and_left_alone_when_it_is_as_wanted() -> None:
    (one,) = wanted(a={"database": "main", "frequency": "daily", "storage": "s"})
    body = one.write.model_dump(exclude_unset=True, exclude={"s3_storage_uuid"})
    same = there("x", **body)
    assert pair([one], [there("y", frequency="weekly"), same]).pairs == ((one, same),)
    assert differs(one, same) == ()
    assert differs(one, same.model_copy(update={"enabled": False, "s3_storage_id": None})) == (
        "enabled",
        "s3_storage_uuid",
    )


def test_a_changed_frequency_changes_the_schedule_and_makes_no_second_one() -> None:
    (one,) = wanted(a={"database": "main", "frequency": "hourly"})
    old = there("x")
    assert pair([one], [old]).pairs == ((one, old),)
    assert differs(one, old)[0] == "frequency"


def test_where_it_is_not_clear_which_is_meant_a_new_one_is_made_and_the_others_are_told() -> None:
    (one,) = wanted(a={"database": "main", "frequency": "hourly"})
    found = pair([one], [there("x"), there("y", frequency="weekly")])
    assert found.pairs == ((one, None),)
    assert [it.uuid for it in found.unmanaged] == ["x", "y"]


def test_a_schedule_of_other_databases_is_never_taken() -> None:
    (one,) = wanted(a={"database": "main", "frequency": "daily", "names": ["shop", "audit"]})
    assert pair([one], [there("x")]).pairs == ((one, None),)
    assert pair([one], [there("x", databases_to_backup="audit, shop")]).pairs[0][1] is not None
