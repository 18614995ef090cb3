"""Whatever goes wrong, the operator reads one sentence that says what to do."""

import asyncio
import os
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

COMMAND = (sys.executable, "-m", "coolify_cli.main")


@dataclass
class Done:
    code: int
    stdout: str
    stderr: str


async def coolify(*arguments: str, cwd: Path, **environment: str | None) -> Done:
    env = {name: value for name, value in (os.environ | environment).items() if value is not None}
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        *arguments,
        cwd=cwd,
        env=env,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(100):
        stdout, stderr = await process.communicate()
    return Done(process.returncode or 0, stdout.decode(), stderr.decode())


def assert_one_sentence(done: Done, code: int, *words: str) -> None:
    text = (done.stdout + done.stderr).strip()
    assert done.code == code, text
    assert "Traceback" not in text
    for word in words:
        assert word in " ".join(text.split()), text


@pytest.fixture
def release(shop, prefect_server):
    """Run `coolify release` in the shop's directory."""

    async def go(*arguments: str, **environment: str | None) -> Done:
        return await coolify(
            "release",
            "--local",
            *arguments,
            cwd=shop.directory,
            **{
                "COLUMNS": "400",
                "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
                **prefect_server.environment,
                **environment,
            },
        )

    return go


async def test_a_release_from_the_command_line_completes(shop, release) -> None:
    done = await release()
    assert done.code == 0, done.stderr
    assert "completed" in done.stdout
    assert await shop.version() == "1.0.0"


async def test_json_is_the_only_output(shop, release) -> None:
    import json

    done = await release("--json")
    assert done.code == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["outcome"] == "completed"
    assert done.stderr == ""


async def test_a_rolled_back_release_exits_with_one(shop, release) -> None:
    await release()
    shop.repository.commit("2.0.0", broken=True)
    done = await release()
    assert_one_sentence(done, 1, "rolled back", "answered 400")


async def test_no_configuration_file(tmp_path) -> None:
    done = await coolify("release", cwd=tmp_path)
    assert_one_sentence(done, 2, ".coolify/config.yml")
    assert len(done.stderr.strip().splitlines()) == 1


async def test_an_unknown_key_is_told_with_line_and_nearest_name(shop, release) -> None:
    shop.config.write_text(shop.config.read_text() + "monitorng: {}\n")
    line = len(shop.config.read_text().splitlines())
    assert_one_sentence(await release(), 2, f":{line}:", "monitorng", "monitoring")


async def test_a_missing_variable_is_named(shop, release) -> None:
    shop.configure(env={"DATABASE_URL": "${SHOP_DATABASE_URL}"})
    assert_one_sentence(await release(), 2, "SHOP_DATABASE_URL")
    assert shop.requests("POST") == []


async def test_a_missing_token_is_named(shop, release) -> None:
    assert_one_sentence(await release(COOLIFY_TOKEN=None), 2, "COOLIFY_TOKEN")


async def test_a_wrong_token_is_refused_and_nothing_is_created(shop, release) -> None:
    done = await release(COOLIFY_TOKEN="1|wrong")
    assert_one_sentence(done, 1, "401", "token")
    assert "1|wrong" not in done.stdout + done.stderr
    assert shop.sandbox.state.all("project") == []


@pytest.mark.parametrize("missing", ["write", "deploy", "read:sensitive"])
async def test_a_token_without_a_permission_is_refused_before_anything_changes(shop, release, missing) -> None:
    abilities = {"read", "read:sensitive", "write", "deploy"} - {missing}
    done = await release(COOLIFY_TOKEN=shop.sandbox.create_token(abilities))
    assert_one_sentence(done, 1, missing, "Keys & Tokens")
    assert shop.sandbox.state.all("project") == []


async def test_a_disabled_api_is_told_with_the_place_to_enable_it(shop, release) -> None:
    instance = shop.sandbox.state.by_id("instance", 0)
    shop.sandbox.state.update(instance, is_api_enabled=False)
    assert_one_sentence(await release(), 1, "Switch the API on")


async def test_an_unreachable_server_is_told(shop, release) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        shop.configure(server=f"http://127.0.0.1:{unused.getsockname()[1]}")
        assert_one_sentence(await release(), 1, "cannot be reached")


async def test_something_that_is_no_coolify_is_told(shop, release) -> None:
    shop.configure(server=f"http://127.0.0.1:{shop.sandbox.edge.http_port}")
    done = await release()
    assert done.code == 1
    assert "Traceback" not in done.stdout + done.stderr


async def test_an_unreachable_prefect_server_is_told(shop, release) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/api"
        done = await release(PREFECT_API_URL=url, PREFECT_CLIENT_MAX_RETRIES="0")
    assert_one_sentence(done, 1, "Prefect server cannot be reached")


async def test_git_is_missing(shop, release, tmp_path) -> None:
    empty = tmp_path / "no-programs"
    empty.mkdir()
    assert_one_sentence(await release(PATH=str(empty)), 1, "git", "install")


async def test_the_demonstration_says_that_git_is_missing(tmp_path) -> None:
    done = await coolify("demo", cwd=tmp_path, PATH=str(tmp_path))
    assert_one_sentence(done, 2, "git was not found")
    assert len(done.stderr.strip().splitlines()) == 1


async def test_a_taken_port_is_told(tmp_path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = await coolify("sandbox", "up", "--port", port, cwd=tmp_path)
    assert done.code in {1, 2}
    assert_one_sentence(done, done.code, port, "port")
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    "arguments", [["releese"], ["release", "--unknown"], ["rollback"], ["sandbox", "up", "--port", "many"]]
)
async def test_a_wrong_call_exits_with_two(arguments, tmp_path) -> None:
    done = await coolify(*arguments, cwd=tmp_path)
    assert done.code == 2
    assert "Traceback" not in done.stderr


async def test_the_history_lists_what_was_released(shop, release, prefect_server) -> None:
    await release()
    done = await coolify("history", cwd=shop.directory, **{"COLUMNS": "200", **prefect_server.environment})
    assert done.code == 0, done.stderr
    assert "completed" in done.stdout


async def test_a_rollback_is_asked_for_confirmation_unless_told_yes(shop, release, prefect_server) -> None:
    await release()
    shop.repository.commit("1.1.0")
    await release()
    environment = {"COLUMNS": "200", **prefect_server.environment}
    refused = await coolify("rollback", "previous", "--local", cwd=shop.directory, **environment)
    assert refused.code != 0
    assert "Roll back to previous?" in refused.stderr
    assert await shop.version() == "1.1.0"
    done = await coolify("rollback", "previous", "--local", "--yes", cwd=shop.directory, **environment)
    assert done.code == 0, done.stderr
    assert await shop.version() == "1.0.0"


async def test_a_temporary_server_that_does_not_start_in_time_is_told_in_one_sentence(shop, coolify, tmp_path) -> None:
    environment = {"PREFECT_API_URL": None, "PREFECT_HOME": str(tmp_path / "prefect")}
    done = await coolify("release", PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS="1", **environment)
    assert done.code == 1
    assert "Prefect's temporary server did not start in time" in done.text
    assert "Traceback" not in done.text
    assert shop.sandbox.state.all("application") == []
