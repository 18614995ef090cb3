"""`coolify source`: access is proved before it is written into the file, and looked at afterwards."""

import asyncio
import json
import os

import pytest
from pydantic import SecretStr

from coolify.api import ApplicationSettings
from coolify.api.git_apps import GithubAppWrite
from coolify.source.deploy_key import generate_deploy_key
from coolify_sandbox.samples import SampleRepository
from coolify_sandbox.server.git_apps import grant_repositories
from coolify_sandbox.serving import serve_forever
from tests.integration.command.conftest import COMMAND
from tests.integration.githosts_on_loopback import GiteaHost

HOOK = "https://hooks.example.com/webhooks/gitea"


@pytest.fixture
def private(git_server):
    """The shop's repository, which nobody reads without a key."""
    made = SampleRepository(git_server.directory / "shop")
    made.head = made.commit("1.0.0")
    return made


@pytest.fixture
async def gitea(git_server):
    """A Git host whose deploy keys open the repository."""

    class Opening(GiteaHost):
        def stored_key(self, body):
            git_server.allow(body["key"])
            return super().stored_key(body)

    made = Opening()
    async with serve_forever(made.app()) as port:
        made.url = f"http://127.0.0.1:{port}"
        yield made


@pytest.fixture
def at_gitea(gitea, git_server):
    """Arguments that lead the command to the Git host."""
    return (git_server.address, "--git-host", "gitea", "--git-api", gitea.base)


@pytest.fixture
def connect(coolify):
    async def go(*arguments, **environment):
        return await coolify("source", "connect", *arguments, "--json", **environment)

    return go


async def test_a_repository_that_everybody_can_read_is_written_with_its_branch(shop, connect, coolify) -> None:
    head = shop.repository.commit("1.0.1")
    shop.configure(source=None)
    done = await connect(str(shop.repository.path))
    assert done.code == 0, done.text
    assert (done.json["kind"], done.json["points_at"]) == ("public", head)
    again = await connect(str(shop.repository.path))
    assert again.json["changed"] == []
    missing = await connect(str(shop.repository.path), "--branch", "release")
    assert missing.code == 1
    assert "no branch 'release'" in missing.text
    assert (await coolify("project", "config", "get", "source.branch")).stdout.strip() == "main"
    assert shop.requests("POST") == []


@pytest.mark.component("sshd")
async def test_without_access_to_the_host_the_key_is_shown_and_the_next_run_proves_it(
    shop, private, git_server, coolify, connect, released
) -> None:
    done = await connect(git_server.address, "--key-name", "reader")
    assert done.code == 1
    assert "Add this deploy key" in done.stderr
    (key,) = shop.sandbox.state.all("key")[1:]
    public = next(line for line in done.stderr.splitlines() if line.startswith("ssh-ed25519"))
    assert "PRIVATE" not in done.stdout + done.stderr
    assert str(shop.repository.path) in shop.config.read_text()
    git_server.allow(public)
    done = await connect(git_server.address, "--key-name", "reader")
    assert done.code == 0, done.text
    assert (done.json["key_created"], done.json["points_at"]) == (False, private.head)
    assert len(shop.sandbox.state.all("key")) == 2
    assert key["name"] == done.json["private_key"]
    # The file knows the key by now, whatever it is named.
    assert (await connect(git_server.address)).json["key_created"] is False
    await released()
    assert await shop.version() == "1.0.0"
    assert (await coolify("plan", "--json")).json["changes"] == 0
    status = await coolify("source", "status", "--json")
    assert status.code == 0, status.text
    assert {one["name"] for one in status.json["findings"]} == {
        "source-readable", "source-key-present", "source-deployed",
    }  # fmt: skip


