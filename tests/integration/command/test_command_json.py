"""JSON of the commands whose other tests read what people read; each is held against docs/json.md as it is printed."""

import asyncio
import json

from coolify_cli.reference import commands
from tests.integration.command import documented_json
from tests.integration.command.conftest import COMMAND, run


async def test_contexts(coolify, shop) -> None:
    done = await coolify("auth", "login", shop.sandbox.url, "--name", "shop", "--token-env", "COOLIFY_TOKEN", "--json")
    assert done.code == 0, done.text
    (context,) = (await coolify("auth", "status", "--all", "--json")).json
    assert context["current"] is True
    assert (await coolify("auth", "use", "shop", "--json")).json["context"] == "shop"
    assert (await coolify("auth", "logout", "shop", "--json")).json["context"] == "shop"


async def test_a_file_is_written_and_read(shop, coolify, home, tmp_path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    words = (
        "project",
        "init",
        "--server",
        shop.sandbox.url,
        "--name",
        "new",
        "--repository",
        "https://example.com/a.git",
    )
    done = await run(*words, "--json", cwd=empty, **home)
    assert done.code == 0, done.text
    assert (empty / ".coolify" / "config.yml").exists()
    assert (await coolify("project", "config", "get", "source", "--json")).code == 0
    assert (await coolify("project", "config", "validate", "--json")).json["valid"] is True


async def test_the_history_tells_of_releases_and_rollbacks(shop, coolify, released, prefect_server) -> None:
    await released()
    shop.repository.commit("2.0.0")
    assert (await coolify("release", "--dry-run", "--json")).json["actions"]
    await released()
    planned = await coolify("rollback", "previous", "--local", "--dry-run", "--json", **prefect_server.environment)
    assert [one["name"] for one in planned.json] == ["release-way-back", "release-version-there"]
    rollback = ("rollback", "previous", "--local", "--yes", "--why", "Prices are wrong", "--json")
    done = await coolify(*rollback, **prefect_server.environment)
    assert done.code == 0, done.text
    assert done.json["why"] == "Prices are wrong"
    assert done.json["run_url"].startswith("http")
    done = await coolify("history", "--json", **prefect_server.environment)
    assert [one["kind"] for one in done.json] == ["rollback", "release", "release"]
    number = done.json[0]["number"]
    shown = await coolify("history", "show", str(number), "--json", **prefect_server.environment)
    assert shown.json["record"] == done.json[0]
    assert "Prices are wrong" in shown.json["report"]
    assert "release-way-back" not in shown.json["report"]
    assert "comes back, with settings" in shown.json["report"]
    told = await coolify("history", "show", "99", **prefect_server.environment)
    assert (told.code, "there are: 1 to 3" in told.text) == (2, True)
    assert (await coolify("deploy", "start", "--dry-run", "--json")).json["dry_run"] is True


async def test_the_sandbox_tells_where_it_is(home, tmp_path) -> None:
    process = await asyncio.create_subprocess_exec(
        *COMMAND, "sandbox", "up", "--json", cwd=tmp_path, stdout=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(60):
            line = await process.stdout.readline()
        documented_json.check(("sandbox", "up", "--json"), json.loads(line))
    finally:
        process.terminate()
        await process.wait()


def test_every_command_with_json_is_described() -> None:
    names = {name for name, one in commands() if any(option.name == "as_json" for option in one.command.params)}
    assert names == {f"coolify {name}" for name in documented_json.documented()}
