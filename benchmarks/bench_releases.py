"""What it costs to release many applications at once: memory of the process, requests to Coolify, time of ours.

Promised: 100 applications, released by one `coolify release --all`, take at most 600 MB and at most 200 requests in any
minute. Coolify (the sandbox), Prefect's server and the applications run in processes of their own.

The orchestration tax of a release is its time from beginning to proof, without the time that Coolify has its deployment
in the queue and in work. Most of it is waiting for a turn: a release needs some twenty requests, and 200 a minute are
allowed to all of them together. How long one takes that waits for nobody is measured first.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from bisect import bisect_left
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import ruamel.yaml

from coolify_cli.prefect_server import run_prefect_server
from coolify_sandbox.samples import SampleRepository

_APPLICATIONS: Final = int(os.environ.get("BENCH_RELEASES", "100"))
_PARALLEL: Final = 4
_BUILDS: Final = 4
"""Deployments that Coolify runs at the same time."""
_MEGABYTES: Final = 600
_REQUESTS: Final = 200


async def main() -> int:
    """Measure, print, and return 1 where a promise is broken."""
    print(f"{_APPLICATIONS} applications, {_PARALLEL} at a time, {os.cpu_count()} cores", flush=True)
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        async with run_prefect_server(folder / "prefect") as prefect, _sandbox() as sandbox:
            await prefect.ready()
            return await _measure(folder, sandbox, dict(prefect.environment))


async def _measure(folder: Path, sandbox: _Sandbox, environment: dict[str, str]) -> int:
    environment |= {"COOLIFY_TOKEN": sandbox.facts["token"]}
    _write_application(folder / "alone", sandbox.facts)
    _write_set(folder / "set", sandbox.facts)
    alone, _ = await _release(environment, "--config", str(folder / "alone" / ".coolify" / "config.yml"))
    began = time.monotonic()
    report, megabytes = await _release(environment, "--all", "--continue", "--set", str(folder / "set" / "set.yml"))
    spent = time.monotonic() - began
    seen = await sandbox.end()
    released = [one for one in report["applications"] if one["outcome"] == "completed" and one["deployed"]]
    requests = [one for one in seen["requests"] if one >= began]
    kept = [
        _row("peak memory of the process (MB)", megabytes, _MEGABYTES),
        _row("requests in the busiest minute", _busiest(requests), _REQUESTS),
    ]
    _row("requests of a release", len(requests) / _APPLICATIONS)
    _row("requests refused", seen["refused"])
    _tell_tax(alone, released, seen["deployments"])
    _row("all of them (s)", spent)
    _row("all of them, per release (s)", spent / _APPLICATIONS)
    for one in report["applications"]:
        if one not in released:
            print(f"{one['application']}: {one['outcome']}. {one['reason']}  BROKEN")
    return 0 if all(kept) and len(released) == _APPLICATIONS else 1


def _tell_tax(
    alone: Mapping[str, Any], released: Sequence[Mapping[str, Any]], deployments: Sequence[Mapping[str, str]]
) -> None:
    """Print what a release takes beyond Coolify's own time, which it tells in whole seconds."""
    own = {one["application"]: _seconds(one["ended"]) - _seconds(one["queued"]) for one in deployments}
    single = _seconds(alone["finished_at"]) - _seconds(alone["started_at"])
    _row("orchestration tax of one alone (s)", single - own[alone["application"]])
    _row(
        "orchestration tax in the set (s)",
        statistics.mean(one["seconds"] - own[one["application"]] for one in released),
    )
    _row("  median (s)", statistics.median(one["seconds"] - own[one["application"]] for one in released))
    _row("Coolify's own time (s)", statistics.mean(own[one["application"]] for one in released))


def _row(what: str, value: float, promised: float | None = None) -> bool:
    kept = promised is None or value <= promised
    told = "" if promised is None else f"  promised at most {promised}" + ("" if kept else "  BROKEN")
    print(f"{what:<36} {value:>8.1f}{told}", flush=True)
    return kept


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _busiest(moments: Sequence[float]) -> int:
    """Return the most requests in any 60 seconds."""
    ordered = sorted(moments)
    return max(bisect_left(ordered, one + 60) - index for index, one in enumerate(ordered))


def _write_set(directory: Path, facts: Mapping[str, Any]) -> None:
    for number in range(_APPLICATIONS):
        _write_application(directory / "services" / f"app{number:03}", facts)
    _write(directory / "set.yml", {"applications": ["services/*"], "parallel": _PARALLEL})


def _write_application(directory: Path, facts: Mapping[str, Any]) -> None:
    """Write an application with a repository of its own."""
    name = directory.name
    repository = SampleRepository(directory / "repository")
    repository.commit("1.0.0")
    _write(
        directory / ".coolify" / "config.yml",
        {
            "server": facts["url"],
            "auth": {"token": "${COOLIFY_TOKEN}"},
            "project": {"name": "fleet"},
            "application": {"name": name},
            "source": {"repository": str(repository.path), "branch": "main"},
            "build": {"start_command": SampleRepository.START_COMMAND},
            "domains": [{"primary": f"{name}.sandbox.test", "ssl": True}],
            "env": {"GREETING": "Hello"},
            "health": {
                "path": "/health",
                "successes": 2,
                "interval": 0.1,
                "container": {"interval": 1, "retries": 30, "start_period": 0},
            },
            "network": {
                "resolvers": [facts["dns"]],
                "ca_file": facts["ca_file"],
                "http_port": facts["http_port"],
                "https_port": facts["https_port"],
            },
        },
    )


def _write(path: Path, document: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as stream:
        ruamel.yaml.YAML(typ="safe").dump(document, stream)


async def _release(environment: Mapping[str, str], *arguments: str) -> tuple[dict[str, Any], float]:
    """Release by the command; return its report and the peak memory of its process in megabytes."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.peak_of",
        "-m", "coolify_cli.main", "release", "--local", "--json", "--no-input", *arguments,
        env={**os.environ, **environment},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    printed, told = await process.communicate()
    if not printed:
        raise SystemExit(f"The release ended with {process.returncode}: {told.decode()}")
    report: dict[str, Any] = json.loads(printed)
    return report, float(told.decode().splitlines()[-1]) / 1024


class _Sandbox:
    def __init__(self, process: asyncio.subprocess.Process, facts: dict[str, Any]) -> None:
        self._process = process
        self.facts = facts

    async def end(self) -> dict[str, Any]:
        """End it and return what it has seen."""
        output, _ = await self._process.communicate(b"")
        seen: dict[str, Any] = json.loads(output)
        return seen


@asynccontextmanager
async def _sandbox() -> AsyncIterator[_Sandbox]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.releases_sandbox", str(_BUILDS),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=2**26,
    )  # fmt: skip
    try:
        assert process.stdout is not None  # noqa: S101 - asked for above
        yield _Sandbox(process, json.loads(await process.stdout.readline()))
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
