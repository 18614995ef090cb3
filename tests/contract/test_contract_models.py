"""Every recorded answer is read by the client's models, and every accepted request can be built from them."""

import base64
import re

import pytest
from pydantic import TypeAdapter

from coolify.api.application_specs import DeployKeySource, DockerfileSource, DockerImageSource, PublicGitSource
from coolify.api.backups import BackupExecution, BackupSchedule, BackupWrite, S3Storage, S3StorageWrite
from coolify.api.capabilities import Capabilities, CoolifyVersion
from coolify.api.databases import Database, DatabaseEngine
from coolify.api.extras import FileStorage, ScheduledTask, Tag, TaskExecution, TaskWrite, Volume, VolumeBackup
from coolify.api.models import (
    Answer,
    Application,
    Deployment,
    DeploymentPage,
    Destination,
    Environment,
    LogLine,
    PrivateKey,
    Project,
    RollbackImages,
    Server,
    Team,
    Variable,
)
from coolify.api.placement import Placement
from coolify.api.servers import DockerCleanup, ProxyState, Sentinel, ServerDomains, ServerResource
from coolify.api.settings import ApplicationSettings
from coolify.api.team import Resource, Service, SharedVariable
from tests.contract.replay import Exchange, files, load

U = r"[a-z0-9]{24}"
ANSWERS: list[tuple[str, type[Answer]]] = [
    (r"/teams(/current|/\w+)?|/team", Team),
    (r"/projects/?", Project),
    (rf"/projects/{U}", Project),
    (rf"/projects/{U}/environments", Environment),
    (r"/servers", Server),
    (rf"/servers/{U}", Server),
    (rf"/servers/{U}/resources", ServerResource),
    (rf"/servers/{U}/domains", ServerDomains),
    (rf"/servers/{U}/proxy", ProxyState),
    (rf"/servers/{U}/sentinel", Sentinel),
    (rf"/servers/{U}/docker-cleanup", DockerCleanup),
    (rf"(/servers/{U})?/destinations|/destinations/{U}", Destination),
    (rf"/security/keys(/{U})?", PrivateKey),
    (rf"/applications(/{U})?", Application),
    (rf"/(applications|databases|services)/{U}/envs", Variable),
    (rf"(/team|/projects/{U}(/environments/\w+)?|/servers/{U})/envs", SharedVariable),
    (rf"/deployments(/{U})?", Deployment),
    (rf"/deployments/applications/{U}", DeploymentPage),
    (rf"/applications/{U}/rollback-images", RollbackImages),
    (rf"/applications/{U}/scheduled-tasks", ScheduledTask),
    (rf"/applications/{U}/scheduled-tasks/{U}/executions", TaskExecution),
    (rf"(/applications/{U}|/databases/{U})?/tags", Tag),
    (rf"/databases(/{U})?", Database),
    (rf"/databases/{U}/backups", BackupSchedule),
    (rf"/s3-storages(/{U})?", S3Storage),
    (rf"/services(/{U})?", Service),
    (r"/resources", Resource),
]
READ = [one for file in files() for one in load(file) if one.method == "GET" and one.status == 200 and one.is_json]


def model_of(exchange: Exchange) -> type[Answer] | None:
    path = exchange.path.partition("?")[0].removeprefix("/api/v1")
    return next((model for pattern, model in ANSWERS if re.fullmatch(pattern, path)), None)


@pytest.mark.parametrize("exchange", [one for one in READ if model_of(one)], ids=lambda one: one.key)
def test_a_recorded_answer_is_read(exchange) -> None:
    model = model_of(exchange)
    assert model is not None
    items = exchange.body if isinstance(exchange.body, list) else [exchange.body]
    found = TypeAdapter(tuple[model, ...]).validate_python(items)
    for one, item in zip(found, items, strict=True):
        for name in ("uuid", "name", "key", "tag", "deployment_uuid"):
            if name in item and isinstance(getattr(one, name, None), str):
                assert getattr(one, name) == item[name]


def test_most_recorded_reads_have_a_model() -> None:
    without = {re.sub(U, "<uuid>", one.path.partition("?")[0]) for one in READ if not model_of(one)}
    known = (
        "/notifications/",
        "/settings/",
        "members",
        "/storages",
        "/logs",
        "/executions",
        "log-drains",
        "cloudflare",
    )
    contents = re.compile(
        r"/api/v1/projects/<uuid>/[\w<>]+|/api/v1/(services/<uuid>/\w+|applications/<uuid>/destinations)"
    )
    assert {path for path in without if not contents.fullmatch(path) and not any(one in path for one in known)} == set()


@pytest.mark.parametrize("exchange", [one for one in READ if one.path.endswith("/executions")], ids=lambda one: one.key)
def test_recorded_executions_of_backups_are_read(exchange) -> None:
    if isinstance(exchange.body, dict):
        found = TypeAdapter(tuple[BackupExecution, ...]).validate_python(exchange.body["executions"])
        assert [one.uuid for one in found] == [one["uuid"] for one in exchange.body["executions"]]


@pytest.mark.parametrize("exchange", [one for one in READ if one.path.endswith("/storages")], ids=lambda one: one.key)
def test_recorded_storages_are_read(exchange) -> None:
    volumes = TypeAdapter(tuple[Volume, ...]).validate_python(exchange.body["persistent_storages"])
    stored = TypeAdapter(tuple[FileStorage, ...]).validate_python(exchange.body["file_storages"])
    assert len(volumes) + len(stored) == len(exchange.body["persistent_storages"]) + len(exchange.body["file_storages"])


