"""Releases from every kind of source; what cannot succeed is refused before anything changes."""

import asyncio

import pytest
from pydantic import SecretStr

from coolify.api.errors import NotFoundError
from coolify.api.git_apps import GithubAppWrite
from coolify.api.models import PrivateKey
from coolify.config import load_config, resolve_variables
from coolify.plan import Kind, make_plan, read_actual
from coolify.release import Outcome
from coolify.source.deploy_key import generate_deploy_key
from coolify_sandbox.samples import SampleRepository
from coolify_sandbox.server.git_apps import grant_repositories
from flows.apply import ApplyRequest, apply
from tasks.session import Target

WRITING = ("POST", "PATCH", "DELETE", "PUT")
COMPOSE = """\
services:
  web:
    build: .
  worker:
    image: busybox
"""
DOCKERFILE = """\
FROM python:3.13
EXPOSE 3000
CMD exec python3 server.py
"""


async def the_plan(shop, **options):
    """Return what `coolify plan` shows."""
    config = load_config(shop.config)
    async with shop.client() as client:
        actual = await read_actual(client, config)
    return make_plan(config, resolve_variables(config, {}), actual, **options)


async def the_application(shop):
    async with shop.client() as client:
        (application,) = await client.applications.list()
        return await client.applications.get(application.uuid)


def names(report) -> set[str]:
    return {finding.name for finding in report.findings}


def was_touched(shop) -> bool:
    """Return whether anything was made: probes of abilities send bodies that are refused."""
    return any(one.method in WRITING and one.status < 400 for one in shop.sandbox.app.state.faults.requests)


def add_file(shop, name: str, text: str, version: str = "1.0.1") -> str:
    (shop.repository.path / name).write_text(text)
    shop.repository._git("add", name)
    return shop.repository.commit(version)


async def test_volumes_ports_and_limits_are_released_and_the_plan_is_empty(shop, release_shop) -> None:
    shop.configure(
        resources={
            "cpu": "500m",
            "memory": "1Gi",
            "volumes": [
                {"name": "uploads", "mount_path": "/app/uploads"},
                {"name": "logs", "mount_path": "/logs", "host_path": "/srv/logs"},
            ],
            "port_mappings": ["18080:3000"],
        }
    )
    planned = await the_plan(shop)
    assert {(one.kind, one.name) for one in planned.actions if one.resource == "volume"} == {
        (Kind.CREATE, "uploads"), (Kind.CREATE, "logs"),
    }  # fmt: skip
    report = await release_shop()
    assert report.outcome is Outcome.COMPLETED
    assert "release-without-rolling-update" in names(report)
    application = await the_application(shop)
    assert application.raw["ports_mappings"] == "18080:3000"
    async with shop.client() as client:
        volumes = {one.name: (one.mount_path, one.host_path) for one in await client.storages.volumes(application.uuid)}
    assert volumes == {
        f"{application.uuid}-uploads": ("/app/uploads", None),
        f"{application.uuid}-logs": ("/logs", "/srv/logs"),
    }
    assert (await the_plan(shop)).changes == ()
    again = await release_shop()
    assert (again.outcome, again.deployed) == (Outcome.COMPLETED, False)


async def test_a_volume_that_moves_keeps_its_data_and_one_that_is_removed_stays_until_asked(shop, release_shop) -> None:
    uploads = {"name": "uploads", "mount_path": "/app/uploads"}
    shop.configure(resources={"volumes": [uploads, {"name": "logs", "mount_path": "/logs"}]})
    await release_shop()
    shop.configure(resources={"volumes": [uploads | {"mount_path": "/data"}]})
    report = await release_shop()
    assert report.deployed
    application = await the_application(shop)
    async with shop.client() as client:
        volumes = {one.name: one.mount_path for one in await client.storages.volumes(application.uuid)}
    assert volumes == {f"{application.uuid}-uploads": "/data", f"{application.uuid}-logs": "/logs"}
    planned = await the_plan(shop)
    assert planned.changes == ()
    assert [one.name for one in planned.of(Kind.UNMANAGED)] == [f"{application.uuid}-logs"]
    request = ApplyRequest(target=Target(config=str(shop.config)), prune=True)
    assert (await apply(request)).deleted == ()
    applied = await apply(request.model_copy(update={"delete_volumes": True}))
    assert applied.deleted == (f"{application.uuid}-logs",)
    async with shop.client() as client:
        assert [one.mount_path for one in await client.storages.volumes(application.uuid)] == ["/data"]


