"""`coolify plan`, `apply` and `drift`: what would change is visible before it changes, afterwards nothing is left."""

import pytest
from pydantic import SecretStr

from coolify.api import ApplicationSettings, VariableWrite
from coolify.source.git import run_git
from tests.integration.command.conftest import run


async def the_application(client, shop):
    (row,) = shop.sandbox.state.all("application")
    return await client.applications.get(row.uuid)


async def test_the_plan_of_something_new_creates_everything_and_shows_no_secret(shop, coolify) -> None:
    shop.configure(env={"GREETING": "Hello", "SECRET": "${SHOP_SECRET}"})
    done = await coolify("plan", "--detailed-exitcode", SHOP_SECRET="very-hidden")
    assert done.code == 2
    assert "+ project shop" in done.text
    assert "+ variable SECRET" in done.text
    assert "very-hidden" not in done.text
    assert shop.sandbox.state.all("project") == []


async def test_the_plan_after_a_release_is_empty(shop, coolify, released) -> None:
    await released()
    done = await coolify("plan", "--detailed-exitcode", "--json")
    assert done.code == 0, done.text
    assert done.json["changes"] == 0
    assert {one["kind"] for one in done.json["actions"]} == {"unchanged"}
    assert (await coolify("drift")).code == 0


async def test_drift_names_exactly_what_was_changed_behind_its_back(shop, coolify, released) -> None:
    await released()
    async with shop.client() as client:
        application = await the_application(client, shop)
        await client.applications.update(application.uuid, ApplicationSettings(health_check_path="/elsewhere"))
        await client.variables.upsert(
            application.uuid, (VariableWrite(key="GREETING", value=SecretStr("changed-behind-its-back")),)
        )
        await client.variables.upsert(application.uuid, (VariableWrite(key="EXTRA", value=SecretStr("x")),))
    done = await coolify("drift", "--json")
    assert done.code == 1
    found = {one["subject"]: one["name"] for one in done.json}
    assert found == {
        "setting health_check_path": "drift-found",
        "variable GREETING": "drift-found",
        "variable EXTRA": "drift-unmanaged",
    }
    assert "changed-behind-its-back" not in done.text


async def test_apply_brings_it_back_and_prunes_only_when_asked(shop, coolify, released, prefect_server) -> None:
    await released()
    async with shop.client() as client:
        application = await the_application(client, shop)
        await client.applications.update(application.uuid, ApplicationSettings(health_check_path="/elsewhere"))
        await client.variables.upsert(application.uuid, (VariableWrite(key="EXTRA", value=SecretStr("x")),))
        environment = dict(prefect_server.environment)
        refused = await coolify("apply", "--no-input", **environment)
        assert refused.code == 2
        assert "--yes" in refused.text
        done = await coolify("apply", "--yes", **environment)
        assert done.code == 0, done.text
        assert (await client.applications.get(application.uuid)).raw["health_check_path"] == "/health"
        assert "EXTRA" in {one.key for one in await client.variables.list(application.uuid)}
        done = await coolify("apply", "--yes", "--prune", "--json", **environment)
        assert done.code == 0, done.text
        assert "EXTRA" not in {one.key for one in await client.variables.list(application.uuid)}
    assert (await coolify("plan", "--json")).json["changes"] == 0


async def test_a_dry_run_applies_nothing(shop, coolify) -> None:
    done = await coolify("apply", "--dry-run")
    assert done.code == 0
    assert "to create" in done.text
    assert shop.requests("POST") == []


@pytest.mark.component("git")
async def test_a_first_release_needs_login_init_and_release(shop, home, prefect_server) -> None:
    """From a repository without any configuration."""
    repository = shop.repository.path
    environment = home | {"COOLIFY_TOKEN": None} | dict(prefect_server.environment)
    token = shop.sandbox.token
    done = await run(
        "auth", "login", shop.sandbox.url, "--token-stdin", "--insecure-storage",
        cwd=repository, stdin=token, **environment,
    )  # fmt: skip
    assert done.code == 0, done.text
    await run_git("remote", "add", "origin", str(repository), cwd=repository)
    done = await run("project", "init", "--name", "shop", cwd=repository, **environment)
    assert done.code == 0, done.text
    # What only the sandbox needs: a start command instead of a real build pack.
    start = shop.repository.START_COMMAND
    done = await run("build", "configure", "--start-command", start, cwd=repository, **environment)
    assert done.code == 0, done.text
    done = await run("release", "--local", "--json", cwd=repository, **environment)
    assert done.code == 0, done.text
    assert done.json["outcome"] == "completed"
    assert (await run("plan", "--json", cwd=repository, **environment)).json["changes"] == 0
