"""The groups of the client that a release seldom needs, against the sandbox."""

import asyncio

import pytest
from pydantic import SecretStr

from coolify.api import ApplicationSpec, CoolifyClient, Placement, PublicGitSource, StaticToken, VariableWrite
from coolify.api.application_specs import GithubAppSource
from coolify.api.databases import DatabaseEngine, DatabaseSettings, DatabaseSpec
from coolify.api.errors import (
    AmbiguousNameError,
    ConflictError,
    DeploymentNotStoredError,
    NotFoundError,
    UnsupportedVersionError,
    ValidationFailedError,
)
from coolify.api.extras import TaskWrite, VolumeBackupWrite, VolumeWrite
from coolify.api.git_apps import GithubAppWrite, GitlabAppWrite
from coolify.api.relocation import ResourceKind
from coolify.api.server_administration import LogDrainsWrite, ProxyWrite, SentinelWrite
from coolify.api.servers import ServerSettingsWrite, ServerSpec
from coolify.api.service_parts import PartKind, ServicePartWrite
from coolify.api.settings import ApplicationSettings
from coolify.api.team import ServiceSettings, ServiceSpec
from coolify_sandbox.sandbox import Sandbox
from coolify_sandbox.server.faults import Fault, FaultKind
from coolify_sandbox.server.settings import ServerSettings

COMPOSE = "services:\n  web:\n    image: nginx:1.27\n  db:\n    image: postgres:16\n"


def connect(sandbox, token: str | None = None) -> CoolifyClient:
    return CoolifyClient(sandbox.url, StaticToken(SecretStr(token or sandbox.token)))


@pytest.fixture
async def client(sandbox):
    async with connect(sandbox) as connected:
        yield connected


@pytest.fixture
async def placement(client):
    project = (await client.projects.ensure("shop")).value
    (server,) = await client.servers.list()
    return Placement(project_uuid=project.uuid, environment_name="production", server_uuid=server.uuid)


@pytest.fixture
async def environment_id(client, placement) -> int:
    (environment,) = await client.environments.list(placement.project_uuid)
    return environment.id


@pytest.fixture
async def application(client, placement):
    source = PublicGitSource(repository="https://github.com/example/shop", branch="main")
    return await client.applications.create(ApplicationSpec(name="shop", placement=placement, source=source))


@pytest.fixture
async def database(client, placement, environment_id):
    spec = DatabaseSpec(engine=DatabaseEngine.POSTGRESQL, name="main", placement=placement)
    return (await client.databases.ensure(spec, environment_id)).value


@pytest.fixture
async def service(client, placement, environment_id):
    spec = ServiceSpec(name="stack", placement=placement, compose=COMPOSE)
    return (await client.services.ensure(spec, environment_id)).value


async def key(client) -> str:
    (found,) = await client.private_keys.list()
    return found.uuid


def github_app(key_uuid: str) -> GithubAppWrite:
    return GithubAppWrite(
        name="deployer",
        html_url="https://github.com",
        api_url="https://api.github.com",
        app_id=7,
        installation_id=8,
        client_id="Iv1",
        client_secret=SecretStr("client secret"),
        webhook_secret=SecretStr("webhook secret"),
        private_key_uuid=key_uuid,
    )


@pytest.mark.parametrize("kind", list(ResourceKind))
async def test_anything_is_moved_and_keeps_its_identity(
    client, placement, application, database, service, kind
) -> None:
    staging = (await client.environments.ensure(placement.project_uuid, "staging")).value
    moved = {"applications": application, "databases": database, "services": service}[kind.value]
    await client.relocation.move(kind, moved.uuid, staging.uuid)
    await client.relocation.move(kind, moved.uuid, staging.uuid)
    here = next(one for one in await client.instance.resources() if one.uuid == moved.uuid)
    listed = await client.environments.list(placement.project_uuid)
    assert here.environment_id == next(one.id for one in listed if one.name == "staging")
    with pytest.raises(NotFoundError, match="Environment"):
        await client.relocation.move(kind, moved.uuid, "z" * 24)


@pytest.mark.parametrize("fault", [None, FaultKind.RESET_BEFORE, FaultKind.RESET_AFTER])
@pytest.mark.parametrize("kind", list(ResourceKind))
async def test_a_clone_is_made_once_whatever_happens_to_the_answer(
    sandbox, client, application, database, service, kind, fault
) -> None:
    original = {"applications": application, "databases": database, "services": service}[kind.value]
    (server,) = await client.servers.list()
    (network,) = await client.destinations.list(server.uuid, await client.capabilities())
    if fault is not None:
        sandbox.app.state.faults.add(Fault(fault, "POST", ".*/clone"))
    uuid = await client.relocation.clone(kind, original.uuid, network.uuid, "copy")
    everything = await client.instance.resources()
    assert [one.uuid for one in everything if one.name == "copy"] == [uuid]
    with pytest.raises(AmbiguousNameError, match="copy"):
        await client.relocation.clone(kind, original.uuid, network.uuid, "copy")


