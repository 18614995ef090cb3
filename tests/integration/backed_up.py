"""The shop with a database that holds rows, and a schedule into a bucket.

Its flows run in this process, in Prefect where a test uses `in_prefect`, else bare, which is much faster.
"""

from typing import Any

from coolify.release.report import ReleaseReport
from flows.back_up import BackedUp, BackUpRequest, back_up
from flows.configure_backups import BackupsConfigured, configure_backups
from flows.release import ReleaseRequest, release
from flows.set_up_databases import set_up_databases
from flows.verify_backups import Verified, VerifyRequest, verify_backups
from tasks.session import Target
from tests.integration.buckets import TestBucket
from tests.integration.conftest import Shop

ROWS = "CREATE TABLE customers AS SELECT g AS id, md5(g::text) AS name FROM generate_series(1, 500) g"


class BackedUpShop:
    def __init__(self, shop: Shop, bucket: TestBucket) -> None:
        self.shop, self.bucket = shop, bucket

    async def set_up(self) -> "BackedUpShop":
        self.configure()
        await set_up_databases(self.target)
        await self.psql(ROWS)
        assert (await self.configure_backups()).created == 1
        return self

    def configure(self, **changes: Any) -> None:
        """Write the configuration; the arguments are parts of the section `backups`."""
        backups = {
            "storages": {"offsite": self.bucket.storage()},
            "schedules": {"nightly": {"database": "main", "frequency": "0 2 * * *", "storage": "offsite"}},
            "proofs": {"main": {"tables": ["customers"], "rows": {"customers": 500}}},
        }
        self.shop.configure(
            databases={"main": {"engine": "postgresql", "database": "shop", "user": "shop"}}, backups=backups | changes
        )

    @property
    def target(self) -> Target:
        return Target(config=str(self.shop.config))

    async def configure_backups(self) -> BackupsConfigured:
        return await configure_backups(self.target)

    async def back_up(self) -> BackedUp:
        state = await back_up(BackUpRequest(target=self.target), return_state=True)
        return await state.aresult(raise_on_failure=False)

    async def verify(self) -> Verified:
        state = await verify_backups(VerifyRequest(target=self.target), return_state=True)
        return await state.aresult(raise_on_failure=False)

    async def release(self) -> ReleaseReport:
        state = await release(ReleaseRequest(target=self.target), return_state=True)
        return await state.aresult(raise_on_failure=False)

    async def psql(self, sql: str, **place: str) -> str:
        return await self.server.psql(sql, **place)

    @property
    def row(self):
        """The database as the sandbox stores it."""
        (row,) = self.shop.sandbox.state.all("database postgresql")
        return row

    @property
    def server(self):
        return self.shop.sandbox.databases.server(str(self.row.uuid))
