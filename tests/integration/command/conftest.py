"""The command as an operator runs it: a process of its own, in the directory of the application."""

import asyncio
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.integration.command import documented_json

COMMAND = (sys.executable, "-m", "coolify_cli.main")


@dataclass
class Done:
    code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        return json.loads(self.stdout)

    @property
    def text(self) -> str:
        return " ".join((self.stdout + self.stderr).split())


async def run(
    *arguments: str, cwd: Path, stdin: str | None = None, seconds: float = 100, **environment: str | None
) -> Done:
    env = {name: value for name, value in (os.environ | environment).items() if value is not None}
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        *arguments,
        cwd=cwd,
        env=env,
        stdin=asyncio.subprocess.DEVNULL if stdin is None else asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(seconds):
            stdout, stderr = await process.communicate(None if stdin is None else stdin.encode())
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
    done = Done(process.returncode or 0, stdout.decode(), stderr.decode())
    if "--json" in arguments and done.stdout:
        documented_json.check(arguments, done.json)
    return done


@pytest.fixture
def home(tmp_path):
    """A home of its own: no context of the person who runs the tests, and no keyring."""
    directory = tmp_path / "home"
    directory.mkdir()
    return {
        "HOME": str(directory),
        "XDG_CONFIG_HOME": str(directory / ".config"),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        "COLUMNS": "300",
        "NO_COLOR": "1",
        "COOLIFY_CONTEXT": None,
    }


@pytest.fixture
def coolify(shop, home):
    """Run a command in the shop's directory, with the token in the environment."""

    async def go(*arguments: str, stdin: str | None = None, seconds: float = 100, **environment: str | None) -> Done:
        return await run(*arguments, cwd=shop.directory, stdin=stdin, seconds=seconds, **(home | environment))

    return go


@pytest.fixture
def released(shop, in_prefect):
    """Release the shop in this process, quicker than by the command."""

    async def go() -> None:
        from coolify.release import Outcome
        from flows.release import ReleaseRequest, release
        from tasks.session import Target
        from tests.integration.robustness.bare import one_run

        with one_run():
            state = await release(ReleaseRequest(target=Target(config=str(shop.config))), return_state=True)
        assert (await state.aresult(raise_on_failure=False)).outcome is Outcome.COMPLETED

    return go
