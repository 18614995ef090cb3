"""The traps of Coolify's API, by their number in the reference: what the server does, and what we make of it."""

import asyncio
import base64
import ssl

import httpx
import pytest
from pydantic import SecretStr, ValidationError

from coolify.api import (
    ApplicationSettings,
    ApplicationSpec,
    CoolifyClient,
    DeploymentStatus,
    DockerImageSource,
    Placement,
    PublicGitSource,
    QueueFullError,
    RetryPolicy,
    StaticToken,
    UnsupportedVersionError,
    VariableWrite,
)
from coolify.api.backups import BackupWrite
from coolify.api.capabilities import CoolifyVersion
from coolify.api.databases import DatabaseEngine, DatabaseSpec
from coolify.api.errors import (
    ApiDisabledError,
    ApiError,
    ConflictError,
    DeploymentNotStoredError,
    EndpointMissingError,
    NotFoundError,
    ValidationFailedError,
)
from coolify.plan import plan_settings
from coolify_sandbox.samples import SampleRepository
from coolify_sandbox.sandbox import Sandbox
from coolify_sandbox.server.faults import Fault, FaultKind
from coolify_sandbox.server.settings import ServerSettings


def connect(sandbox, token: str | None = None) -> CoolifyClient:
    return CoolifyClient(
        sandbox.url, StaticToken(SecretStr(token or sandbox.token)), retry=RetryPolicy(first_delay=0.01)
    )


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
def repository(tmp_path):
    sample = SampleRepository(tmp_path / "repository")
    sample.commit("1.0.0")
    return sample


@pytest.fixture
async def application(client, placement, repository):
    settings = ApplicationSettings(
        start_command=SampleRepository.START_COMMAND, health_check_enabled=False, domains="https://shop.sandbox.test"
    )
    source = PublicGitSource(repository=str(repository.path), branch="main")
    spec = ApplicationSpec(name="shop", placement=placement, source=source, settings=settings)
    return await client.applications.create(spec)


@pytest.fixture
async def raw(sandbox):
    headers = {"Authorization": f"Bearer {sandbox.token}", "Accept": "application/json"}
    async with httpx.AsyncClient(base_url=f"{sandbox.url}/api/v1", headers=headers) as plain:
        yield plain


async def deployed(client, application_uuid: str, **options):
    triggered = await client.deployments.trigger(application_uuid, **options)
    async for event in client.deployments.follow(triggered.deployment_uuid, interval=0.05, timeout=30):
        last = event
    return last.deployment


def fill_the_queue(sandbox) -> None:
    row = sandbox.state.by_id("server", 0)
    sandbox.state.update(row, settings=row["settings"] | {"deployment_queue_limit": 0})


async def test_trap_01_the_uuid_of_a_skipped_deployment_is_replaced_by_the_real_one(client, application, raw) -> None:
    first = (await raw.post("/deploy", params={"uuid": application.uuid})).json()["deployments"][0]
    second = (await raw.post("/deploy", params={"uuid": application.uuid})).json()["deployments"][0]
    assert second["message"] == "Deployment already queued for this commit."
    assert (await raw.get(f"/deployments/{second['deployment_uuid']}")).status_code == 404
    adopted = await client.deployments.trigger(application.uuid)
    assert (adopted.deployment_uuid, adopted.adopted) == (first["deployment_uuid"], True)


async def test_trap_02_a_dead_uuid_of_a_full_queue_is_not_followed_as_finished(
    sandbox, client, application, raw
) -> None:
    fill_the_queue(sandbox)
    dead = (await raw.post(f"/applications/{application.uuid}/start")).json()["deployment_uuid"]
    with pytest.raises(DeploymentNotStoredError):
        async for _ in client.deployments.follow(dead, interval=0.01):
            pass
    with pytest.raises(QueueFullError):
        await client.deployments.trigger(application.uuid)


