"""Webhooks of Git hosts in the sandbox: who sent it, what it starts, and how previews live and end."""

import asyncio
import hashlib
import hmac
import json

import httpx
import pytest
from pydantic import SecretStr

from coolify.api import (
    ApplicationSettings,
    ApplicationSpec,
    CoolifyClient,
    DeploymentStatus,
    Placement,
    PublicGitSource,
    StaticToken,
)
from coolify.trust import trusting
from coolify_sandbox.samples import SampleRepository

SECRET = "shared secret"


@pytest.fixture
async def repository(tmp_path) -> SampleRepository:
    sample = SampleRepository(tmp_path / "org" / "shop")
    sample.commit("1.0.0")
    return sample


@pytest.fixture
async def client(sandbox):
    async with CoolifyClient(sandbox.url, StaticToken(SecretStr(sandbox.token))) as connected:
        yield connected


@pytest.fixture
async def application(client, repository):
    project = (await client.projects.ensure("shop")).value
    (server,) = await client.servers.list()
    place = Placement(project_uuid=project.uuid, environment_name="production", server_uuid=server.uuid)
    secrets = {f"manual_webhook_secret_{host}": SECRET for host in ("github", "gitlab", "bitbucket", "gitea")}
    settings = ApplicationSettings(
        start_command=SampleRepository.START_COMMAND,
        domains="https://shop.sandbox.test",
        is_preview_deployments_enabled=True,
        **secrets,
    )
    source = PublicGitSource(repository=str(repository.path), branch="main")
    return await client.applications.create(
        ApplicationSpec(name="shop", placement=place, source=source, settings=settings)
    )


def named(repository: SampleRepository) -> str:
    """Return what Coolify compares with: here the whole path of a local repository."""
    return str(repository.path)


def push(repository: SampleRepository, sha: str, **more) -> dict:
    """Return a push as all four hosts would tell it, in one document."""
    full = named(repository)
    commits = [{"message": more.get("message", "m"), "added": more.get("files", ["server.py"])}]
    return {
        "object_kind": "push",
        "ref": "refs/heads/main",
        "after": sha,
        "commits": commits,
        "repository": {"full_name": full},
        "project": {"path_with_namespace": full},
        "push": {"changes": [{"new": {"name": "main", "target": {"hash": sha}}}]},
    }


async def deliver(sandbox, host: str, payload: dict, *, event: str = "push", secret: str = SECRET) -> httpx.Response:
    raw = json.dumps(payload).encode()
    signature = "sha256=" + hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()
    headers = {
        "github": {"X-GitHub-Event": event, "X-Hub-Signature-256": signature},
        "gitea": {"X-Gitea-Event": event, "X-Hub-Signature-256": signature},
        "gitlab": {"X-Gitlab-Token": secret},
        "bitbucket": {"X-Event-Key": "repo:push", "X-Hub-Signature": signature},
    }[host]
    async with httpx.AsyncClient(trust_env=False) as plain:
        return await plain.post(
            f"{sandbox.url}/webhooks/source/{host}/events/manual",
            content=raw,
            headers={"Content-Type": "application/json", **headers},
        )


@pytest.mark.parametrize("host", ["github", "gitea", "gitlab", "bitbucket"])
async def test_a_push_of_every_host_deploys_the_pushed_commit(sandbox, client, application, repository, host) -> None:
    sha = repository.commit("2.0.0")
    answer = await deliver(sandbox, host, push(repository, sha))
    assert answer.status_code == 200
    (told,) = answer.json()
    assert (told["status"], told["message"]) == ("success", "Deployment queued.")
    deployment = await client.deployments.get(told["deployment_uuid"])
    assert deployment.commit == sha


@pytest.mark.parametrize("host", ["github", "gitea", "gitlab", "bitbucket"])
async def test_a_forged_push_is_answered_with_200_and_deploys_nothing(
    sandbox, client, application, repository, host
) -> None:
    answer = await deliver(sandbox, host, push(repository, "a" * 40), secret="guessed")
    assert answer.status_code == 200
    assert answer.json() == [{"status": "failed", "message": "Invalid signature."}]
    assert (await client.deployments.for_application(application.uuid)).count == 0


