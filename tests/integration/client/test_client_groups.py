"""Every resource group of the client against the sandbox, which answers as a real Coolify was recorded to."""

import asyncio

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pydantic import SecretStr

from coolify.api import ApplicationSpec, CoolifyClient, Placement, PublicGitSource, StaticToken, VariableWrite
from coolify.api.backups import BackupStatus, BackupWrite, S3StorageWrite
from coolify.api.databases import DatabaseEngine, DatabaseSettings, DatabaseSpec
from coolify.api.errors import ApiError, NotFoundError, UnsupportedVersionError, ValidationFailedError
from coolify.api.extras import TaskWrite, VolumeBackupWrite, VolumeWrite
from coolify.api.relocation import ResourceKind
from coolify.api.servers import ServerSpec
from coolify.api.team import Channel, ServiceSpec, SharedScope
from coolify_sandbox.sandbox import Sandbox
from coolify_sandbox.server.faults import Fault, FaultKind
from coolify_sandbox.server.settings import ServerSettings


@pytest.fixture
async def client(sandbox):
    async with CoolifyClient(sandbox.url, StaticToken(SecretStr(sandbox.token))) as connected:
        yield connected


@pytest.fixture
async def placement(client):
    project = (await client.projects.ensure("shop")).value
    (server,) = await client.servers.list()
    return Placement(project_uuid=project.uuid, environment_name="production", server_uuid=server.uuid)


@pytest.fixture
async def environment_id(client, placement) -> int:
    (environment,) = await client.environments.list(placement.project_uuid)
    assert environment.id is not None
    return environment.id


@pytest.fixture
async def application(client, placement):
    source = PublicGitSource(repository="https://github.com/example/shop", branch="main")
    return await client.applications.create(ApplicationSpec(name="shop", placement=placement, source=source))


@pytest.mark.parametrize("engine", list(DatabaseEngine))
async def test_a_database_of_every_engine_is_created_once_and_adopted(
    client, placement, environment_id, engine
) -> None:
    spec = DatabaseSpec(
        engine=engine,
        name="main",
        placement=placement,
        settings=DatabaseSettings(password=SecretStr("s3cret"), limits_memory="256m"),
    )
    first = await client.databases.ensure(spec, environment_id)
    again = await client.databases.ensure(spec, environment_id)
    assert (first.created, again.created) == (True, False)
    assert first.value.uuid == again.value.uuid
    assert first.value.engine is engine
    assert "s3cret" not in repr(first.value)
    assert first.value.internal_db_url is not None
    assert "s3cret" in first.value.internal_db_url.get_secret_value()


@pytest.mark.parametrize("kind", [FaultKind.RESET_BEFORE, FaultKind.RESET_AFTER, FaultKind.HTML])
async def test_a_database_whose_answer_was_lost_exists_once(sandbox, client, placement, environment_id, kind) -> None:
    spec = DatabaseSpec(engine=DatabaseEngine.POSTGRESQL, name="main", placement=placement)
    sandbox.app.state.faults.add(Fault(kind, "POST", "/databases/postgresql"))
    await client.databases.ensure(spec, environment_id)
    assert [one.name for one in await client.databases.list()] == ["main"]


def test_a_setting_that_an_engine_lacks_is_refused_before_it_is_sent() -> None:
    with pytest.raises(ValueError, match="redis has no setting 'user'"):
        DatabaseSettings(user="shop").body(DatabaseEngine.REDIS)


async def test_settings_variables_and_actions_of_a_database(client, placement, environment_id) -> None:
    spec = DatabaseSpec(engine=DatabaseEngine.POSTGRESQL, name="main", placement=placement)
    database = (await client.databases.ensure(spec, environment_id)).value
    settings = DatabaseSettings(image="postgres:17-alpine", conf="max_connections = 10")
    await client.databases.update(database, settings)
    assert (await client.databases.get(database.uuid)).image == "postgres:17-alpine"
    await client.databases.set_variables(database.uuid, [VariableWrite(key="TZ", value=SecretStr("UTC"))])
    (variable,) = await client.databases.variables(database.uuid)
    assert (variable.key, variable.value) == ("TZ", SecretStr("UTC"))
    assert await client.databases.start(database.uuid) is True
    assert await client.databases.stop(database.uuid) is False
    await client.databases.restart(database.uuid)
    with pytest.raises(ApiError, match="not running"):
        await client.databases.logs(database.uuid)