async def test_trap_03_a_write_is_accepted_and_done_later(client, application, raw) -> None:
    assert (await raw.post(f"/applications/{application.uuid}/stop")).json() == {
        "message": "Application stopping request queued."
    }
    await client.applications.delete(application.uuid)
    async with asyncio.timeout(10):
        while True:
            try:
                await client.applications.get(application.uuid)
            except NotFoundError:
                break
            await asyncio.sleep(0.02)


async def test_trap_04_finished_is_not_healthy(client, application, repository) -> None:
    (repository.path / "server.py").write_text("raise SystemExit('no')\n")
    repository._git("add", "server.py")
    repository._git("commit", "--quiet", "--message", "crash")
    assert (await deployed(client, application.uuid)).status is DeploymentStatus.FINISHED
    # Only the status tells, after a while.
    async with asyncio.timeout(10):
        while (await client.applications.get(application.uuid)).parsed_status.is_running:
            await asyncio.sleep(0.02)
    with pytest.raises(ApiError, match="not running"):
        await client.applications.logs(application.uuid)


async def test_trap_05_states_are_spelled_in_three_ways(client, application) -> None:
    assert {"queued", "in_progress", "finished", "failed", "cancelled-by-user"} == set(DeploymentStatus)
    stopped = (await client.applications.get(application.uuid)).parsed_status
    assert (stopped.state, stopped.is_running) == ("exited", False)


async def test_trap_06_a_failing_post_deployment_command_does_not_fail_the_deployment(client, application) -> None:
    await client.applications.update(application.uuid, ApplicationSettings(post_deployment_command="false"))
    assert (await deployed(client, application.uuid)).status is DeploymentStatus.FINISHED


@pytest.mark.parametrize(("version", "pinned"), [("4.1.2", False), ("4.2.0", True)])
async def test_trap_07_a_pinned_commit_is_ignored_before_420(tmp_path, version, pinned) -> None:
    sample = SampleRepository(tmp_path / "repository")
    old = sample.commit("1.0.0")
    new = sample.commit("2.0.0")
    async with Sandbox(settings=ServerSettings(version=version)) as sandbox, connect(sandbox) as client:
        project = (await client.projects.ensure("shop")).value
        (server,) = await client.servers.list()
        place = Placement(project_uuid=project.uuid, environment_name="production", server_uuid=server.uuid)
        settings = ApplicationSettings(
            start_command=SampleRepository.START_COMMAND, git_commit_sha=old, health_check_enabled=False
        )
        source = PublicGitSource(repository=str(sample.path), branch="main")
        spec = ApplicationSpec(name="shop", placement=place, source=source, settings=settings)
        application = await client.applications.create(spec)
        assert (await deployed(client, application.uuid)).commit == (old if pinned else new)


async def test_trap_08_labels_of_ones_own_survive_a_change_of_domains(client, application) -> None:
    settings = ApplicationSettings(domains="https://www.sandbox.test", custom_labels="mine=1")
    await client.applications.update(application.uuid, settings)
    assert (await client.applications.get(application.uuid)).custom_labels == "mine=1"


async def test_trap_09_labels_are_base64_on_the_wire_and_text_here(client, application, sandbox) -> None:
    await client.applications.update(application.uuid, ApplicationSettings(custom_labels="mine=1"))
    assert (await client.applications.get(application.uuid)).custom_labels == "mine=1"
    body = ApplicationSettings(custom_labels="mine=1").body(await client.capabilities())
    assert base64.b64decode(body["custom_labels"]) == b"mine=1"


async def test_trap_10_a_variable_has_a_preview_twin(client, application) -> None:
    await client.variables.upsert(application.uuid, [VariableWrite(key="A", value=SecretStr("1"))])
    twins = [one for one in await client.variables.list(application.uuid) if one.key == "A"]
    assert sorted(one.is_preview for one in twins) == [False, True]


