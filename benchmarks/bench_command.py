"""How long an operator waits for `coolify` itself: help, version, and a command that reads from Coolify.

Promised on two cores: help and version within 150 ms, a command that looks at something in Coolify within 400 ms
beyond the network, and `plan`, which checks the whole configuration and compares it, within 600. What the network takes
is measured by sending the same requests from here, over one bare connection.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final

import httpx
import ruamel.yaml
from pydantic import SecretStr

from coolify.api import CoolifyClient, StaticToken
from coolify_sandbox.samples import SampleRepository
from coolify_sandbox.sandbox import Sandbox

_ROUNDS: Final = 15
_INSTANT_MS: Final = 150
_COMMAND: Final = (sys.executable, "-m", "coolify_cli.main")
_READING: Final = {("project", "list"): 400, ("deploy", "status"): 400, ("plan",): 600}
"""Command -> milliseconds beyond the network."""


async def main() -> int:
    """Measure, print a table, and return 1 where a promise is broken."""
    print(f"{'command':<24} {'median':>8} {'network':>8} {'own':>8} {'promised':>9}  (ms, {_ROUNDS} rounds)")
    with tempfile.TemporaryDirectory() as directory:
        async with Sandbox() as sandbox:
            work = _application(Path(directory), sandbox)
            environment = os.environ | {"COOLIFY_TOKEN": sandbox.token, "NO_COLOR": "1"}
            # Installed packages are compiled; here that happens in the first round.
            environment.pop("PYTHONDONTWRITEBYTECODE", None)

            async def run(*command: str) -> None:
                await _run(command, work, environment)

            bare = await _median(lambda: run(sys.executable, "-c", "pass"))
            _row("python -c pass", bare, 0, None)
            kept = [await _instant(run, option) for option in ("--version", "--help")]
            await run(*_COMMAND, "apply", "--yes")
            await _deploy(sandbox)
            kept += [await _reading(run, command, sandbox, promised) for command, promised in _READING.items()]
    return 0 if all(kept) else 1


async def _instant(run: Callable[..., Awaitable[None]], option: str) -> bool:
    spent = await _median(lambda: run(*_COMMAND, option))
    _row(f"coolify {option}", spent, 0, _INSTANT_MS)
    return spent <= _INSTANT_MS


async def _reading(
    run: Callable[..., Awaitable[None]], command: Sequence[str], sandbox: Sandbox, promised: int
) -> bool:
    seen = sandbox.app.state.faults.requests
    before = len(seen)
    await run(*_COMMAND, *command)
    paths = [one.path for one in seen[before:]]
    headers = {"Authorization": f"Bearer {sandbox.token}"}

    async def bare() -> None:
        async with httpx.AsyncClient(base_url=f"{sandbox.url}/api/v1", headers=headers, trust_env=False) as client:
            for path in paths:
                await client.get(path)

    network = await _median(bare)
    spent = await _median(lambda: run(*_COMMAND, *command))
    _row(f"coolify {' '.join(command)}", spent, network, promised)
    return spent - network <= promised


async def _deploy(sandbox: Sandbox) -> None:
    """Deploy the application, so that there is something to list."""
    async with CoolifyClient(sandbox.url, StaticToken(SecretStr(sandbox.token))) as client:
        (application,) = await client.applications.list()
        triggered = await client.deployments.trigger(application.uuid)
        async for _ in client.deployments.follow(triggered.deployment_uuid, interval=0.2):
            pass


def _row(name: str, spent: float, network: float, promised: int | None) -> None:
    kept = "" if promised is None else f"{promised:>9}" + ("" if spent - network <= promised else "  BROKEN")
    print(f"{name:<24} {spent:>8.0f} {network:>8.0f} {spent - network:>8.0f} {kept}", flush=True)


async def _median(action: Callable[[], Awaitable[None]]) -> float:
    """Return milliseconds."""
    spent = []
    for _ in range(_ROUNDS):
        started = time.perf_counter()
        await action()
        spent.append((time.perf_counter() - started) * 1000)
    return statistics.median(spent)


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