async def test_a_clone_has_the_variables_and_an_address_of_its_own(client, application) -> None:
    await client.variables.upsert(application.uuid, [VariableWrite(key="A", value=SecretStr("1"))])
    (server,) = await client.servers.list()
    (network,) = await client.destinations.list(server.uuid, await client.capabilities())
    uuid = await client.relocation.clone(ResourceKind.APPLICATION, application.uuid, network.uuid, "copy")
    copy = await client.applications.get(uuid)
    assert uuid in (copy.fqdn or "")
    assert {one.key for one in await client.variables.list(uuid)} >= {"A"}
    await client.variables.upsert(uuid, [VariableWrite(key="A", value=SecretStr("2"))])
    values = {one.value.get_secret_value() for one in await client.variables.list(application.uuid) if one.key == "A"}
    assert values == {"1"}


async def test_a_github_app_is_known_once_and_serves_as_a_source(client, placement) -> None:
    first = await client.git_apps.ensure_github(github_app(await key(client)))
    again = await client.git_apps.ensure_github(github_app(await key(client)))
    assert (first.created, again.created, first.value.id) == (True, False, again.value.id)
    assert "secret" not in repr(first.value)
    changed = github_app(await key(client)).model_copy(update={"name": "renamed"})
    assert (await client.git_apps.update_github(first.value.id, changed)).name == "renamed"
    source = GithubAppSource(repository="example/shop", branch="main", github_app_uuid=first.value.uuid or "")
    application = await client.applications.create(ApplicationSpec(name="web", placement=placement, source=source))
    with pytest.raises(ConflictError, match="1 application"):
        await client.git_apps.delete_github(first.value.id)
    await client.applications.delete(application.uuid)


async def test_a_github_app_that_is_not_there_is_told(client, placement) -> None:
    source = GithubAppSource(repository="example/shop", branch="main", github_app_uuid="nothing")
    with pytest.raises(NotFoundError, match="Github App not found"):
        await client.applications.create(ApplicationSpec(name="web", placement=placement, source=source))


async def test_a_gitlab_app_is_known_changed_and_forgotten(client) -> None:
    app = GitlabAppWrite(name="ours", html_url="https://gitlab.example.com", client_secret=SecretStr("hush"))
    created = (await client.git_apps.ensure_gitlab(app)).value
    assert created.api_url == "https://gitlab.example.com/api/v4"
    assert (await client.git_apps.ensure_gitlab(app)).created is False
    await client.git_apps.update_gitlab(created.id, app.model_copy(update={"name": "theirs"}))
    assert "theirs" in {one.name for one in await client.git_apps.gitlab()}
    await client.git_apps.delete_gitlab(created.id)
    assert [one.name for one in await client.git_apps.gitlab()] == ["Public GitLab"]


async def test_secrets_of_git_apps_are_hidden_from_plain_readers(sandbox, client) -> None:
    await client.git_apps.ensure_github(github_app(await key(client)))
    async with connect(sandbox, sandbox.create_token({"read"})) as reader:
        raw = await reader._transport.get("/github-apps")
    assert not any({"client_secret", "webhook_secret"} & one.keys() for one in raw)


async def test_containers_of_a_service_one_by_one(client, service) -> None:
    (web,) = await client.service_parts.list(service.uuid, PartKind.APPLICATION)
    (db,) = await client.service_parts.list(service.uuid, PartKind.DATABASE)
    changed = await client.service_parts.update(
        service.uuid, PartKind.APPLICATION, web.uuid, ServicePartWrite(url="https://web.sandbox.test/")
    )
    assert changed.fqdn == "https://web.sandbox.test"
    await client.service_parts.update(service.uuid, PartKind.DATABASE, db.uuid, ServicePartWrite(image="postgres:17"))
    assert (await client.service_parts.get(service.uuid, PartKind.DATABASE, db.uuid)).image == "postgres:17"
    for act in (client.service_parts.start, client.service_parts.restart, client.service_parts.stop):
        await act(service.uuid, PartKind.APPLICATION, web.uuid)
    with pytest.raises(NotFoundError, match="Service database not found"):
        await client.service_parts.get(service.uuid, PartKind.DATABASE, web.uuid)
    with pytest.raises(ValueError, match="have no setting 'public_port'"):
        ServicePartWrite(public_port=5432).body(PartKind.APPLICATION)