async def test_trap_11_a_variable_is_written_whole_so_that_nothing_is_reset(client, application) -> None:
    wanted = VariableWrite(key="KEY", value=SecretStr("line\nline"), is_multiline=True, is_literal=True)
    await client.variables.upsert(application.uuid, [wanted])
    await client.variables.upsert(application.uuid, [wanted.model_copy(update={"value": SecretStr("other\nline")})])
    (one,) = [one for one in await client.variables.list(application.uuid) if one.key == "KEY" and not one.is_preview]
    assert (one.is_multiline, one.is_literal) == (True, True)


async def test_trap_12_success_has_many_codes(raw, placement, application) -> None:
    codes = {
        "project": (await raw.patch(f"/projects/{placement.project_uuid}", json={"name": "renamed"})).status_code,
        "server": (await raw.patch(f"/servers/{placement.server_uuid}", json={"concurrent_builds": 3})).status_code,
        "application": (await raw.patch(f"/applications/{application.uuid}", json={"name": "renamed"})).status_code,
        "validate": (await raw.post(f"/servers/{placement.server_uuid}/validate")).status_code,
    }
    assert codes == {"project": 201, "server": 201, "application": 200, "validate": 201}


async def test_trap_13_every_envelope_of_errors_is_told_alike(sandbox, client, raw, placement) -> None:
    with pytest.raises(ValidationFailedError) as lists:
        await client.projects.create("a")
    assert lists.value.field_errors == {"name": ["The name must be at least 3 characters."]}
    spec = DatabaseSpec(engine=DatabaseEngine.POSTGRESQL, name="main", placement=placement)
    with pytest.raises(ValidationFailedError) as names:
        await client._transport.post_once("/databases/postgresql", {"foo": 1, "name": spec.name})
    assert names.value.field_errors == {"": ["foo"]}
    await client.instance.disable_api()
    with pytest.raises(ApiDisabledError):
        await client.projects.list()
    await client.instance.enable_api()
    with pytest.raises(EndpointMissingError):
        await client._transport.get("/no-such-thing")


@pytest.mark.parametrize(("version", "method"), [("4.1.2", "GET"), ("4.2.0", "POST")])
async def test_trap_14_actions_are_posts_only_since_420(version, method) -> None:
    async with Sandbox(settings=ServerSettings(version=version)) as sandbox, connect(sandbox) as client:
        (server,) = await client.servers.list()
        await client.servers.validate(server.uuid)
        await client.instance.disable_api()
        await client.instance.enable_api()
        seen = [(one.method, one.path, one.status) for one in sandbox.app.state.faults.requests]
    assert (method, f"/servers/{server.uuid}/validate", 201) in seen
    assert any(one[:2] == (method, "/disable") and one[2] == 200 for one in seen)


async def test_trap_15_nothing_is_wiped_unless_asked_for(sandbox, client, application) -> None:
    queries: list[str] = []
    original = client._transport._http.request

    async def watching(method, path, **more):
        queries.append(f"{method} {more['params']}")
        return await original(method, path, **more)

    client._transport._http.request = watching
    await client.applications.stop(application.uuid)
    await client.applications.delete(application.uuid)
    assert "'docker_cleanup': 'false'" in queries[0]
    assert "'delete_volumes': 'false'" in queries[1]


async def test_trap_16_only_deployments_of_an_application_come_in_pages(client, application) -> None:
    for _ in range(3):
        await deployed(client, application.uuid, force=True)
    page = await client.deployments.for_application(application.uuid, skip=1, take=1)
    assert (page.count, len(page.deployments)) == (3, 1)


async def test_trap_17_the_running_deployments_may_come_as_an_object(sandbox, client, application, raw) -> None:
    facts = {"application_id": "1", "team_id": 0, "server_id": 0, "pull_request_id": 0, "commit": "HEAD"}
    server = sandbox.state.by_id("server", 0)
    sandbox.state.update(server, settings=server["settings"] | {"concurrent_builds": 0})
    for letter, status in (("a", "queued"), ("b", "in_progress")):
        row = facts | {"deployment_uuid": letter * 24, "status": status}
        sandbox.state.insert("deployment", row, uuid=letter * 24)
    assert list((await raw.get("/deployments")).json()) == ["1", "0"]
    assert [one.deployment_uuid[0] for one in await client.deployments.running()] == ["b", "a"]


