"""A run that is ended from outside leaves nothing running that nobody would prove."""

import asyncio
import os
import signal
import sys

import pytest


@pytest.mark.timeout(300)
@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
async def test_a_release_that_is_ended_leaves_the_truth(shop, release_shop, prefect_server, stop) -> None:
    """A worker ends a run that is cancelled in the UI by SIGTERM, a terminal by SIGINT."""
    await release_shop()
    shop.repository.commit("1.1.0")
    building = {"start_command": shop.repository.START_COMMAND, "build_command": "sleep 600"}
    shop.configure(build=building, env={"GREETING": "Ahoy"})
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "coolify_cli.main", "release", "--local", "--no-input",
        cwd=shop.directory, env=os.environ | prefect_server.environment,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    assert process.stdout is not None
    said = ""
    async with asyncio.timeout(120):
        while "deployment building" not in said:
            said += (line := (await process.stdout.readline()).decode())
            assert line, said
    process.send_signal(stop)
    output, _ = await asyncio.wait_for(process.communicate(), 120)
    assert process.returncode in {-stop, 128 + stop}, output.decode()
    assert "Traceback" not in output.decode()
    (last,) = shop.sandbox.state.all("deployment")[1:]
    assert last["status"] == "cancelled-by-user", output.decode()
    assert await shop.version() == "1.0.0"
