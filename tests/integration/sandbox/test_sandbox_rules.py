"""What the sandbox refuses, beyond what was recorded: limits of fields, abilities of endpoints, versions."""

import re
from importlib import import_module

import httpx
import pytest

from coolify_sandbox.runtime.contract import ContainerStatus
from coolify_sandbox.server.app import HANDLERS, create_app
from coolify_sandbox.server.http import ROUTES
from coolify_sandbox.server.settings import ServerSettings
from coolify_sandbox.server.state import State

for module in HANDLERS:
    import_module(f"coolify_sandbox.server.{module}")


class Idle:
    async def status(self, _: str) -> ContainerStatus:
        return ContainerStatus.EXITED


@pytest.fixture
def world(tmp_path, request):
    version = getattr(request, "param", "4.3.11")
    state = State.open(tmp_path / "x.sqlite", ServerSettings(version=version, rate_limit=10**6))
    yield state
    state.close()


def connect(state: State, *abilities: str, role: str = "owner", team_id: int = 0) -> httpx.AsyncClient:
    token = state.create_token(set(abilities), role=role, team_id=team_id)
    transport = httpx.ASGITransport(create_app(state, Idle()), client=("127.0.0.1", 50000))
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
    return httpx.AsyncClient(transport=transport, base_url="http://coolify/api/v1", headers=headers)


ALL = sorted({(route.method, route.pattern.pattern, route.ability, route.body) for route in ROUTES if route.ability})


def example(pattern: str) -> str:
    return re.sub(r"\(\?P<(\w+)>\[\^/\]\+\)", "1", pattern).removeprefix("^").removesuffix("/?$")


@pytest.mark.parametrize(("method", "pattern", "ability", "_"), ALL, ids=[f"{m} {example(p)}" for m, p, _, _ in ALL])
async def test_every_endpoint_wants_its_ability_and_names_it(world, method, pattern, ability, _) -> None:
    others = {"read", "write", "deploy", "write:sensitive"} - {ability}
    async with connect(world, *others) as client:
        answer = await client.request(method, example(pattern), json={"x": 1})
    assert (answer.status_code, answer.json()) == (403, {"message": f"Missing required permissions: {ability}"})


WRITING = [one for one in ALL if one[3]]


@pytest.mark.parametrize(
    ("method", "pattern", "ability", "_"), WRITING, ids=[f"{m} {example(p)}" for m, p, _, _ in WRITING]
)
async def test_every_endpoint_that_takes_a_body_refuses_one_without_content(world, method, pattern, ability, _) -> None:
    async with connect(world, ability) as client:
        empty = await client.request(method, example(pattern), json={})
        form = await client.request(method, example(pattern), data={"name": "x"})
        broken = await client.request(
            method, example(pattern), content="{", headers={"Content-Type": "application/json"}
        )
    assert [one.status_code for one in (empty, form, broken)] == [400] * 3
    assert [one.json()["error"] for one in (empty, form, broken)] == [
        "Empty JSON.",
        "Content-Type must be application/json.",
        "Invalid JSON.",
    ]


async def test_nothing_of_another_team_is_found(world) -> None:
    server = world.first("server")
    assert server is not None
    async with connect(world, "root", team_id=3) as client:
        for path in (f"/servers/{server.uuid}", f"/servers/{server.uuid}/proxy", "/github-apps/0"):
            assert (await client.get(path)).status_code == 404


@pytest.fixture
async def application(world):
    async with connect(world, "root") as client:
        project = (await client.post("/projects", json={"name": "shop"})).json()["uuid"]
        place = {"project_uuid": project, "environment_name": "production", "server_uuid": world.first("server").uuid}
        source = {"git_repository": "https://github.com/o/r", "git_branch": "main", "build_pack": "nixpacks"}
        answer = await client.post("/applications/public", json=place | source | {"ports_exposes": "3000"})
        return answer.json()["uuid"]