async def test_trap_18_domains_are_written_and_fqdn_is_read(client, application, raw) -> None:
    answer = (await raw.get(f"/applications/{application.uuid}")).json()
    assert "domains" not in answer
    assert answer["fqdn"] == "https://shop.sandbox.test"
    plan = plan_settings(application, ApplicationSettings(domains="https://shop.sandbox.test"))
    assert plan.changes == ()


async def test_trap_19_what_a_token_may_not_see_is_not_taken_for_empty(sandbox, client, application) -> None:
    await client.variables.upsert(application.uuid, [VariableWrite(key="A", value=SecretStr("1"))])
    async with connect(sandbox, sandbox.create_token({"read"})) as reader:
        seen = await reader.applications.get(application.uuid)
        variables = await reader.variables.list(application.uuid)
    assert not seen.labels_known
    assert not any(one.value_known for one in variables)


@pytest.mark.parametrize("kind", [FaultKind.RESET_BEFORE, FaultKind.RESET_AFTER])
async def test_trap_20_a_create_whose_answer_was_lost_is_looked_for_first(sandbox, client, kind) -> None:
    sandbox.app.state.faults.add(Fault(kind, "POST", "/projects"))
    await client.projects.ensure("shop")
    assert len(await client.projects.list()) == 1


async def test_trap_21_a_domain_of_another_application_is_a_conflict(
    client, placement, application, repository
) -> None:
    source = PublicGitSource(repository=str(repository.path), branch="main")
    settings = ApplicationSettings(domains="https://shop.sandbox.test")
    spec = ApplicationSpec(name="other", placement=placement, source=source, settings=settings)
    with pytest.raises(ConflictError, match="shop"):
        await client.applications.create(spec)


def test_trap_22_fields_that_only_the_documentation_knows_cannot_be_written() -> None:
    for field in ("dockerfile", "project_uuid", "server_uuid", "environment_name"):
        assert field not in ApplicationSettings.model_fields
    for field in ("health_check_type", "dockerfile_target_build", "static_image", "custom_network_aliases"):
        assert field in ApplicationSettings.model_fields


async def test_trap_23_a_field_that_a_version_does_not_know_is_never_sent() -> None:
    async with Sandbox(settings=ServerSettings(version="4.1.2")) as sandbox, connect(sandbox) as client:
        with pytest.raises(UnsupportedVersionError, match=r"4\.2\.0"):
            await client.applications.update("x" * 24, ApplicationSettings(docker_images_to_keep=5))
        assert not [one for one in sandbox.app.state.faults.requests if one.method == "PATCH"]


async def test_trap_24_a_pipe_in_a_build_command_is_refused_and_named(client, application) -> None:
    with pytest.raises(ValidationFailedError) as refused:
        await client.applications.update(application.uuid, ApplicationSettings(build_command="make | tee log"))
    assert set(refused.value.field_errors) == {"build_command"}


async def test_trap_25_an_image_is_changed_by_its_tag(client, placement) -> None:
    source = DockerImageSource(image="ghcr.io/example/shop", tag="1.0")
    application = await client.applications.create(ApplicationSpec(name="image", placement=placement, source=source))
    await client.applications.update(application.uuid, ApplicationSettings(docker_registry_image_tag="1.1"))
    assert (await client.applications.get(application.uuid)).docker_registry_image_tag == "1.1"


async def test_trap_26_domains_are_ignored_where_the_server_has_no_proxy(sandbox, client, application) -> None:
    row = sandbox.state.by_id("server", 0)
    sandbox.state.update(row, proxy=row["proxy"] | {"type": "NONE"})
    await client.applications.update(application.uuid, ApplicationSettings(domains="https://www.sandbox.test"))
    after = await client.applications.get(application.uuid)
    assert after.fqdn == "https://shop.sandbox.test"
    # The difference stays visible, so that no release takes the domain for served.
    assert plan_settings(after, ApplicationSettings(domains="https://www.sandbox.test")).changes != ()