async def test_a_service_is_changed_with_its_variables_storages_tags_and_tasks(client, service) -> None:
    await client.services.update(service.uuid, ServiceSettings(name="renamed", urls={"web": "https://w.sandbox.test"}))
    assert (await client.services.get(service.uuid)).name == "renamed"
    await client.services.set_variables(service.uuid, [VariableWrite(key="A", value=SecretStr("1"))])
    (variable,) = [one for one in await client.services.variables(service.uuid) if one.key == "A"]
    await client.services.delete_variable(service.uuid, variable.uuid)
    assert "A" not in {one.key for one in await client.services.variables(service.uuid)}
    tags = await client.service_tags.add(service.uuid, ["stack"])
    await client.service_tags.rename(tags[0].uuid, "stacks")
    assert [tag.name for tag in await client.service_tags.list(service.uuid)] == ["stacks"]
    await client.service_tags.remove(service.uuid, tags[0].uuid)
    assert await client.service_tags.list() == ()
    task = await client.service_tasks.ensure(
        service.uuid, TaskWrite(name="tidy", command="tidy", frequency="daily", container="web")
    )
    await client.service_tasks.execute(service.uuid, task.uuid)
    assert [one.uuid for one in await client.service_tasks.list(service.uuid)] == [task.uuid]


async def test_a_database_has_storages_tags_and_a_health_check(client, database) -> None:
    extra = VolumeWrite(name="extra", mount_path="/extra")
    volume = (await client.database_storages.ensure_volume(database.uuid, extra)).value
    assert (await client.database_storages.ensure_volume(database.uuid, extra)).value.uuid == volume.uuid
    assert len(await client.database_storages.volumes(database.uuid)) == 2
    await client.database_storages.delete(database.uuid, volume.uuid)
    assert len(await client.database_storages.volumes(database.uuid)) == 1
    await client.database_tags.add(database.uuid, ["data"])
    assert [tag.name for tag in await client.database_tags.list(database.uuid)] == ["data"]
    await client.databases.update(database, DatabaseSettings(health_check_interval=30))


async def test_the_schedule_of_a_volume_is_written_run_and_deleted(client, application) -> None:
    volume = (await client.storages.ensure_volume(application.uuid, VolumeWrite(name="data", mount_path="/data"))).value
    with pytest.raises(NotFoundError, match="schedule not found"):
        await client.storages.back_up_now(application.uuid, volume.uuid)
    schedule = VolumeBackupWrite(frequency="daily", retention_amount_locally=3)
    written = await client.storages.back_up(application.uuid, volume.uuid, schedule)
    again = await client.storages.back_up(application.uuid, volume.uuid, VolumeBackupWrite(frequency="hourly"))
    assert (written.uuid, again.frequency) == (again.uuid, "hourly")
    await client.storages.back_up_now(application.uuid, volume.uuid)
    await client.storages.stop_backing_up(application.uuid, volume.uuid)
    with pytest.raises(NotFoundError):
        await client.storages.back_up_now(application.uuid, volume.uuid)
    with pytest.raises(ValueError, match="nothing would be kept"):
        VolumeBackupWrite(frequency="daily", disable_local_backup=True).body()


async def test_a_mounted_file_is_replaced(client, application) -> None:
    file = await client.storages.ensure_file(application.uuid, "/app/x.yml", "a: 1")
    await client.storages.update_file(application.uuid, file.uuid, "a: 2")
    assert [one.content for one in await client.storages.files(application.uuid)] == ["a: 2"]


