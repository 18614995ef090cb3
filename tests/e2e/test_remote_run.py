"""The command with a Prefect server: the run happens at a worker, and the terminal follows it."""

import asyncio
import contextlib
import json
import os
import sys
from pathlib import Path

import pytest

from coolify_cli.prefect_server import run_prefect_server
from coolify_sandbox.samples import SampleRepository
from coolify_sandbox.sandbox import Sandbox
from tests.integration.answering import OperatorInPrefect
from tests.integration.command import documented_json
from tests.integration.conftest import Shop
from tests.terminal import at_terminal

pytestmark = [pytest.mark.component("git"), pytest.mark.timeout(600)]


async def start(*arguments: str, cwd: Path, env: dict[str, str]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, *arguments,
        cwd=cwd, env=env,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip


async def run(*arguments: str, cwd: Path, env: dict[str, str]) -> tuple[int | None, str, str]:
    process = await start(*arguments, cwd=cwd, env=env)
    async with asyncio.timeout(120):
        stdout, stderr = await process.communicate()
    return process.returncode, stdout.decode(), stderr.decode()


@contextlib.asynccontextmanager
async def worker(cwd: Path, env: dict[str, str]):
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "prefect", "worker", "start", "--pool", "coolify",
        cwd=cwd, env=env, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield
    finally:
        process.terminate()
        await process.wait()


async def test_a_release_runs_on_the_prefect_server_and_is_followed(tmp_path) -> None:
    async with Sandbox() as sandbox, run_prefect_server(tmp_path / "prefect") as server:
        shop = Shop(sandbox, SampleRepository(tmp_path / "repository"), tmp_path / "work")
        shop.repository.commit("1.0.0")
        shop.configure()
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "COOLIFY_"))}
        env = clean | dict(server.environment) | {"COOLIFY_TOKEN": sandbox.token, "PREFECT_WORKER_QUERY_SECONDS": "1"}
        await server.ready()

        release = ("-m", "coolify_cli.main", "release")
        code, _, told = await run(*release, cwd=shop.directory, env=env)
        assert code == 1
        assert "no deployment 'release/release'" in told
        assert "--local" in told

        code, out, told = await run("-m", "coolify_cli.main", "server", "apply", "--yes", cwd=tmp_path, env=env)
        assert code == 0, out + told

        async with worker(tmp_path, env):
            # The terminal has no token: the worker has.
            code, out, told = await run(
                *release, cwd=shop.directory, env={name: one for name, one in env.items() if name != "COOLIFY_TOKEN"}
            )
            assert code == 0, out + told
            assert "New container is healthy." in out
            assert "Completed" in out.splitlines()[-1]
            assert await shop.version() == "1.0.0"

            shop.repository.commit("2.0.0", broken=True)
            shop.configure(decisions={"health-gate-failed": "ask"})
            releasing = await start(*release, "--json", cwd=shop.directory, env=env)
            operator = OperatorInPrefect(server.url)
            waiting = await operator.sees("ask: health-gate-failed")
            assert await operator.answers(waiting, option="rollback", name="Ada") == "ACCEPT"
            async with asyncio.timeout(120):
                said, told = await releasing.communicate()
            out = said.decode()
            assert releasing.returncode == 1, out + told.decode()
            ended = json.loads(out)
            documented_json.check(("release",), ended)
            assert ended["state"] == "RolledBack"
            assert ended["ok"] is False
            assert await shop.version() == "1.0.0"

            code, out, told = await run("-m", "coolify_cli.main", "history", "show", "2", cwd=shop.directory, env=env)
            assert code == 0, told
            assert "Ada (in Prefect) chose it." in out

            for command in ("run", "verify"):
                backup = ("-m", "coolify_cli.main", "backup", command, "--json")
                code, out, told = await run(*backup, cwd=shop.directory, env=env)
                assert code == 1, out + told
                assert "nothing to" in json.loads(out)["message"]

            shop.repository.commit("3.0.0")
            shop.configure(health={"path": "/health", "successes": 1000, "interval": 0.1, "deadline": 600})
            async with at_terminal((sys.executable, *release), shop.directory, env) as shown:
                await shown.sees("New container is healthy.")
                shown.interrupts()
                await shown.sees("(cancel, detach) [detach]:")
                shown.types("cancel")
                assert await shown.ends() == 1
                assert "Cancelled" in shown.shown
                assert "Traceback" not in shown.shown
            async with at_terminal((sys.executable, *release), shop.directory, env) as shown:
                await shown.sees("runs on the Prefect server as")
                shown.interrupts()
                await shown.sees("(cancel, detach) [detach]:")
                shown.types("")
                assert await shown.ends() == 130
                assert "Left alone: it goes on" in shown.shown