async def test_backups_are_listed_for_their_own_database_only(client, placement, environment_id) -> None:
    databases = {}
    for engine in (DatabaseEngine.POSTGRESQL, DatabaseEngine.MYSQL):
        spec = DatabaseSpec(engine=engine, name=engine.value, placement=placement)
        databases[engine] = (await client.databases.ensure(spec, environment_id)).value
    postgres, mysql = databases[DatabaseEngine.POSTGRESQL], databases[DatabaseEngine.MYSQL]
    schedule = await client.backups.create(postgres, BackupWrite(frequency="0 2 * * *"))
    other = await client.backups.create(mysql, BackupWrite(frequency="daily"))
    assert schedule.save_s3 is False
    assert [one.uuid for one in await client.backups.list(postgres)] == [schedule.uuid]
    assert [one.uuid for one in await client.backups.list(mysql)] == [other.uuid]


async def test_a_backup_schedule_is_changed_run_and_deleted(sandbox, client, placement, environment_id) -> None:
    spec = DatabaseSpec(engine=DatabaseEngine.POSTGRESQL, name="main", placement=placement)
    database = (await client.databases.ensure(spec, environment_id)).value
    sandbox.app.state.faults.add(Fault(FaultKind.RESET_AFTER, "POST", "/databases/[^/]+/backups"))
    schedule = await client.backups.create(database, BackupWrite(frequency="daily"))
    await client.backups.update(database, schedule.uuid, BackupWrite(frequency="hourly", enabled=False))
    await client.backups.run_now(database, schedule.uuid)
    (changed,) = await client.backups.list(database)
    assert (changed.frequency, changed.enabled) == ("hourly", False)
    row = sandbox.state.by_uuid("backup", schedule.uuid)
    facts = {"filename": "/data/x.dmp", "size": "2048", "message": "S3 upload failed: no such bucket"}
    execution = sandbox.state.insert(
        "backup_execution", facts | {"status": "success", "backup_id": row.id}, uuid="e" * 24
    )
    # Beside the one that was ordered.
    (seen,) = [one for one in await client.backups.executions(database, schedule.uuid) if one.uuid == execution.uuid]
    assert (seen.status, seen.size) == (BackupStatus.SUCCESS, 2048)
    assert seen.upload_failed
    assert not seen.is_proved_uploaded
    await client.backups.delete_execution(database, schedule.uuid, str(execution.uuid))
    left = await client.backups.executions(database, schedule.uuid)
    assert execution.uuid not in {one.uuid for one in left}
    await client.backups.delete(database, schedule.uuid)
    assert await client.backups.list(database) == ()


def test_an_upload_without_a_storage_is_refused_before_it_is_sent() -> None:
    with pytest.raises(ValueError, match="s3_storage_uuid"):
        BackupWrite(frequency="daily", save_s3=True).body()


async def test_an_s3_storage_is_created_once_and_its_secret_stays_secret(client) -> None:
    storage = S3StorageWrite(
        name="backups",
        endpoint="https://s3.example.com",
        bucket="shop-backups",
        region="eu-central-1",
        key=SecretStr("AKIA"),
        secret=SecretStr("very secret"),
    )
    first, again = await client.s3_storages.ensure(storage), await client.s3_storages.ensure(storage)
    assert (first.created, again.created) == (True, False)
    assert "very secret" not in repr(first.value)
    await client.s3_storages.update(first.value.uuid, storage.model_copy(update={"region": "eu-west-1"}))
    assert [one.region for one in await client.s3_storages.list()] == ["eu-west-1"]
    await client.s3_storages.delete(first.value.uuid)
    assert await client.s3_storages.list() == ()