async def test_a_compose_file_is_released_with_domains_by_service(shop, release_shop) -> None:
    add_file(shop, "Dockerfile", DOCKERFILE)
    add_file(shop, "docker-compose.yaml", COMPOSE)
    shop.configure(
        build={"pack": "dockercompose", "port": 3000},
        domains=[{"primary": shop.host, "ssl": True, "service": "web"}],
    )
    report = await release_shop()
    assert report.outcome is Outcome.COMPLETED, report.reason
    assert "release-without-rolling-update" in names(report)
    assert await shop.version() == "1.0.1"
    assert (await the_plan(shop)).changes == ()
    shop.repository.commit("2.0.0", broken=True)
    assert (await release_shop()).outcome is Outcome.ROLLED_BACK
    assert await shop.version() == "1.0.1"


async def test_a_dockerfile_is_released_and_a_missing_one_is_refused_before_anything_changes(
    shop, release_shop
) -> None:
    shop.configure(build={"pack": "dockerfile", "port": 3000})
    refused = await release_shop()
    assert refused.outcome is Outcome.ABORTED
    assert "has no file Dockerfile" in refused.reason
    assert "source-dockerfile-missing" in names(refused)
    assert not was_touched(shop)
    add_file(shop, "Dockerfile", DOCKERFILE)
    assert (await release_shop()).outcome is Outcome.COMPLETED
    assert await shop.version() == "1.0.1"


@pytest.fixture
def private(shop, git_server):
    made = SampleRepository(git_server.directory / "shop")
    made.head = made.commit("5.0.0")
    return made


async def with_key(shop, public_to) -> PrivateKey:
    pair = generate_deploy_key("shop")
    public_to(pair.public)
    async with shop.client() as client:
        return await client.private_keys.create("deploy key", pair.private)


@pytest.mark.component("sshd")
async def test_a_private_repository_is_looked_into_and_released_with_its_deploy_key(
    shop, release_shop, private, git_server
) -> None:
    await with_key(shop, git_server.allow)
    shop.configure(source={"repository": git_server.address, "private_key": "deploy key"})
    report = await release_shop()
    assert report.outcome is Outcome.COMPLETED, report.reason
    assert report.commit == private.head
    assert await shop.version() == "5.0.0"
    assert (await the_plan(shop)).changes == ()
    again = await release_shop()
    assert (again.outcome, again.deployed) == (Outcome.COMPLETED, False)


@pytest.mark.component("sshd")
async def test_a_key_that_the_host_does_not_know_ends_the_release_before_anything_changes(
    shop, release_shop, private, git_server
) -> None:
    await with_key(shop, lambda _: None)
    shop.configure(source={"repository": git_server.address, "private_key": "deploy key"})
    shop.sandbox.app.state.faults.requests.clear()
    report = await release_shop()
    assert report.outcome is Outcome.ABORTED
    assert "It is private" in report.reason
    assert not was_touched(shop)


@pytest.mark.component("sshd")
async def test_an_application_that_was_made_without_a_key_is_not_released_with_one(
    shop, release_shop, private, git_server
) -> None:
    await release_shop()
    await with_key(shop, git_server.allow)
    shop.configure(source={"repository": git_server.address, "private_key": "deploy key"})
    shop.sandbox.app.state.faults.requests.clear()
    report = await release_shop()
    assert report.outcome is Outcome.ABORTED
    assert "without a deploy key" in report.reason
    assert "source-key-differs" in names(report)
    assert not was_touched(shop)


