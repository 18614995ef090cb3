"""A release without a Prefect server, whose terminal dies: the next one takes it up at once."""

import asyncio
import json
import os
import signal
import socket
import sys

import pytest

from coolify_sandbox.samples import SampleRepository
from coolify_sandbox.sandbox import Sandbox
from tests.integration.conftest import Shop

pytestmark = [pytest.mark.component("git"), pytest.mark.timeout(300)]


async def test_a_killed_release_holds_no_lock_and_is_taken_up(tmp_path) -> None:
    async with Sandbox() as sandbox:
        shop = Shop(sandbox, SampleRepository(tmp_path / "repository"), tmp_path / "work")
        shop.repository.commit("1.0.0")
        health = {"path": "/health", "interval": 0.1, "deadline": 600}
        shop.configure(health=health | {"successes": 1000})
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "COOLIFY_"))}
        env = clean | {"COOLIFY_TOKEN": sandbox.token, "PREFECT_HOME": str(tmp_path / "prefect"), "HOME": str(tmp_path)}

        async def start() -> asyncio.subprocess.Process:
            return await asyncio.create_subprocess_exec(
                sys.executable, "-m", "coolify_cli.main", "release", "--json", cwd=shop.directory, env=env,
                stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
            )  # fmt: skip

        killed = await start()
        async with asyncio.timeout(120):
            while [one["status"] for one in sandbox.state.all("deployment")] != ["finished"]:
                await asyncio.sleep(0.1)
        refused = await start()
        stdout, stderr = await refused.communicate()
        assert refused.returncode == 1, stderr
        reason = json.loads(stdout)["reason"]
        assert "Another run is releasing" in reason
        assert f"@{socket.gethostname()} in the run" in reason
        assert b"ERROR" not in stderr
        assert killed.returncode is None
        # With the server that Prefect has started for it, as when the machine dies.
        os.killpg(killed.pid, signal.SIGKILL)
        await killed.communicate()

        shop.configure(health=health | {"successes": 2})
        second = await start()
        stdout, stderr = await second.communicate()
        assert second.returncode == 0, stdout + stderr
        report = json.loads(stdout)
        assert report["outcome"] == "completed"
        assert report["number"] == 1
