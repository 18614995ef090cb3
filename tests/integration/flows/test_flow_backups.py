"""Backups of a real PostgreSQL in a real bucket, and every way in which they are none."""

import os
from datetime import UTC, datetime

import pytest
from prefect.client.orchestration import get_client

from coolify.api import Placement
from coolify.api.backups import BackupWrite
from coolify.api.databases import DatabaseEngine, DatabaseSpec
from coolify.backup.survey import survey
from coolify.config import load_config
from coolify.progress import StepDone, observe
from coolify.release import Outcome
from coolify_sandbox.server.state import timestamp
from flows.configure_backups import BackupsRefusedError
from flows.release import ReleaseRequest, release

# Several processes and servers each: a busy machine takes minutes for what it does in seconds.
pytestmark = pytest.mark.timeout(400)


def names(result) -> list[str]:
    return [one.name for one in result.findings]


async def test_what_is_in_the_bucket_decides_whatever_coolify_says(backed_up) -> None:
    bucket = backed_up.bucket
    assert names(await backed_up.back_up()) == ["backup-good"]
    (key,) = bucket.keys()
    whole = bucket.read(key)

    bucket.write(key, whole[: len(whole) // 2])
    cut = await backed_up.verify()
    assert not cut.proved
    assert cut.points == ()
    assert {"backup-object-differs", "backup-not-fetched", "restore-proof-overdue"} == set(names(cut))

    # As long as it was, but not what was dumped.
    bucket.write(key, whole[: len(whole) // 2].ljust(len(whole), b"\0"))
    damaged = await backed_up.verify()
    assert [one.name for one in damaged.points[0].findings] == ["restore-failed"]

    bucket.client.delete_object(Bucket=bucket.name, Key=key)
    assert "backup-object-missing" in names(await backed_up.verify())

    # Nothing of this was a proof; a new backup is.
    assert (await backed_up.back_up()).good
    proved = await backed_up.verify()
    assert proved.proved, proved.findings
    assert proved.points[0].restore_seconds > 0


async def test_an_empty_database_a_failed_upload_and_a_database_that_is_down_are_no_backups(backed_up) -> None:
    await backed_up.psql("DROP TABLE customers")
    assert (await backed_up.back_up()).good
    empty = await backed_up.verify()
    assert not empty.proved
    assert empty.points[0].findings[0].name == "restore-empty"

    # Coolify calls that a success.
    bucket = backed_up.bucket
    bucket.remove()
    made = await backed_up.back_up()
    assert backed_up.shop.sandbox.state.all("backup_execution")[-1]["status"] == "success"
    assert not made.good
    assert names(made) == ["backup-upload-failed"]

    row = backed_up.row
    await backed_up.server.stop()
    assert not backed_up.server.is_running
    made = await backed_up.back_up()
    assert not made.good
    assert names(made) == ["backup-failed"]
    assert row["postgres_password"] not in made.model_dump_json()


async def test_a_retention_that_would_delete_the_only_proved_backup_is_refused(backed_up) -> None:
    assert (await backed_up.back_up()).good
    assert (await backed_up.verify()).proved
    assert (await backed_up.back_up()).good
    only_one = {"database": "main", "frequency": "0 2 * * *", "storage": "offsite", "keep": {"s3": {"amount": 1}}}
    backed_up.configure(schedules={"nightly": only_one})
    with pytest.raises(BackupsRefusedError, match="only backup of main whose restore was seen"):
        await backed_up.configure_backups()
    (schedule,) = backed_up.shop.sandbox.state.all("backup")
    assert schedule["database_backup_retention_amount_s3"] == 0
    # Proving the newest one makes the way free.
    assert (await backed_up.verify()).proved
    assert (await backed_up.configure_backups()).updated == 1
    (schedule,) = backed_up.shop.sandbox.state.all("backup")
    assert schedule["database_backup_retention_amount_s3"] == 1


async def test_schedules_of_others_are_left_alone_and_those_of_another_engine_not_even_seen(backed_up) -> None:
    state = backed_up.shop.sandbox.state
    async with backed_up.shop.client() as client:
        # Another engine's database with the same number: Coolify lists its schedules with ours.
        project = (await client.projects.ensure("shop", None, None)).value
        server = (await client.servers.list())[0]
        where = Placement(project_uuid=project.uuid, environment_name="production", server_uuid=server.uuid)
        spec = DatabaseSpec(engine=DatabaseEngine.MYSQL, name="other", placement=where)
        environment = (await client.projects.get(project.uuid)).environments[0]
        other = (await client.databases.ensure(spec, environment.id)).value
        await client.backups.create(other, BackupWrite(frequency="hourly"))
        own = next(one for one in await client.databases.list() if one.name == "shop-main")
        await client.backups.create(own, BackupWrite(frequency="weekly"))
    assert len(state.all("backup", database_id=backed_up.row.id)) == 3
    configured = await backed_up.configure_backups()
    assert (configured.created, configured.updated) == (0, 0)
    assert names(configured) == ["backup-schedule-unmanaged"]
    assert len(state.all("backup")) == 3


async def test_a_release_lets_a_running_backup_end_before_it_deploys(backed_up) -> None:
    state = backed_up.shop.sandbox.state
    assert (await backed_up.back_up()).good
    (execution,) = state.all("backup_execution")
    running = state.update(execution, status="running", created_at=timestamp())
    told: list[str] = []

    def end_the_backup(event) -> None:
        if isinstance(event, StepDone) and event.text == "waiting for the backup of main":
            told.append(event.text)
            assert state.all("deployment") == []
            state.update(running, status="success")

    with observe(end_the_backup):
        report = await backed_up.release()
    assert report.outcome is Outcome.COMPLETED, report.reason
    assert report.phases[-1].phase == "configure backups"
    assert told


async def test_a_clock_that_is_wrong_is_told_and_the_newest_proved_and_published_all_the_same(
    backed_up_in_prefect,
) -> None:
    backed_up = backed_up_in_prefect
    state = backed_up.shop.sandbox.state
    first = await backed_up.back_up()
    assert first.good
    # The server's clock was two days ahead when the first backup ran, and is right again.
    (row,) = state.all("backup_execution")
    state.update(row, created_at="2099-01-01T00:00:00.000000Z")
    second = await backed_up.back_up()
    assert second.executions != first.executions
    assert second.good
    config = load_config(backed_up.shop.config)
    async with backed_up.shop.client() as client:
        (surveyed,) = await survey(client, config, os.environ, datetime.now(UTC))
    skewed = next(one for one in surveyed.judged if one.execution.uuid == first.executions[0])
    assert "backup-clock-skew" in [one.name for one in skewed.findings]
    assert skewed.is_good

    assert (await backed_up.verify()).proved
    async with get_client() as client:
        artifacts = [one for one in await client.read_artifacts() if one.key == "restore-points-shop-production"]
    text = "\n".join(str(one.data) for one in artifacts)
    assert "| main | restored |" in text
    assert "bucket-secret" not in text
    assert backed_up.row["postgres_password"] not in text


async def test_a_release_is_backed_up_first_and_fails_when_the_fresh_dump_is_not_proved(backed_up) -> None:
    """With `release.backup_before`; the first release has nothing to lose yet."""
    shop, state = backed_up.shop, backed_up.shop.sandbox.state
    shop.configure(release={"backup_before": True})

    async def releases():
        done = await release(ReleaseRequest(target=backed_up.target), return_state=True)
        return await done.aresult(raise_on_failure=False)

    first = await releases()
    assert first.outcome is Outcome.COMPLETED, first.reason
    assert state.all("backup_execution") == []

    shop.repository.commit("1.1.0")
    second = await releases()
    assert second.outcome is Outcome.COMPLETED, second.reason
    assert "back up first" in [one.phase for one in second.phases]
    assert "restore-proved" in names(second)
    assert len(state.all("backup_execution")) == 1

    # The dump is made and restores, but rows are missing that must be there.
    await backed_up.psql("DELETE FROM customers WHERE id > 10")
    shop.repository.commit("1.2.0")
    shop.configure(env={"GREETING": "Ahoy"})
    third = await releases()
    assert third.outcome is Outcome.ROLLED_BACK, third.reason
    assert "is not proved" in third.reason
    assert not third.deployed
    assert "Hello from version 1.1.0" in (await shop.visit()).text
    assert len(state.all("deployment")) == 2