async def test_an_image_is_released_again_when_its_tag_is_another_one(shop, release_shop, registry) -> None:
    image = f"{registry.name}/team/shop"
    shop.sandbox.runtime.publish_image(image, "1", shop.repository.path, SampleRepository.START_COMMAND)
    registry.push("team/shop:1", b"first")
    shop.configure(source={"image": image, "tag": "1"}, build={"port": 3000})
    report = await release_shop()
    assert report.outcome is Outcome.COMPLETED, report.reason
    assert "source-image-found" in names(report)
    assert (await the_plan(shop)).changes == ()
    assert not (await release_shop()).deployed
    shop.repository.commit("1.1.0")
    registry.push("team/shop:1", b"second")
    assert (await release_shop()).deployed
    assert await shop.version() == "1.1.0"
    assert not (await release_shop()).deployed
    shop.configure(source={"image": image, "tag": "2"})
    refused = await release_shop()
    assert refused.outcome is Outcome.ABORTED
    assert "no image" in refused.reason
    assert (await the_application(shop)).docker_registry_image_tag == "1"


async def test_an_image_is_pinned_by_its_digest(shop, release_shop, registry) -> None:
    image = f"{registry.name}/team/shop"
    digest = registry.push("team/shop:1")
    shop.sandbox.runtime.publish_image(
        f"{image}@sha256", digest.removeprefix("sha256:"), shop.repository.path, SampleRepository.START_COMMAND
    )
    shop.configure(source={"image": f"{image}@{digest}"}, build={"port": 3000})
    report = await release_shop()
    assert report.outcome is Outcome.COMPLETED, report.reason
    assert (await the_plan(shop)).changes == ()
    assert not (await release_shop()).deployed


async def test_a_github_app_is_the_source_of_the_application(shop, in_prefect) -> None:
    async with shop.client() as client:
        key = await client.private_keys.create("app key", generate_deploy_key("app").private)
        made = await client.git_apps.ensure_github(
            GithubAppWrite(
                name="our-app", html_url="https://github.com", app_id=1, installation_id=2, client_id="id",
                client_secret=SecretStr("s1"), webhook_secret=SecretStr("s2"), private_key_uuid=key.uuid,
            )
        )  # fmt: skip
    source = {"repository": "https://github.com/example/shop", "github_app": "our-app"}
    shop.configure(source=source)
    grant_repositories(shop.sandbox.state, made.value.uuid, {"example/other": ["main"]})
    with pytest.raises(NotFoundError, match="not accessible by the GitHub App"):
        await apply(ApplyRequest(target=Target(config=str(shop.config))))
    grant_repositories(shop.sandbox.state, made.value.uuid, {"example/shop": ["main"]})
    await apply(ApplyRequest(target=Target(config=str(shop.config))))
    application = await the_application(shop)
    assert application.raw["source_id"] == made.value.id
    assert (await the_plan(shop)).changes == ()


async def test_an_application_waits_for_those_that_come_first(shop, release_shop) -> None:
    shop.configure(release={"requires": ["shop-api"]})
    refused = await release_shop()
    assert refused.outcome is Outcome.ABORTED
    assert "shop-api, which is not in production" in refused.reason
    assert "release-dependency-missing" in names(refused)
    assert not was_touched(shop)
    shop.configure(application={"name": "shop-api"}, release=None)
    assert (await release_shop()).outcome is Outcome.COMPLETED
    shop.host = "web.sandbox.test"
    shop.configure(
        application={"name": "shop-web"},
        release={"requires": ["shop-api"]},
        domains=[{"primary": shop.host, "ssl": True}],
    )
    report = await release_shop()
    assert report.outcome is Outcome.COMPLETED, report.reason
    assert "release-dependency-ready" in names(report)
    async with shop.client() as client:
        api = next(one for one in await client.applications.list() if one.name == "shop-api")
        await client.applications.stop(api.uuid)
        async with asyncio.timeout(100):
            while (await client.applications.get(api.uuid)).parsed_status.is_running:
                await asyncio.sleep(0.05)
    stopped = await release_shop()
    assert stopped.outcome is Outcome.ABORTED
    assert "release-dependency-unhealthy" in names(stopped)
