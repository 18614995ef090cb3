"""The sandbox begins and ends without a trace, however it ends."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
import tempfile
from pathlib import Path

import httpx
import pytest

from coolify_sandbox.sandbox import FULL_ABILITIES, Sandbox, SandboxError
from coolify_sandbox.serving import PortTakenError

COMMAND = Path(sys.executable).with_name("coolify")


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """Where temporary directories are made in this test."""
    path = tmp_path / "tmp"
    path.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(path))
    monkeypatch.setenv("TMPDIR", str(path))
    return path


async def is_served(url: str) -> bool:
    async with httpx.AsyncClient(trust_env=False) as client:
        try:
            return (await client.get(f"{url}/api/health")).status_code == 200
        except httpx.TransportError:
            return False


# Within a process


async def test_nothing_stays_of_a_temporary_sandbox(temporary, outsider_of, repository, processes_below) -> None:
    repository.commit("1.0.0")
    async with Sandbox() as sandbox, outsider_of(sandbox) as outsider:
        assert sandbox.directory.parent == temporary
        assert await is_served(sandbox.url)
        application = await outsider.create_application(repository.path)
        await application.deploy()
        assert processes_below(sandbox.directory)
    assert not await is_served(sandbox.url)
    assert not processes_below(sandbox.directory)
    assert list(temporary.iterdir()) == []


async def test_a_sandbox_that_ends_while_it_builds_leaves_no_process(
    outsider_of, repository, until, processes_below
) -> None:
    repository.commit("1.0.0")
    async with Sandbox() as sandbox, outsider_of(sandbox) as outsider:
        application = await outsider.create_application(repository.path, build_command="sleep 4242")
        await application.queue()

        async def commands() -> list[list[str]]:
            return list(processes_below(sandbox.directory).values())

        await until(commands, lambda found: ["sleep", "4242"] in found)
    assert not processes_below(sandbox.directory)


async def test_a_version_that_does_not_want_to_end_ends_with_the_sandbox(
    outsider_of, repository, processes_below
) -> None:
    repository.commit_server("1.0.0", prelude="signal.signal(signal.SIGTERM, signal.SIG_IGN)")
    async with Sandbox() as sandbox, outsider_of(sandbox) as outsider:
        application = await outsider.create_application(repository.path)
        await application.deploy()
        repository.commit("2.0.0")
        await application.until_logged(await application.queue(), "Removing old containers.")
    assert not processes_below(sandbox.directory)


async def test_two_sandboxes_run_side_by_side_and_know_nothing_of_each_other(outsider_of, repository) -> None:
    repository.commit("1.0.0")
    async with Sandbox() as one, Sandbox() as other, outsider_of(one) as first, outsider_of(other) as second:
        application = await first.create_application(repository.path)
        await application.deploy()
        assert await application.version() == "1.0.0"
        assert await second.call("GET", "/applications") == []
        async with httpx.AsyncClient(base_url=other.url, trust_env=False) as client:
            headers = {"Authorization": f"Bearer {one.token}"}
            assert (await client.get("/api/v1/version", headers=headers)).status_code == 401
        twin = await second.create_application(repository.path)
        await twin.deploy()
        assert await twin.version() == "1.0.0"
        assert one.ca_file.read_bytes() != other.ca_file.read_bytes()


async def test_applications_and_tokens_survive_a_restart_in_the_same_directory(
    tmp_path, outsider_of, repository, log_of
) -> None:
    directory = tmp_path / "sandbox"
    commit = repository.commit("1.0.0")
    async with Sandbox(directory) as sandbox, outsider_of(sandbox) as outsider:
        application = await outsider.create_application(repository.path)
        await application.call("POST", "/envs", 201, key="GREETING", value="Good morning", is_buildtime=False)
        await application.deploy()
        token = sandbox.create_token(FULL_ABILITIES)
        authority = sandbox.ca_file.read_bytes()
    async with Sandbox(directory) as sandbox, outsider_of(sandbox) as outsider:
        outsider.http.headers["Authorization"] = f"Bearer {token}"
        (found,) = await outsider.call("GET", "/applications")
        assert found["uuid"] == application.uuid
        application.outsider = outsider
        assert await application.images() == [commit]
        again = await application.deploy()
        assert "Building docker image" not in log_of(again), "the image survived as well"
        assert "Good morning from version 1.0.0" in (await application.visit()).text
        assert sandbox.ca_file.read_bytes() == authority


async def test_a_token_can_do_only_what_it_was_made_for(sandbox, outsider) -> None:
    outsider.http.headers["Authorization"] = f"Bearer {sandbox.create_token(['read'])}"
    await outsider.call("GET", "/projects")
    refused = await outsider.call("POST", "/projects", 403, name="shop")
    assert refused["message"] == "Missing required permissions: write"


# Refusals


async def test_a_second_sandbox_in_the_same_directory_is_refused(tmp_path) -> None:
    async with Sandbox(tmp_path) as running:
        with pytest.raises(SandboxError) as refusal:
            await Sandbox(tmp_path).__aenter__()
        assert str(refusal.value) == (
            f"Another sandbox runs in {tmp_path}: end it, or choose another directory with --directory."
        )
        assert await is_served(running.url), "the first one is left alone"
    async with Sandbox(tmp_path) as next_one:
        assert await is_served(next_one.url)


async def test_a_taken_port_is_refused_and_nothing_stays(temporary) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortTakenError) as refusal:
            await Sandbox(port=port).__aenter__()
    assert str(refusal.value).startswith(f"Port {port} on 127.0.0.1 is taken: choose another one with --port")
    assert list(temporary.iterdir()) == []


async def test_a_wanted_port_is_used_again_and_again() -> None:
    async with Sandbox() as first:
        port = int(first.url.rpartition(":")[2])
    for _ in range(2):
        async with Sandbox(port=port) as again:
            assert again.url == f"http://127.0.0.1:{port}"
            assert await is_served(again.url)


async def test_a_machine_without_git_is_refused_and_nothing_stays(temporary, monkeypatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SandboxError, match=r"^git was not found on this machine: install it"):
        await Sandbox().__aenter__()
    assert list(temporary.iterdir()) == []


# As a command


@pytest.fixture
async def up(temporary):
    """Start `coolify sandbox up --json`; what still runs at the end of the test is killed."""
    started = []

    async def start(*arguments: object):
        process = await asyncio.create_subprocess_exec(
            COMMAND, "sandbox", "up", "--json", *map(str, arguments),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            # A job in the background of a shell inherits that Ctrl-C is ignored.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )  # fmt: skip
        started.append(process)
        return process

    yield start
    for process in started:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def facts_of(process) -> dict[str, object]:
    async with asyncio.timeout(60):
        line = await process.stdout.readline()
    assert line, (await process.stderr.read()).decode()
    return json.loads(line)


async def end_of(process) -> tuple[int, str]:
    async with asyncio.timeout(30):
        _, errors = await process.communicate()
    return process.returncode, errors.decode()


async def test_a_killed_sandbox_leaves_no_process_alive(
    up, tmp_path, outsider_of, repository, until, processes_below
) -> None:
    directory = tmp_path / "sandbox"
    process = await up("--directory", directory)
    repository.commit("1.0.0")

    async def commands() -> list[str]:
        found = processes_below(directory).values()
        return [" ".join([Path(program).name, *arguments]) for program, *arguments in found]

    async with outsider_of(**await facts_of(process)) as outsider:
        serving = await outsider.create_application(repository.path)
        await serving.deploy()
        building = await outsider.create_application(repository.path, "other.sandbox.test", build_command="sleep 4242")
        await building.queue()
        await until(commands, lambda found: {"python3 server.py", "sleep 4242"} <= set(found))
    os.kill(process.pid, signal.SIGKILL)
    await end_of(process)
    await until(commands, lambda found: found == [], seconds=10)
    again = await up("--directory", directory)
    assert await is_served((await facts_of(again))["url"]), "the directory is free for the next one"


async def test_an_interrupted_sandbox_ends_in_order(up, temporary, outsider_of, repository, processes_below) -> None:
    process = await up()
    facts = await facts_of(process)
    directory = Path(facts["ca_file"]).parent.parent
    assert directory.parent == temporary
    repository.commit("1.0.0")
    async with outsider_of(**facts) as outsider:
        await (await outsider.create_application(repository.path)).deploy()
    assert processes_below(directory)
    process.send_signal(signal.SIGINT)
    assert await end_of(process) == (0, "The sandbox has ended.\n")
    assert not processes_below(directory)
    assert list(temporary.iterdir()) == []


async def test_the_command_refuses_a_taken_port_and_a_taken_directory_with_a_sentence(up, tmp_path) -> None:
    first = await up("--directory", tmp_path / "sandbox")
    port = (await facts_of(first))["url"].rpartition(":")[2]
    for arguments, words in (
        (("--port", port), f"Port {port} on 127.0.0.1 is taken"),
        (("--directory", tmp_path / "sandbox"), "Another sandbox runs in"),
    ):
        code, errors = await end_of(await up(*arguments))
        assert code == 2
        assert errors.startswith(f"Error: {words}")
        assert errors.count("\n") == 1