@pytest.mark.component("sshd")
async def test_somebody_at_the_terminal_is_waited_for(shop, private, git_server, home) -> None:
    process = await asyncio.create_subprocess_exec(
        *COMMAND, "source", "connect", git_server.address,
        cwd=shop.directory,
        env={name: value for name, value in (os.environ | home).items() if value is not None},
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    async with asyncio.timeout(100):
        while not (line := (await process.stderr.readline()).decode()).startswith("ssh-ed25519"):
            assert line, "the key was not shown"
        # A first answer that is not true is found out, and asked for again.
        process.stdin.write(b"\n")
        while not (await process.stderr.readline()).decode().startswith("ssh-ed25519"):
            pass
        git_server.allow(line)
        process.stdin.write(b"\n")
        stdout, stderr = await process.communicate()
    assert process.returncode == 0, stderr.decode()
    assert private.head in stdout.decode()


@pytest.mark.component("sshd")
async def test_with_a_token_everything_is_done_at_once_and_a_second_time_nothing(
    shop, private, git_server, gitea, at_gitea, connect, coolify, released
) -> None:
    await released()
    async with shop.client() as client:
        (row,) = shop.sandbox.state.all("application")
        await client.applications.update(row.uuid, ApplicationSettings(is_auto_deploy_enabled=True))
    # Without a path the address gets the route of the receiver.
    receiver = HOOK.removesuffix("/webhooks/gitea")
    done = await connect(*at_gitea, "--webhook-url", receiver, GITEA_TOKEN=gitea.token)
    assert done.code == 0, done.text
    made = done.json
    assert (made["kind"], made["key_created"], made["key_at_host"]) == ("deploy-key", True, "added")
    assert made["points_at"] == private.head
    assert made["webhook"] == "created"
    assert made["webhook_secret"] == gitea.secret()
    assert made["auto_deploy_switched_off"]
    assert [one["name"] for one in made["findings"]] == ["source-key-differs"]
    assert gitea.hooks[0]["config"]["url"] == HOOK
    again = await connect(*at_gitea, "--webhook-url", HOOK, GITEA_TOKEN=gitea.token)
    assert again.code == 0, again.text
    assert (again.json["key_created"], again.json["key_at_host"], again.json["webhook"]) == (
        False, "present", "unchanged",
    )  # fmt: skip
    assert again.json["webhook_secret"] is None
    assert again.json["changed"] == []
    assert not again.json["auto_deploy_switched_off"]
    assert (len(gitea.keys), len(gitea.hooks)) == (1, 1)
    given = await coolify(
        "source", "connect", *at_gitea, "--webhook-url", HOOK, GITEA_TOKEN=gitea.token, COOLIFY_WEBHOOK_SECRET="given"
    )
    assert given.code == 0, given.text
    assert "webhook updated" in given.stdout
    assert "given" not in given.stdout + given.stderr
    assert (len(gitea.hooks), gitea.secret()) == (1, "given")
    status = await coolify("source", "status", "--json", GITEA_TOKEN=gitea.token)
    assert status.json["webhook"] == HOOK
    # The application was made without a key, and no API exchanges it.
    assert {one["name"] for one in status.json["findings"] if one["severity"] in {"warning", "error"}} == {
        "source-differs", "source-key-differs",
    }  # fmt: skip


@pytest.mark.component("sshd")
async def test_a_dry_run_says_what_would_be_done_and_does_nothing(shop, private, gitea, at_gitea, connect) -> None:
    before = shop.config.read_text()
    done = await connect(*at_gitea, "--webhook-url", HOOK, "--dry-run", GITEA_TOKEN=gitea.token)
    assert done.code == 0, done.text
    assert (done.json["kind"], done.json["webhook"], done.json["dry_run"]) == ("deploy-key", "created", True)
    assert {one["path"] for one in done.json["changed"]} >= {"source.private_key", "source.webhook"}
    assert shop.config.read_text() == before
    assert shop.requests("POST") == []
    assert [one for one in gitea.requests if not one.startswith("GET")] == []


@pytest.mark.component("sshd")
async def test_a_token_that_the_host_refuses_is_told_and_nothing_is_written(
    shop, private, gitea, at_gitea, connect
) -> None:
    before = shop.config.read_text()
    done = await connect(*at_gitea, GITEA_TOKEN="wrong-token")
    assert done.code == 1
    assert "Gitea refuses the token" in done.text
    assert "wrong-token" not in done.text
    assert shop.config.read_text() == before


async def test_a_call_that_cannot_succeed_is_refused_before_anything_happens(shop, connect) -> None:
    for source, reason in (
        ("git@github.com:example/shop.git", "export GITHUB_TOKEN"),
        ("git@git.example.com:example/shop.git", "--git-host"),
        ("ghcr.io/example/shop:1.0", "with a repository only"),
    ):
        done = await connect(source, "--webhook-url", HOOK, GITHUB_TOKEN=None, GH_TOKEN=None)
        assert done.code == 2
        assert reason in done.text
    assert shop.requests("POST") == []


@pytest.fixture
async def github_app(shop):
    async with shop.client() as client:
        key = await client.private_keys.create("app key", generate_deploy_key("app").private)
        made = await client.git_apps.ensure_github(
            GithubAppWrite(
                name="our-app",
                html_url="https://github.com",
                app_id=1,
                installation_id=2,
                client_id="id",
                client_secret=SecretStr("hidden-one"),
                webhook_secret=SecretStr("hidden-two"),
                private_key_uuid=key.uuid,
            )
        )
    grant_repositories(shop.sandbox.state, made.value.uuid, {"Example/Shop": ["main"]})
    return "our-app"


async def test_a_github_app_is_asked_through_coolify(shop, connect, coolify, github_app) -> None:
    done = await connect("https://github.com/example/shop", "--github-app", github_app)
    assert done.code == 0, done.text
    assert (done.json["kind"], done.json["github_app"]) == ("github-app", github_app)
    assert (await coolify("project", "config", "get", "source.github_app")).stdout.strip() == github_app
    status = await coolify("source", "status", "--json")
    assert status.code == 0, status.text
    assert {one["name"] for one in status.json["findings"]} == {"source-app-present", "source-not-deployed"}
    assert (await coolify("plan", "--json")).code == 0


async def test_what_a_github_app_may_not_read_is_not_written(shop, connect, github_app) -> None:
    before = shop.config.read_text()
    for source, app, branch, reason in (
        ("https://github.com/example/other", github_app, "main", "may not read example/other"),
        ("https://github.com/example/shop", github_app, "release", "no branch 'release'"),
        ("https://github.com/example/shop", "another", "main", "there are: Public GitHub, our-app"),
    ):
        done = await connect(source, "--github-app", app, "--branch", branch)
        assert done.code == 1
        assert reason in done.text
    assert shop.config.read_text() == before


async def test_an_image_is_written_once_the_registry_has_its_tag(shop, registry, connect, coolify) -> None:
    digest = registry.push("team/shop:1.0")
    missing = await connect(f"{registry.name}/team/shop:2.0")
    assert missing.code == 1
    assert "no image" in missing.text
    done = await connect(f"{registry.name}/team/shop:1.0")
    assert done.code == 0, done.text
    assert (done.json["kind"], done.json["points_at"]) == ("image", digest)
    source = (await coolify("project", "config", "show", "--json")).json["source"]
    assert (source["image"], source["tag"]) == (f"{registry.name}/team/shop", "1.0")
    assert "repository" not in source
    pinned = await connect(f"{registry.name}/team/shop@{digest}")
    assert pinned.code == 0, pinned.text
    assert pinned.json["points_at"] == digest
    status = await coolify("source", "status", "--json")
    assert status.json["points_at"] == digest


async def test_an_image_that_strangers_cannot_see_wants_a_confirmation_or_an_account(registry, connect) -> None:
    registry.users["ada"] = "geheim"
    registry.private.add("team/secret")
    registry.push("team/secret:1.0")
    image = f"{registry.name}/team/secret:1.0"
    unsure = await connect(image)
    assert unsure.code == 2
    assert "does not exist or is private" in unsure.text
    assert (await connect(image, "--yes")).code == 0
    done = await connect(image, REGISTRY_USER="ada", REGISTRY_PASSWORD="geheim")
    assert done.code == 0, done.text
    assert "geheim" not in done.text


async def test_status_tells_what_is_behind_and_what_is_wrong(shop, coolify, released) -> None:
    await released()
    first = (await coolify("source", "status", "--json")).json
    assert first["points_at"] == first["deployed"]
    newer = shop.repository.commit("1.1.0")
    ahead = await coolify("source", "status", "--json")
    assert (ahead.code, ahead.json["points_at"]) == (0, newer)
    assert "source-ahead" in {one["name"] for one in ahead.json["findings"]}
    async with shop.client() as client:
        (row,) = shop.sandbox.state.all("application")
        await client.applications.update(row.uuid, ApplicationSettings(is_auto_deploy_enabled=True))
    wrong = await coolify("source", "status")
    assert wrong.code == 1
    assert "past the health gate" in wrong.text
    shop.configure(source={"repository": str(shop.repository.path), "private_key": "nowhere"})
    lost = await coolify("source", "status", "--json")
    assert lost.code == 1
    assert "source-key-missing" in {one["name"] for one in lost.json["findings"]}


async def test_status_without_a_source_says_how_to_get_one(shop, coolify) -> None:
    shop.configure(source=None)
    done = await coolify("source", "status")
    assert done.code == 2
    assert "coolify source connect" in done.text


async def test_volumes_and_ports_are_put_into_the_file_one_by_one(shop, coolify) -> None:
    done = await coolify("resources", "allocate", "--volume", "uploads:/app/uploads", "--port-mapping", "8080:3000")
    assert done.code == 0, done.text
    assert "no rolling update" in done.stderr
    done = await coolify(
        "resources", "allocate", "--volume", "logs:/logs:/srv/logs", "--volume", "uploads:/data", "--json"
    )
    assert json.loads(json.dumps(done.json["changed"][0]["after"])) == [
        {"name": "uploads", "mount_path": "/data"},
        {"name": "logs", "mount_path": "/logs", "host_path": "/srv/logs"},
    ]
    resources = (await coolify("project", "config", "show", "--json")).json["resources"]
    assert resources["port_mappings"] == ["8080:3000"]
    refused = await coolify("resources", "allocate", "--volume", "uploads")
    assert refused.code == 2
    assert "NAME:PATH" in refused.text
    done = await coolify("resources", "allocate", "--volume", "none", "--port-mapping", "none", "--json")
    assert {one["path"]: one["after"] for one in done.json["changed"]} == {
        "resources.volumes": None, "resources.port_mappings": None,
    }  # fmt: skip
