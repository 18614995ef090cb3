"""Databases of the sandbox are real where PostgreSQL is; their backups are real dumps in a real bucket."""

import asyncio

import boto3
import pytest
from moto.server import ThreadedMotoServer
from pydantic import SecretStr

from coolify.api import CoolifyClient, Placement, RetryPolicy, StaticToken
from coolify.api.backups import BackupStatus, BackupWrite, S3StorageWrite
from coolify.api.databases import DatabaseEngine, DatabaseSettings, DatabaseSpec
from coolify_sandbox.sandbox import Sandbox


@pytest.fixture
def s3():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    client = boto3.client("s3", endpoint_url=url, aws_access_key_id="k", aws_secret_access_key="s", region_name="eu")
    client.create_bucket(Bucket="backups", CreateBucketConfiguration={"LocationConstraint": "eu"})
    yield url, client
    server.stop()


async def until(condition):
    async with asyncio.timeout(60):
        while not (found := await condition()):
            await asyncio.sleep(0.05)
    return found


async def test_a_database_starts_is_dumped_and_uploaded(s3) -> None:
    url, bucket = s3
    async with (
        Sandbox() as sandbox,
        CoolifyClient(sandbox.url, StaticToken(SecretStr(sandbox.token)), retry=RetryPolicy(0.01)) as client,
    ):
        project = (await client.projects.ensure("shop", None, None)).value
        server = (await client.servers.list())[0]
        placement = Placement(project_uuid=project.uuid, environment_name="production", server_uuid=server.uuid)
        spec = DatabaseSpec(
            engine=DatabaseEngine.POSTGRESQL,
            name="main",
            placement=placement,
            settings=DatabaseSettings(user="shop", database="shop"),
        )
        environment = next(one for one in (await client.projects.get(project.uuid)).environments)
        database = (await client.databases.ensure(spec, environment.id)).value
        await client.databases.start(database.uuid)

        async def running():
            return (await client.databases.get(database.uuid)).is_running

        await until(running)
        await sandbox.databases.server(database.uuid).psql("CREATE TABLE t AS SELECT 1 AS i")
        storage = S3StorageWrite(
            name="s", endpoint=url, bucket="backups", region="eu", key=SecretStr("k"), secret=SecretStr("s")
        )
        made = (await client.s3_storages.ensure(storage)).value
        wanted = BackupWrite(frequency="daily", save_s3=True, s3_storage_uuid=made.uuid)
        schedule = await client.backups.create(database, wanted)
        await client.backups.run_now(database, schedule.uuid)

        async def executed():
            executions = await client.backups.executions(database, schedule.uuid)
            return executions and executions[0].status is not BackupStatus.RUNNING and executions[0]

        first = await until(executed)
        assert (first.status, first.s3_uploaded) == (BackupStatus.SUCCESS, True), first.message
        content = bucket.get_object(Bucket="backups", Key=first.filename.lstrip("/"))["Body"].read()
        assert content.startswith(b"PGDMP")
        assert len(content) == first.size
        bucket.delete_object(Bucket="backups", Key=first.filename.lstrip("/"))
        bucket.delete_bucket(Bucket="backups")
        await client.backups.run_now(database, schedule.uuid)

        async def again():
            newest = await executed()
            return newest if newest and newest.uuid != first.uuid else None

        second = await until(again)
        assert (second.status, second.s3_uploaded) == (BackupStatus.SUCCESS, False)
        assert second.upload_failed
