"""Backups of volumes as an operator runs them: real archives by tar, in a real bucket, read where they lie."""

import gzip

import pytest

from flows.apply import ApplyRequest, apply
from flows.back_up import BackedUp, BackUpRequest, back_up
from flows.configure_backups import BackupsRefusedError, configure_backups
from flows.set_up_databases import set_up_databases
from flows.verify_backups import Verified, VerifyRequest, verify_backups
from tasks.session import Target
from tests.integration.robustness.bare import bare_flows

# Several processes and servers each: a busy machine takes minutes for what it does in seconds.
pytestmark = pytest.mark.timeout(400)


class Uploads:
    """An application whose volume holds files; flows run in this process: that is fast."""

    def __init__(self, shop, bucket) -> None:
        self.shop, self.bucket = shop, bucket
        self.target = Target(config=str(shop.config))

    def configure(self, **uploads) -> None:
        volume = {"frequency": "0 4 * * *", "storage": "offsite", "keep": {"s3": {"amount": 5}}}
        volume["proof"] = {"paths": ["avatars/ada.png"], "files": 20}
        self.shop.configure(
            resources={"volumes": [{"name": "uploads", "mount_path": "/app/uploads"}]},
            databases={"cache": {"engine": "redis"}},
            backups={
                "storages": {"offsite": self.bucket.storage()},
                "volumes": {"uploads": volume | uploads, "cache-data": {"database": "cache", "storage": "offsite"}},
            },
        )

    async def back_up(self, database: str = "") -> BackedUp:
        state = await back_up(BackUpRequest(target=self.target, database=database), return_state=True)
        return await state.aresult(raise_on_failure=False)

    async def verify(self, database: str = "") -> Verified:
        state = await verify_backups(VerifyRequest(target=self.target, database=database), return_state=True)
        return await state.aresult(raise_on_failure=False)

    @property
    def volume(self):
        (row,) = self.shop.sandbox.state.all("volume")
        return row

    def keys(self) -> list[str]:
        listed = self.bucket.keys()
        return sorted(one for one in listed if self.volume.uuid in one)


@pytest.fixture
async def uploads(shop, bucket):
    made = Uploads(shop, bucket)
    with bare_flows():
        yield await filled(made)


async def filled(made: Uploads) -> Uploads:
    made.configure()
    await set_up_databases(made.target)
    await apply(ApplyRequest(target=made.target))
    sandbox = made.shop.sandbox
    folder = sandbox.volumes.folder(made.volume)
    (folder / "avatars").mkdir()
    (folder / "avatars" / "ada.png").write_bytes(b"png")
    for number in range(20):
        (folder / f"{number}.bin").write_bytes(bytes([number]) * 5000)
    data = sandbox.volumes.folder(sandbox.state.all("database_volume")[0])
    (data / "dump.rdb").write_bytes(b"REDIS")
    return made


def names(result) -> list[str]:
    return [one.name for one in result.findings]


async def test_volumes_are_archived_into_the_bucket_and_read_to_their_end(uploads, coolify, monkeypatch) -> None:
    state, bucket = uploads.shop.sandbox.state, uploads.bucket
    assert (await configure_backups(uploads.target)).created == 2
    assert (await configure_backups(uploads.target)).created == 0
    schedules = {row["storage_uuid"]: row for row in state.all("volume_backup")}
    assert len(schedules) == 2
    schedule = schedules[uploads.volume.uuid]
    assert (schedule["frequency"], schedule["save_s3"], schedule["retention_amount_s3"]) == ("0 4 * * *", True, 5)

    made = await uploads.back_up()
    assert names(made) == ["backup-good", "backup-good"]
    assert set(made.archives) == set(bucket.keys())
    (key,) = uploads.keys()
    proved = await uploads.verify()
    assert proved.proved, proved
    points = {one.subject: one for one in proved.points}
    assert (points["uploads"].place, points["uploads"].tables, points["uploads"].engine) == (key, 21, None)
    assert points["cache-data"].tables == 1
    listed = await coolify("backup", "list", "--json")
    assert listed.code == 0, listed.text
    assert {one["volume"]: len(one["archives"]) for one in listed.json} == {"uploads": 1, "cache-data": 1}
    plan = await coolify("backup", "restore-plan", "uploads")
    assert plan.code == 0, plan.text
    assert f"s3://{bucket.name}/{key}" in plan.stdout
    assert f"-v {uploads.volume['name']}:/volume alpine" in plan.stdout
    assert "bucket-secret" not in listed.text + plan.text

    # A narrower retention would delete the only archive that was proved.
    for _ in range(2):
        assert (await uploads.back_up("uploads")).good
    uploads.configure(keep={"s3": {"amount": 2}})
    with pytest.raises(BackupsRefusedError, match="only backup of uploads whose restore was seen"):
        await configure_backups(uploads.target)

    # The bucket decides: an archive that was cut, and a newer one that lacks what must be in it.
    newest = uploads.keys()[-1]
    whole = bucket.read(newest)
    bucket.write(newest, whole[: len(whole) // 2])
    refused = await uploads.verify("uploads")
    assert not refused.proved
    assert [one.name for point in refused.points for one in point.findings] == ["restore-failed"]
    bucket.write(newest, gzip.compress(b"-- a dump\n" * 50))
    foreign = await coolify("backup", "verify", "uploads", "--object", newest, "--json", COOLIFY_TOKEN=None)
    assert foreign.code == 1
    assert "begins like SQL text" in foreign.json["findings"][0]["summary"]
    (uploads.shop.sandbox.volumes.folder(uploads.volume) / "avatars" / "ada.png").unlink()
    assert (await uploads.back_up("uploads")).good
    lacking = await uploads.verify("uploads")
    assert not lacking.proved
    assert "avatars/ada.png is missing" in lacking.points[0].findings[-1].summary

    # An upload that fails: Coolify calls that a success, and its API has no word for it.
    (storage,) = state.all("s3")
    state.update(storage, bucket="nowhere")
    monkeypatch.setattr("tasks.volume_backups._PATIENCE", -3595.0)
    failed = await uploads.back_up("uploads")
    assert not failed.good
    assert names(failed) == ["backup-archive-not-seen"]


async def test_an_older_coolify_is_refused_volumes_and_told_why(shop, bucket, coolify) -> None:
    shop.sandbox.state.settings = type(shop.sandbox.state.settings)(version="4.2.0")
    shop.configure(databases={"cache": {"engine": "redis"}}, backups={"volumes": {"cache-data": {"database": "cache"}}})
    done = await coolify("backup", "list")
    assert done.code == 1
    assert "4.3.0" in done.text