async def test_volumes_and_files_are_created_once(client, application) -> None:
    wanted = VolumeWrite(name="data", mount_path="/data")
    made = await client.storages.ensure_volume(application.uuid, wanted)
    volume = made.value
    assert made.created
    again = await client.storages.ensure_volume(application.uuid, wanted)
    assert (again.value.uuid, again.created) == (volume.uuid, False)
    await client.storages.ensure_volume(application.uuid, wanted.model_copy(update={"mount_path": "/srv"}))
    (moved,) = await client.storages.volumes(application.uuid)
    assert (moved.name, moved.mount_path) == (volume.name, "/srv")
    file = await client.storages.ensure_file(application.uuid, "/app/config.yml", "a: 1")
    assert (await client.storages.ensure_file(application.uuid, "/app/config.yml", "a: 1")).uuid == file.uuid
    assert [one.name for one in await client.storages.volumes(application.uuid)] == [f"{application.uuid}-data"]
    backup = await client.storages.back_up(application.uuid, volume.uuid, VolumeBackupWrite(frequency="daily"))
    assert backup.frequency == "daily"
    await client.storages.delete(application.uuid, file.uuid)
    assert await client.storages.files(application.uuid) == ()


async def test_a_scheduled_task_is_brought_to_what_is_wanted(client, application) -> None:
    task = TaskWrite(name="tidy", command="bin/tidy", frequency="daily")
    created = await client.scheduled_tasks.ensure(application.uuid, task)
    changed = await client.scheduled_tasks.ensure(application.uuid, task.model_copy(update={"frequency": "hourly"}))
    assert (changed.uuid, changed.frequency) == (created.uuid, "hourly")
    assert await client.scheduled_tasks.executions(application.uuid, created.uuid) == ()
    await client.scheduled_tasks.execute(application.uuid, created.uuid)
    async with asyncio.timeout(60):
        while [one.status for one in await client.scheduled_tasks.executions(application.uuid, created.uuid)] != [
            "failed"
        ]:
            await asyncio.sleep(0.02)
    (run,) = await client.scheduled_tasks.executions(application.uuid, created.uuid)
    assert "No containers running" in (run.message or "")
    await client.scheduled_tasks.delete(application.uuid, created.uuid)
    assert await client.scheduled_tasks.list(application.uuid) == ()


async def test_tags_are_added_and_removed(client, application) -> None:
    tags = await client.tags.add(application.uuid, ["prod", "web"])
    assert [tag.name for tag in await client.tags.add(application.uuid, ["prod"])] == ["prod", "web"]
    await client.tags.remove(application.uuid, tags[0].uuid)
    assert [tag.name for tag in await client.tags.list(application.uuid)] == ["web"]
    assert [tag.name for tag in await client.tags.list()] == ["web"]


async def test_shared_variables_of_every_scope(client, placement) -> None:
    scopes = [
        SharedScope.team(),
        SharedScope.project(placement.project_uuid),
        SharedScope.environment(placement.project_uuid, "production"),
        SharedScope.server(placement.server_uuid),
    ]
    for scope in scopes:
        first = await client.shared_variables.ensure(scope, "REGION", SecretStr("eu"))
        second = await client.shared_variables.ensure(scope, "REGION", SecretStr("us"))
        assert first.id == second.id
        listed = {one.key: one.value for one in await client.shared_variables.list(scope)}
        assert listed["REGION"] == SecretStr("us")
        await client.shared_variables.delete(scope, first.id)
        assert "REGION" not in {one.key for one in await client.shared_variables.list(scope)}


@pytest.mark.parametrize("channel", list(Channel))
async def test_events_of_every_channel(client, channel) -> None:
    assert "deployment_failure" in (await client.notifications.get(channel)).events
    changed = await client.notifications.set(channel, {}, {"deployment_failure": False, "status_change": True})
    assert "deployment_failure" not in changed.events
    assert "status_change" in changed.events


async def test_a_webhook_address_is_a_secret(client) -> None:
    address = SecretStr("https://hooks.example.com/T0/B0/secret")
    changed = await client.notifications.set(Channel.SLACK, {"slack_webhook_url": address, "slack_enabled": True}, {})
    assert changed.settings["slack_enabled"] is True
    assert "secret" not in repr(changed)