async def test_what_is_set_up_on_a_server(client) -> None:
    (server,) = await client.servers.list()
    admin = client.server_administration
    changed = await admin.set_proxy(server.uuid, ProxyWrite(redirect_url="https://example.com"))
    assert changed.redirect_url == "https://example.com"
    written = await admin.write_proxy_configuration(server.uuid, "services: {}\n")
    assert written.configuration is not None
    assert written.configuration.strip() == "services: {}"
    await admin.restart_proxy(server.uuid)
    sentinel = await admin.set_sentinel(server.uuid, SentinelWrite(sentinel_push_interval_seconds=90))
    assert sentinel.sentinel_push_interval_seconds == 90
    await admin.run_cleanup(server.uuid)
    async with asyncio.timeout(30):
        while not (done := await admin.cleanups(server.uuid)):
            await asyncio.sleep(0.05)
    assert [one.status for one in done] == ["success"]
    with pytest.raises(ValidationFailedError) as refused:
        await admin.set_log_drains(server.uuid, LogDrainsWrite(is_logdrain_axiom_enabled=True))
    assert set(refused.value.field_errors) == {"logdrain_axiom_dataset_name", "logdrain_axiom_api_key"}
    drains = LogDrainsWrite(
        is_logdrain_axiom_enabled=True, logdrain_axiom_dataset_name="logs", logdrain_axiom_api_key=SecretStr("k")
    )
    assert (await admin.set_log_drains(server.uuid, drains)).is_logdrain_axiom_enabled
    with pytest.raises(ValidationFailedError, match="localhost"):
        await admin.set_tunnel(server.uuid, enabled=True)


async def test_a_further_server_is_changed_and_put_behind_a_tunnel(client) -> None:
    spec = ServerSpec(name="two", ip="192.0.2.2", private_key_uuid=await key(client))
    server = (await client.servers.ensure(spec)).value
    await client.servers.update(server.uuid, ServerSettingsWrite(name="zwei", concurrent_builds=4))
    assert (await client.servers.get(server.uuid)).settings.concurrent_builds == 4
    assert (await client.server_administration.set_tunnel(server.uuid, enabled=True)).is_cloudflare_tunnel
    assert not (await client.server_administration.set_tunnel(server.uuid, enabled=False)).is_cloudflare_tunnel
    await client.servers.delete(server.uuid)


async def test_projects_environments_and_teams_are_read_and_changed(client, placement) -> None:
    await client.projects.update(placement.project_uuid, name="renamed", description="ours")
    assert (await client.projects.get(placement.project_uuid)).name == "renamed"
    await client.environments.ensure(placement.project_uuid, "staging")
    await client.environments.update(placement.project_uuid, "staging", name="testing")
    assert {one.name for one in await client.environments.list(placement.project_uuid)} == {"production", "testing"}
    await client.environments.delete(placement.project_uuid, "testing")
    assert [one.name for one in await client.environments.list(placement.project_uuid)] == ["production"]
    assert [team.id for team in await client.teams.list()] == [0]
    assert [member.id for member in await client.teams.members()] == [0]


async def test_a_preview_of_an_unknown_pull_request_is_told(client, application) -> None:
    with pytest.raises(DeploymentNotStoredError, match="Pull request 7 not found"):
        await client.deployments.trigger_preview(application.uuid, 7)
    with pytest.raises(NotFoundError, match="Preview not found"):
        await client.applications.delete_preview(application.uuid, 7)


async def test_the_networks_of_an_application(client, application) -> None:
    (main,) = await client.applications.destinations(application.uuid)
    await client.applications.add_destination(application.uuid, main.uuid)
    with pytest.raises(ValidationFailedError, match="primary"):
        await client.applications.remove_destination(application.uuid, main.uuid)


OLD = [
    ("clone", "4.3.0", lambda c: c.relocation.clone(ResourceKind.SERVICE, "x", "y", "z")),
    ("move", "4.2.0", lambda c: c.relocation.move(ResourceKind.DATABASE, "x", "y")),
    ("parts", "4.2.0", lambda c: c.service_parts.list("x", PartKind.APPLICATION)),
    ("proxy", "4.3.0", lambda c: c.server_administration.set_proxy("x", ProxyWrite(redirect_enabled=True))),
    ("environment", "4.3.0", lambda c: c.environments.update("x", "y", name="z")),
    ("networks", "4.3.0", lambda c: c.applications.destinations("x")),
    ("volume backups", "4.3.0", lambda c: c.storages.back_up("x", "y", VolumeBackupWrite(frequency="daily"))),
    ("restart limit", "4.3.0", lambda c: c.applications.update("x", ApplicationSettings(max_restart_count=3))),
    ("gzip", "4.2.0", lambda c: c.applications.update("x", ApplicationSettings(is_gzip_enabled=False))),
]


@pytest.mark.parametrize(("what", "needed", "ask"), OLD, ids=[one[0] for one in OLD])
async def test_what_an_old_coolify_lacks_is_refused_before_anything_is_sent(what, needed, ask) -> None:
    async with Sandbox(settings=ServerSettings(version="4.1.2")) as sandbox, connect(sandbox) as client:
        with pytest.raises(UnsupportedVersionError, match=needed.replace(".", r"\.")):
            await ask(client)
        assert [one.path for one in sandbox.app.state.faults.requests] == ["/version"]