BEYOND = [
    ({"docker_images_to_keep": 101}, "docker_images_to_keep"),
    ({"health_check_port": 70000}, "health_check_port"),
    ({"health_check_port": 0}, "health_check_port"),
    ({"ports_mappings": "80:80,80:81"}, "ports_mappings"),
    ({"build_command": "x" * 1001}, "build_command"),
    ({"custom_docker_run_options": "x" * 2001}, "custom_docker_run_options"),
    ({"description": "<b>"}, "description"),
    ({"is_http_basic_auth_enabled": True}, "http_basic_auth_username"),
    ({"docker_compose_domains": [{"name": "a", "domain": "https://a.example.com"}]}, "docker_compose_domains"),
    ({"limits_memory": 512}, "limits_memory"),
    ({"redirect": "maybe"}, "redirect"),
    ({"static_image": "apache"}, "static_image"),
    ({"start_command": "echo $HOME"}, "start_command"),
    ({"base_directory": "relative"}, "base_directory"),
    ({"dockerfile": "RlJPTQ=="}, "dockerfile"),
    ({"is_container_label_readonly_enabled": False}, "is_container_label_readonly_enabled"),
]


@pytest.mark.parametrize(
    ("body", "field"), BEYOND, ids=[next(iter(body)) + str(n) for n, (body, _) in enumerate(BEYOND)]
)
async def test_a_setting_beyond_its_limits_is_refused_by_name(world, application, body, field) -> None:
    async with connect(world, "root") as client:
        answer = await client.patch(f"/applications/{application}", json=body)
    assert answer.status_code == 422
    assert field in answer.json()["errors"]


async def test_commands_around_a_deployment_are_one_line(world, application) -> None:
    async with connect(world, "root") as client:
        await client.patch(f"/applications/{application}", json={"pre_deployment_command": "a; b\nc | d"})
        assert (await client.get(f"/applications/{application}")).json()["pre_deployment_command"] == "a; b c | d"


@pytest.mark.parametrize(
    ("world", "abilities", "status"),
    [
        ("4.0.0", ("read", "write"), 200),
        ("4.1.2", ("read", "write"), 403),
        ("4.1.2", ("read", "deploy"), 200),
        ("4.2.0", ("read", "deploy"), 403),
        ("4.3.11", ("read",), 200),
    ],
    indirect=["world"],
)
async def test_what_a_members_token_may_depends_on_the_version(world, abilities, status) -> None:
    async with connect(world, *abilities, role="member") as client:
        assert (await client.get("/version")).status_code == status


VERSIONED = [
    ("4.1.2", "GET", "/destinations", 404),
    ("4.2.0", "GET", "/destinations", 200),
    ("4.2.0", "GET", "/s3-storages", 404),
    ("4.3.0", "GET", "/s3-storages", 200),
    ("4.1.2", "GET", "/deploy", 400),
    ("4.2.0", "GET", "/deploy", 405),
    ("4.1.2", "POST", "/deploy", 400),
    ("4.1.2", "POST", "/enable", 404),
    ("4.2.0", "GET", "/gitlab-apps", 404),
    ("4.0.0", "GET", "/github-apps", 200),
]


@pytest.mark.parametrize(("world", "method", "path", "status"), VERSIONED, indirect=["world"])
async def test_a_route_is_there_from_its_version_on(world, method, path, status) -> None:
    async with connect(world, "root") as client:
        answer = await client.request(method, path)
    assert answer.status_code == status
    assert ("docs" in answer.text) is (status == 404)


@pytest.mark.parametrize(("world", "status"), [("4.0.0", 422), ("4.1.0", 404)], indirect=["world"])
async def test_the_build_pack_railpack_came_with_410(world, status) -> None:
    source = {"git_repository": "https://github.com/o/r", "git_branch": "main", "build_pack": "railpack"}
    async with connect(world, "root") as client:
        answer = await client.post(
            "/applications/public",
            json=source | {"project_uuid": "x", "server_uuid": "x", "environment_name": "x", "ports_exposes": "1"},
        )
    assert answer.status_code == status