@pytest.mark.parametrize(
    ("settings", "more", "status"),
    [
        ({"is_auto_deploy_enabled": False}, {}, "failed"),
        ({"watch_paths": "docs/*"}, {}, "failed"),
        ({"watch_paths": "docs/*"}, {"files": ["docs/a.md"]}, "success"),
        ({}, {"message": "tidy [skip ci]"}, "skipped"),
    ],
)
async def test_what_a_push_does_not_start(sandbox, client, application, repository, settings, more, status) -> None:
    await client.applications.update(application.uuid, ApplicationSettings(**settings))
    (told,) = (await deliver(sandbox, "github", push(repository, "a" * 40, **more))).json()
    assert told["status"] == status


async def test_a_full_queue_is_the_only_failure_with_a_status(sandbox, client, application, repository) -> None:
    (server,) = sandbox.state.all("server")
    limits = {"concurrent_builds": 0, "deployment_queue_limit": 1}
    sandbox.state.update(server, settings=dict(server["settings"]) | limits)
    assert (await deliver(sandbox, "github", push(repository, "a" * 40))).status_code == 200
    full = await deliver(sandbox, "github", push(repository, "b" * 40))
    assert (full.status_code, full.headers["retry-after"]) == (429, "60")


def pull_request(repository: SampleRepository, sha: str, action: str) -> dict:
    branches = {"head": {"ref": "feature", "sha": sha}, "base": {"ref": "main"}}
    return {
        "action": action,
        "number": 7,
        "pull_request": branches,
        "repository": {"full_name": named(repository)},
    }


async def visit(sandbox, host: str) -> httpx.Response:
    async with httpx.AsyncClient(verify=trusting(sandbox.ca_file), trust_env=False) as visitor:
        return await visitor.get(
            f"https://127.0.0.1:{sandbox.edge.https_port}/version",
            headers={"Host": host},
            extensions={"sni_hostname": host},
        )


async def finished(client) -> None:
    async with asyncio.timeout(30):
        while await client.deployments.running():
            await asyncio.sleep(0.05)


async def is_served(sandbox, host: str) -> bool:
    try:
        return (await visit(sandbox, host)).status_code == 200
    except httpx.ConnectError:
        # A host that nothing serves has no certificate.
        return False


async def test_a_preview_has_a_host_of_its_own_and_leaves_production_alone(
    sandbox, client, application, repository
) -> None:
    first = await client.deployments.trigger(application.uuid)
    await finished(client)
    sha = repository.commit("2.0.0-preview")
    (told,) = (await deliver(sandbox, "github", pull_request(repository, sha, "opened"), event="pull_request")).json()
    assert told["message"] == "Preview deployment queued."
    await finished(client)
    assert (await visit(sandbox, "7.shop.sandbox.test")).text.strip() == "2.0.0-preview"
    assert (await visit(sandbox, "shop.sandbox.test")).text.strip() == "1.0.0"
    last = await client.deployments.last_finished(application.uuid)
    assert last is not None
    assert last.deployment_uuid == first.deployment_uuid

    again = await client.deployments.trigger_preview(application.uuid, 7)
    await finished(client)
    assert (await client.deployments.get(again)).status is DeploymentStatus.FINISHED
    await client.applications.delete_preview(application.uuid, 7)
    async with asyncio.timeout(10):
        while await is_served(sandbox, "7.shop.sandbox.test"):
            await asyncio.sleep(0.05)
    assert (await visit(sandbox, "shop.sandbox.test")).text.strip() == "1.0.0"


async def test_a_closed_pull_request_takes_its_preview_with_it(sandbox, application, repository) -> None:
    closed = pull_request(repository, "a" * 40, "closed")
    (none,) = (await deliver(sandbox, "github", closed, event="pull_request")).json()
    assert none["message"] == "No preview deployment found."
    await deliver(sandbox, "github", pull_request(repository, "HEAD", "opened"), event="pull_request")
    (told,) = (await deliver(sandbox, "github", closed, event="pull_request")).json()
    assert told["message"] == "Preview deployment closed."


async def test_a_delivery_may_be_a_form_and_a_ping_is_answered(sandbox, application, repository) -> None:
    async with httpx.AsyncClient(trust_env=False) as plain:
        address = f"{sandbox.url}/webhooks/source/github/events/manual"
        ping = await plain.post(address, json={}, headers={"X-GitHub-Event": "ping"})
        form = await plain.post(
            address,
            data={"payload": json.dumps(push(repository, "a" * 40))},
            headers={"X-GitHub-Event": "push"},
        )
    assert ping.text == "pong"
    assert form.json() == [{"status": "failed", "message": "Invalid signature."}]
