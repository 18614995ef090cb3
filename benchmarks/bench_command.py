"""How long an operator waits for `coolify` itself: help, version, and a command that reads from Coolify.

Promised on two cores: help and version within 150 ms, a command that looks at something in Coolify within 400 ms
beyond the network, and `plan`, which checks the whole configuration and compares it, within 600. What the network takes
is measured by sending the same requests from here, over one bare connection.

The quickest of the rounds counts: it tells what the command itself costs, the others what else the machine did (as the
documentation of `timeit` says). The median is what was felt meanwhile.
"""

from __future__ import annotations

import asyncio
import math
import os
import ssl
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

import httpx
import ruamel.yaml
from pydantic import SecretStr

from coolify.api import CoolifyClient, StaticToken
from coolify_sandbox.samples import SampleRepository
from coolify_sandbox.sandbox import Sandbox

_ROUNDS: Final = 15
_INSTANT: Final = ("--version", "--help")
_INSTANT_MS: Final = 150
_COMMAND: Final = (sys.executable, "-m", "coolify_cli.main")
_READING: Final = {("project", "list"): 400, ("deploy", "status"): 400, ("plan",): 600}
"""Command -> milliseconds beyond the network."""


async def main() -> int:
    """Measure, print a table, and return 1 where a promise is broken."""
    with tempfile.TemporaryDirectory() as directory:
        async with Sandbox() as sandbox:
            work = _application(Path(directory), sandbox)
            environment = os.environ | {"COOLIFY_TOKEN": sandbox.token, "NO_COLOR": "1"}
            # Installed packages are compiled; here that happens in the first round.
            environment.pop("PYTHONDONTWRITEBYTECODE", None)

            async def run(*command: str) -> None:
                await _run(command, work, environment)

            await run(*_COMMAND, "apply", "--yes")
            await _deploy(sandbox)
            rows = [_Row("python -c pass", partial(run, sys.executable, "-c", "pass"))]
            rows += [_Row(f"coolify {one}", partial(run, *_COMMAND, one), _INSTANT_MS) for one in _INSTANT]
            for command, promised in _READING.items():
                action = partial(run, *_COMMAND, *command)
                rows.append(_Row(f"coolify {' '.join(command)}", action, promised, await _bare(action, sandbox)))
            # Each in turn: a machine that is slow for a while is so for all of them.
            for number in range(_ROUNDS):
                print(f"round {number + 1} of {_ROUNDS}", end="\r", flush=True)
                for row in rows:
                    await row.measure()
    print(" " * len(f"round {_ROUNDS} of {_ROUNDS}"), end="\r")
    columns = ("median", "best", "network", "own", "promised")
    print(f"{'command':<24}", *(f"{column:>9}" for column in columns), f" (ms, {_ROUNDS} rounds)")
    for row in rows:
        print(row)
    return 0 if all(row.is_kept for row in rows) else 1


@dataclass
class _Row:
    name: str
    action: Callable[[], Awaitable[None]]
    promised: float = math.inf
    bare: Callable[[], Awaitable[None]] | None = None
    """Sends the requests of the action, and does nothing else."""
    spent: list[float] = field(default_factory=list)
    network: list[float] = field(default_factory=list)

    async def measure(self) -> None:
        self.spent.append(await _milliseconds(self.action))
        self.network.append(await _milliseconds(self.bare) if self.bare else 0.0)

    @property
    def own(self) -> float:
        return min(self.spent) - min(self.network)

    @property
    def is_kept(self) -> bool:
        return self.own <= self.promised

    def __str__(self) -> str:
        figures = (statistics.median(self.spent), min(self.spent), min(self.network), self.own, self.promised)
        told = " ".join(f"{figure:>9.0f}" if figure < math.inf else "" for figure in figures)
        return f"{self.name:<24} {told}{'' if self.is_kept else '  BROKEN'}"


async def _milliseconds(action: Callable[[], Awaitable[None]]) -> float:
    started = time.perf_counter()
    await action()
    return (time.perf_counter() - started) * 1000


async def _bare(action: Callable[[], Awaitable[None]], sandbox: Sandbox) -> Callable[[], Awaitable[None]]:
    """Run a command once, and return what sends the same requests."""
    seen = sandbox.app.state.faults.requests
    before = len(seen)
    await action()
    paths = [one.path for one in seen[before:]]
    headers = {"Authorization": f"Bearer {sandbox.token}"}

    async def bare() -> None:
        # A context that trusts nobody: loading certificates would count as network.
        nobody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        base_url = f"{sandbox.url}/api/v1"
        async with httpx.AsyncClient(base_url=base_url, headers=headers, verify=nobody, trust_env=False) as client:
            for path in paths:
                await client.get(path)

    return bare


async def _deploy(sandbox: Sandbox) -> None:
    """Deploy the application, so that there is something to list."""
    async with CoolifyClient(sandbox.url, StaticToken(SecretStr(sandbox.token))) as client:
        (application,) = await client.applications.list()
        triggered = await client.deployments.trigger(application.uuid)
        async for _ in client.deployments.follow(triggered.deployment_uuid, interval=0.2):
            pass


async def _run(command: Sequence[str], directory: Path, environment: dict[str, str]) -> None:
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=directory,
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    _, stderr = await process.communicate()
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}: {stderr.decode()}")


def _application(directory: Path, sandbox: Sandbox) -> Path:
    """Write the configuration of an application with a repository, and return where the command is run."""
    repository = SampleRepository(directory / "repository")
    repository.commit("1.0.0")
    work = directory / "work"
    (work / ".coolify").mkdir(parents=True)
    document = {
        "server": sandbox.url,
        "auth": {"token": "${COOLIFY_TOKEN}"},
        "project": {"name": "shop"},
        "application": {"name": "shop"},
        "source": {"repository": str(repository.path), "branch": "main"},
        "build": {"start_command": SampleRepository.START_COMMAND},
        "domains": [{"primary": "shop.sandbox.test", "ssl": True}],
        "env": {f"KEY_{number}": "value" for number in range(20)},
    }
    with (work / ".coolify" / "config.yml").open("w") as stream:
        ruamel.yaml.YAML(typ="safe").dump(document, stream)
    return work


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
