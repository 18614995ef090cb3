"""From a push at a Git host to the new version: receiver, Prefect server, worker and Coolify as processes."""

import asyncio
import contextlib
import hashlib
import json
import os
import signal
import socket
import sys
from datetime import datetime
from pathlib import Path

import httpx
import pytest

from coolify_cli.prefect_server import BATCHED
from coolify_sandbox.samples import SampleRepository
from coolify_sandbox.sandbox import Sandbox
from tests.integration.conftest import Shop
from tests.integration.webhooks.serving_webhooks import SECRET, receiving, until

pytestmark = [pytest.mark.component("git"), pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[2]
LOGIN = ("admin", "canary-9d2c71-prefect")
ENDED = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}
PREFECT = (sys.executable, "-m", "prefect")
_READ_SECONDS = 120
"""SQLite lets a request wait for a minute while others write."""


class Stage:
    """A Prefect server that can be killed, and a worker, for one shop."""

    def __init__(self, directory: Path, shop: Shop, token: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.directory, self.shop = directory, shop
        self.api = f"http://127.0.0.1:{self.port}/api"
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "COOLIFY_"))}
        self.env = (
            clean
            | BATCHED
            | {
                "PREFECT_HOME": str(directory / "prefect"),
                "PREFECT_API_URL": self.api,
                "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
                "PREFECT_SERVER_API_AUTH_STRING": ":".join(LOGIN),
                "PREFECT_API_AUTH_STRING": ":".join(LOGIN),
                "PREFECT_WORKER_QUERY_SECONDS": "0.5",
                "COOLIFY_TOKEN": token,
                "PWD": str(ROOT),
            }
        )

    async def start(self, *arguments: str, log: str) -> asyncio.subprocess.Process:
        with (self.directory / log).open("ab") as output:
            return await asyncio.create_subprocess_exec(
                *PREFECT, *arguments, cwd=ROOT, env=self.env,
                stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
            )  # fmt: skip

    async def run(self, *arguments: str) -> None:
        process = await self.start(*arguments, log="commands.log")
        async with asyncio.timeout(180):
            assert await process.wait() == 0, (self.directory / "commands.log").read_text()

    @contextlib.asynccontextmanager
    async def serving(self):
        """Run server and worker; both are killed at the end, as a machine that loses its power does."""
        server = await self.start("server", "start", "--host", "127.0.0.1", "--port", str(self.port), log="server.log")
        try:
            await until(self._is_up, seconds=180)
            worker = None
            try:
                await self._register()
                worker = await self.start("worker", "start", "--pool", "coolify", log="worker.log")
                yield
            finally:
                await _kill(worker)
        finally:
            await _kill(server)

    async def _is_up(self) -> bool:
        with contextlib.suppress(httpx.TransportError):
            async with httpx.AsyncClient(trust_env=False, timeout=5) as client:
                return (await client.get(f"{self.api}/health")).is_success
        return False

    async def _register(self) -> None:
        if await self.read("work_pools"):
            return
        await self.run("work-pool", "create", "coolify", "--type", "process")
        targets = json.dumps({"targets": [{"config": str(self.shop.config), "environment": ""}]})
        await self.run("--no-prompt", "deploy", "--name", "redeploy", "--param", f"request={targets}")

    async def read(self, what: str, **wanted) -> list[dict]:
        async with httpx.AsyncClient(trust_env=False, timeout=_READ_SECONDS, auth=LOGIN) as client:
            answer = await client.post(f"{self.api}/{what}/filter", json=wanted)
            answer.raise_for_status()
            return answer.json()

    async def runs(self) -> dict[str, str]:
        """Return message of the commit -> state, empty before the end, of the runs that pushes have started."""
        found = await self.read("flow_runs", flows={"name": {"any_": ["redeploy"]}}, sort="EXPECTED_START_TIME_ASC")
        states = [one["state"]["name"] if one["state"]["type"] in ENDED else "" for one in found]
        told = [(one["parameters"]["push"]["message"], state) for one, state in zip(found, states, strict=True)]
        assert len(told) == len({message for message, _ in told}), f"doubled: {told}"
        return dict(told)

    async def times(self, message: str) -> str:
        """Return how long after its push a run existed, was taken by the worker, and ran."""
        found = await self.read("flow_runs", flows={"name": {"any_": ["redeploy"]}})
        (run,) = [one for one in found if one["parameters"]["push"]["message"] == message]
        async with httpx.AsyncClient(trust_env=False, timeout=_READ_SECONDS, auth=LOGIN) as client:
            answer = await client.get(f"{self.api}/flow_run_states/", params={"flow_run_id": run["id"]})
        pushed = datetime.fromisoformat(run["parameters"]["push"]["received_at"])
        told = {
            one["name"]: (datetime.fromisoformat(one["timestamp"]) - pushed).total_seconds() for one in answer.json()
        }
        return ", ".join(f"{name.lower()} after {told[name]:.1f} s" for name in ("Scheduled", "Pending", "Running"))