def test_recorded_logs_of_deployments_are_read() -> None:
    lines = [
        line
        for one in READ
        if isinstance(one.body, dict) and isinstance(one.body.get("logs"), str) and "/deployments/" in one.path
        for line in TypeAdapter(tuple[LogLine, ...]).validate_json(one.body["logs"])
    ]
    assert len(lines) > 100
    assert any(line.hidden for line in lines)


def accepted(file: str, method: str, path: str) -> list[Exchange]:
    """Return recorded requests that the server took."""
    return [
        one
        for one in load(file)
        if one.method == method
        and one.status in {200, 201}
        and isinstance(one.request_body, dict)
        and "_raw" not in one.request_body
        and re.fullmatch(path, one.path.removeprefix("/api/v1"))
    ]


NEWEST = Capabilities(CoolifyVersion("4.3.11"))
NOT_OURS = {"instant_deploy", "force_domain_override"}


@pytest.mark.parametrize("exchange", accepted("apps_update", "PATCH", rf"/applications/{U}"), ids=lambda one: one.key)
def test_an_accepted_change_of_an_application_can_be_built(exchange) -> None:
    body = {name: value for name, value in exchange.request_body.items() if name not in NOT_OURS}
    known = {name: value for name, value in body.items() if name in ApplicationSettings.model_fields}
    assert set(body) == set(known), "a field that Coolify takes is missing in ApplicationSettings"
    decoded = {name: read(name, value) for name, value in known.items()}
    assert as_sent(ApplicationSettings.model_validate(decoded).body(NEWEST)) == as_sent(known)


def read(name: str, value: object) -> object:
    """Return a field as our models have it."""
    if name in {"custom_labels", "custom_nginx_configuration"}:
        return base64.b64decode(str(value)).decode()
    return str(value) if name == "health_check_port" and value is not None else value


def as_sent(body: dict) -> dict:
    """Return a body with numbers for all texts that are numbers: Coolify takes both."""
    return {name: number(value) for name, value in body.items()}


def number(value: object) -> object:
    try:
        return value if isinstance(value, bool) else float(str(value))
    except ValueError:
        return value


@pytest.mark.parametrize("exchange", accepted("apps_create", "POST", r"/applications/[a-z-]+"), ids=lambda one: one.key)
def test_the_source_of_an_accepted_application_can_be_built(exchange) -> None:
    body = exchange.request_body
    variant = exchange.path.rpartition("/")[2]
    match variant:
        case "public":
            source = PublicGitSource(repository=body["git_repository"], branch=body["git_branch"])
        case "private-deploy-key":
            source = DeployKeySource(
                repository=body["git_repository"],
                branch=body["git_branch"],
                private_key_uuid=body["private_key_uuid"],
            )
        case "dockerfile":
            source = DockerfileSource(dockerfile=base64.b64decode(body["dockerfile"]).decode())
        case _:
            source = DockerImageSource(
                image=body["docker_registry_image_name"], tag=body.get("docker_registry_image_tag", "latest")
            )
    assert source.variant == variant
    assert {name: value for name, value in source.fields().items() if name in body} == {
        name: body[name] for name in source.fields() if name in body
    }
    placement = Placement.model_validate(
        {name: body[name] for name in Placement.model_fields if name in body} | {"environment_name": "production"}
    )
    assert placement.server_uuid == body["server_uuid"]


@pytest.mark.parametrize(
    "exchange",
    accepted("backups", "POST", rf"/databases/{U}/backups")
    + accepted("backups", "PATCH", rf"/databases/{U}/backups/{U}"),
    ids=lambda one: one.key,
)
def test_an_accepted_backup_schedule_can_be_built(exchange) -> None:
    body = {name: value for name, value in exchange.request_body.items() if name != "backup_now"}
    assert as_sent(BackupWrite.model_validate(body).body()) == as_sent(body)


@pytest.mark.parametrize(
    "exchange", accepted("tasks", "POST", rf"/applications/{U}/scheduled-tasks"), ids=lambda one: one.key
)
def test_an_accepted_task_can_be_built(exchange) -> None:
    assert TaskWrite.model_validate(exchange.request_body).body() == exchange.request_body
    assert ScheduledTask.model_validate(exchange.body).name == exchange.request_body["name"]


@pytest.mark.parametrize("exchange", accepted("s3", "POST", r"/s3-storages"), ids=lambda one: one.key)
def test_an_accepted_s3_storage_can_be_built(exchange) -> None:
    body = {name: value for name, value in exchange.request_body.items() if name != "is_usable"}
    assert S3StorageWrite.model_validate(body).body() == body


def test_the_engine_of_every_recorded_database_is_known() -> None:
    for exchange in load("databases"):
        if exchange.name.endswith("_get") and exchange.status == 200:
            engine = Database.model_validate(exchange.body).engine
            assert engine is DatabaseEngine(exchange.name.removesuffix("_get"))


def test_recorded_volume_backups_are_read() -> None:
    (exchange,) = (one for one in load("storages") if one.name == "volume_backup_put")
    assert VolumeBackup.model_validate(exchange.body).frequency == exchange.request_body["frequency"]
