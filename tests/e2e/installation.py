"""An installation as `coolify server up` makes it."""

import asyncio
import contextlib
import json
import os
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prefect.settings import PREFECT_API_URL, temporary_settings

from tests.e2e.prefect_runs import PATIENCE
from tests.integration.command import documented_json
from tests.integration.command.conftest import COMMAND

WEBHOOK_SECRET = "canary-of-the-receiver-7c1e5a"


@dataclass
class Installation:
    process: asyncio.subprocess.Process
    facts: dict[str, Any]
    env: dict[str, str]
    directory: Path

    async def coolify(self, *arguments: str, cwd: Path, **env: str) -> str:
        process = await asyncio.create_subprocess_exec(
            *COMMAND, *arguments, cwd=cwd, env=self.env | env, stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        async with asyncio.timeout(PATIENCE):
            told, _ = await process.communicate()
        assert process.returncode == 0, told.decode()
        return told.decode()

    def children(self) -> list[int]:
        return [
            int(one) for one in Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        ]


@contextlib.asynccontextmanager
async def installed(directory: Path, **env: str):
    """`coolify server up` in a process of its own; ended by Ctrl-C, as it should."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "COOLIFY_"))}
    clean |= {"HOME": str(directory), "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
    process = await asyncio.create_subprocess_exec(
        *COMMAND, "server", "up", "--port", "0", "--webhook-port", "0", "--directory", str(directory), "--json",
        cwd=directory, env=clean | {"COOLIFY_WEBHOOK_SECRET": WEBHOOK_SECRET} | env,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        text = ""
        async with asyncio.timeout(PATIENCE):
            while not text.endswith("}\n"):
                line = await process.stdout.readline()
                assert line, f"ended with {await process.wait()}"
                text += line.decode()
        facts = json.loads(text)
        documented_json.check(("server", "up"), facts)
        of_commands = clean | {"PREFECT_API_URL": f"{facts['url']}/api", "PREFECT_HOME": str(directory)}
        with temporary_settings({PREFECT_API_URL: of_commands["PREFECT_API_URL"]}):
            yield Installation(process, facts, of_commands, directory)
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
            async with asyncio.timeout(PATIENCE):
                await process.wait()