async def test_a_server_is_created_once_looked_at_and_deleted(client) -> None:
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()
    key = await client.private_keys.create("server key", SecretStr(pem))
    spec = ServerSpec(name="two", ip="192.0.2.20", private_key_uuid=key.uuid)
    created = (await client.servers.ensure(spec)).value
    assert (await client.servers.ensure(spec)).created is False
    await client.servers.validate(created.uuid)
    assert await client.servers.resources(created.uuid) == ()
    assert (await client.servers.proxy(created.uuid)).proxy_type == "TRAEFIK"
    assert (await client.servers.sentinel(created.uuid)).is_sentinel_enabled
    cleanup = await client.servers.docker_cleanup(created.uuid)
    wanted = cleanup.model_copy(update={"docker_cleanup_threshold": 70})
    assert (await client.servers.set_docker_cleanup(created.uuid, wanted)).docker_cleanup_threshold == 70
    network = await client.destinations.ensure(created.uuid, "extra", await client.capabilities())
    assert (await client.destinations.ensure(created.uuid, "extra", await client.capabilities())).created is False
    await client.destinations.delete(network.value.uuid)
    await client.servers.delete(created.uuid)
    with pytest.raises(NotFoundError):
        await client.servers.get(created.uuid)


COMPOSE = """
services:
  web:
    image: nginx:alpine
    environment: [SERVICE_FQDN_WEB_80, FOO=bar]
  db:
    image: postgres:17
    volumes: ["data:/var/lib/postgresql/data"]
"""


@pytest.mark.parametrize("what", [{"compose": COMPOSE}, {"type": "uptime-kuma"}], ids=["compose", "one-click"])
@pytest.mark.parametrize("kind", [None, FaultKind.RESET_BEFORE, FaultKind.RESET_AFTER])
async def test_a_service_is_created_once_started_and_deleted(
    sandbox, client, placement, environment_id, what, kind
) -> None:
    if kind:
        sandbox.app.state.faults.add(Fault(kind, "POST", "/services"))
    spec = ServiceSpec(name="status", placement=placement, **what)
    first = await client.services.ensure(spec, environment_id)
    again = await client.services.ensure(spec, environment_id)
    assert (first.created, again.created) == (True, False)
    assert first.value.uuid == again.value.uuid
    assert await client.services.start(first.value.uuid) is True
    assert await client.services.stop(first.value.uuid) is False
    await client.services.delete(first.value.uuid)
    await eventually_gone(client, first.value.uuid)


async def eventually_gone(client, service_uuid: str) -> None:
    async with asyncio.timeout(10):
        while True:
            try:
                await client.services.get(service_uuid)
            except NotFoundError:
                return
            await asyncio.sleep(0.05)


async def test_everything_that_runs_is_listed(client, application, placement, environment_id) -> None:
    spec = DatabaseSpec(engine=DatabaseEngine.KEYDB, name="cache", placement=placement)
    await client.databases.ensure(spec, environment_id)
    kinds = {one.name: one.type for one in await client.instance.resources()}
    assert kinds == {"shop": "application", "cache": "standalone-keydb"}


async def test_the_api_is_switched_off_and_on(client) -> None:
    await client.instance.disable_api()
    with pytest.raises(ApiError, match="API is disabled"):
        await client.projects.list()
    await client.instance.enable_api()
    assert await client.projects.list() == ()


async def test_what_a_version_lacks_is_refused_by_name_and_never_sent(monkeypatch) -> None:
    async with Sandbox(settings=ServerSettings(version="4.1.2")) as sandbox:
        async with CoolifyClient(sandbox.url, StaticToken(SecretStr(sandbox.token))) as client:
            refused = [
                client.s3_storages.list(),
                client.tags.list(),
                client.shared_variables.list(SharedScope.team()),
                client.notifications.get(Channel.SLACK),
                client.servers.proxy("x" * 24),
                client.databases.logs("x" * 24),
                client.storages.back_up("x" * 24, "x" * 24, "daily"),
                client.scheduled_tasks.execute("x" * 24, "x" * 24),
                client.relocation.move(ResourceKind.APPLICATION, "x" * 24, "x" * 24),
                client.git_apps.gitlab(),
            ]
            for request in refused:
                with pytest.raises(UnsupportedVersionError, match=r"it needs 4\.[23]\.0 or later"):
                    await request
        assert {one.path for one in sandbox.app.state.faults.requests} == {"/version"}


async def test_a_setting_that_coolify_refuses_names_the_field(client, application) -> None:
    with pytest.raises(ValidationFailedError) as refused:
        await client.scheduled_tasks.ensure(
            application.uuid, TaskWrite(name="tidy", command="bin/tidy", frequency="sometimes")
        )
    assert set(refused.value.field_errors) == {"frequency"}