async def test_trap_27_success_of_a_backup_says_nothing_about_the_upload(sandbox, client, placement) -> None:
    (environment,) = await client.environments.list(placement.project_uuid)
    spec = DatabaseSpec(engine=DatabaseEngine.MARIADB, name="main", placement=placement)
    database = (await client.databases.ensure(spec, environment.id)).value
    schedule = await client.backups.create(database, BackupWrite(frequency="daily"))
    row = sandbox.state.by_uuid("backup", schedule.uuid)
    facts = {"filename": "/data/x.dmp", "size": 1, "message": "S3 upload failed: denied", "status": "success"}
    sandbox.state.insert("backup_execution", facts | {"backup_id": row.id}, uuid="e" * 24)
    (execution,) = await client.backups.executions(database, schedule.uuid)
    assert execution.upload_failed
    assert not execution.is_proved_uploaded


async def test_trap_28_all_tokens_of_a_user_share_one_limit() -> None:
    async with Sandbox(settings=ServerSettings(rate_limit=5)) as sandbox:
        statuses = []
        for token in (sandbox.token, sandbox.create_token({"read"})):
            async with httpx.AsyncClient(headers={"Authorization": f"Bearer {token}"}) as plain:
                statuses += [(await plain.get(f"{sandbox.url}/api/v1/version")).status_code for _ in range(4)]
    assert statuses == [200] * 5 + [429] * 3


async def test_trap_29_a_pipeline_that_deploys_switches_deploying_on_push_off(client, application) -> None:
    assert application.raw["is_auto_deploy_enabled"] is True
    await client.applications.update(application.uuid, ApplicationSettings(is_auto_deploy_enabled=False))
    assert (await client.applications.get(application.uuid)).raw["is_auto_deploy_enabled"] is False


async def test_trap_30_the_version_is_text_and_betas_come_first(client, raw) -> None:
    answer = await raw.get("/version")
    assert (answer.text, answer.headers["content-type"]) == ("4.3.11", "text/html; charset=utf-8")
    assert await client.version() == CoolifyVersion("4.3.11")
    order = ["4.0.0-beta.420", "4.0.0-beta.420.7", "v4.0.0-beta.474", "4.0.0", "4.3.11"]
    assert sorted(map(CoolifyVersion, reversed(order))) == [CoolifyVersion(one) for one in order]


async def test_trap_31_deployments_are_found_by_application_and_not_by_their_number(client, application, raw) -> None:
    done = await deployed(client, application.uuid)
    answer = (await raw.get(f"/deployments/{done.deployment_uuid}")).json()
    assert answer["application_id"].isdigit()
    assert "id" not in (await raw.get(f"/applications/{application.uuid}")).json()
    found = await client.deployments.last_finished(application.uuid)
    assert found is not None
    assert found.deployment_uuid == done.deployment_uuid


def test_trap_32_a_source_carries_only_what_its_variant_reads() -> None:
    source = PublicGitSource(repository="https://github.com/example/shop", branch="main")
    assert set(source.fields()) == {"git_repository", "git_branch"}
    with pytest.raises(ValidationError, match="private_key_uuid"):
        PublicGitSource(repository="https://github.com/example/shop", branch="main", private_key_uuid="x")


async def test_trap_33_times_are_utc(client, application) -> None:
    done = await deployed(client, application.uuid)
    assert done.created_at is not None
    assert done.created_at.utcoffset() is not None
    assert done.created_at.utcoffset().total_seconds() == 0


def test_certificates_are_verified_unless_a_private_authority_is_named() -> None:
    from coolify.trust import trusting

    assert trusting().verify_mode is ssl.CERT_REQUIRED
    assert trusting().check_hostname
