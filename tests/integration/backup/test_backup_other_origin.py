"""Dumps that something else than Coolify puts into a bucket: MariaDB and Redis, proved and refused by the flow."""

import pytest

from flows.set_up_databases import set_up_databases
from flows.verify_backups import Verified, VerifyRequest, verify_backups
from tasks.session import Target
from tests.integration.robustness.bare import bare_flows

pytestmark = [
    pytest.mark.component("mariadbd"),
    pytest.mark.component("redis-server"),
    pytest.mark.timeout(400),
]


@pytest.fixture
def bare():
    with bare_flows():
        yield


async def test_dumps_of_another_origin_are_proved_and_refused(shop, bucket, bare, mariadb, rdb, tmp_path) -> None:
    await mariadb.make("shop")
    sql = (await mariadb.dump(tmp_path / "shop.sql", "shop")).read_bytes()
    bucket.write("books/2026-01-01.sql", b"-- an older one")
    bucket.write("books/2026-01-02.sql", sql)
    bucket.write("cache/dump.rdb", rdb.read_bytes())
    target = Target(config=str(shop.configure(
        databases={"books": {"engine": "mariadb"}, "cache": {"engine": "redis"}},
        backups={
            "storages": {"offsite": bucket.storage()},
            "proofs": {
                "books": {"objects": "books/", "storage": "offsite", "rows": {"customers": 3}},
                "cache": {"objects": "cache/", "storage": "offsite", "rows": {"queue": 3}},
            },
        },
    )))  # fmt: skip
    await set_up_databases(target)

    async def verify(database: str = "") -> Verified:
        state = await verify_backups(VerifyRequest(target=target, database=database), return_state=True)
        return await state.aresult(raise_on_failure=False)

    proved = await verify()
    assert proved.proved, proved
    assert {one.subject: one.place for one in proved.points} == {
        "books": "books/2026-01-02.sql",
        "cache": "cache/dump.rdb",
    }
    assert all(one.whole for one in proved.points)

    bucket.write("books/2026-01-03.sql", sql[: len(sql) // 2])
    bucket.write("cache/dump.rdb", rdb.read_bytes()[:-20])
    refused = await verify()
    assert not refused.proved
    assert [one.findings[0].name for one in refused.points] == ["restore-failed", "restore-failed"]
    bucket.remove()
    nothing = await verify("cache")
    assert [one.name for one in nothing.findings] == ["backup-not-fetched"]