async def _kill(process: asyncio.subprocess.Process | None) -> None:
    if process is not None and process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


async def test_pushes_release_the_shop_also_those_that_came_while_prefect_was_dead(tmp_path, table) -> None:
    async with Sandbox() as sandbox:
        shop = Shop(sandbox, SampleRepository(tmp_path / "repository"), tmp_path / "work")
        shop.configure()
        stage = Stage(tmp_path, shop, sandbox.token)
        async with receiving(tmp_path / "receiver", stage.api, PREFECT_API_AUTH_STRING=":".join(LOGIN)) as receiver:

            async def push(version: str, suffix: str = "") -> None:
                commit = shop.repository.commit(version, message=f"Version {version}{suffix}")
                answer = await receiver.push(
                    address=str(shop.repository.path), commit=commit, message=f"Version {version}{suffix}",
                    delivery=hashlib.sha256(commit.encode()).hexdigest(),
                )  # fmt: skip
                assert answer.status_code == 202

            async def ended(message: str) -> str:
                async def look() -> str:
                    return (await stage.runs()).get(message, "")

                return await until(look, seconds=240, every=0.5)

            async with stage.serving():
                await push("1.0.0")
                assert await ended("Version 1.0.0") == "Completed"
                assert await shop.version() == "1.0.0"

                # A release that takes until we say so, and two pushes meanwhile: only the newest one is released.
                go_on = tmp_path / "go-on"
                wait = {"run": f"until test -e {go_on}; do sleep 0.1; done", "timeout": 600}
                shop.configure(release={"after": [wait]})
                await push("2.0.0")
                await until(lambda: _served(shop, "2.0.0"), seconds=240)
                await push("3.0.0")
                await push("4.0.0")
                assert await ended("Version 3.0.0") == "Superseded"
                assert (await stage.runs())["Version 2.0.0"] == ""
                go_on.touch()
                assert await ended("Version 2.0.0") == "Completed"
                assert await ended("Version 4.0.0") == "Completed"
                assert await shop.version() == "4.0.0"
                table("From a push to its run", await stage.times("Version 2.0.0"))

            # Both are killed, with what they had in memory: nobody is there to be told.
            await push("5.0.0")
            await push("5.1.0", " [skip ci]")
            async with stage.serving():
                assert await ended("Version 5.0.0") == "Completed"
                assert await shop.version() == "5.1.0"
                await until(lambda: _is_empty(tmp_path))
                assert set(await stage.runs()) == {f"Version {one}.0.0" for one in range(1, 6)}
            assert len(sandbox.state.all("deployment")) == 4
        files = [one for one in tmp_path.rglob("*") if one.is_file()]
        assert files
        for canary in (SECRET, LOGIN[1], sandbox.token):
            assert not [one.name for one in files if canary.encode() in one.read_bytes()]


async def _served(shop: Shop, version: str) -> bool:
    with contextlib.suppress(httpx.HTTPError):
        return await shop.version() == version
    return False


def _is_empty(directory: Path) -> bool:
    from deployments.webhooks.spool import look_into

    return look_into(directory / "receiver" / "spool").waiting == 0
