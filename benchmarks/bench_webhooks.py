"""How the receiver stands a burst of webhooks: a thousand deliveries, twenty at once, from another process.

Promised on two cores, with a real Prefect server that stores them meanwhile: every one is answered with 202, the 99th
percentile of the answers is below 100 ms, and afterwards Prefect holds each push once: none lost, none doubled.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from coolify_cli.prefect_server import run_prefect_server

_NUMBER: Final = int(os.environ.get("BENCH_WEBHOOKS", "1000"))
_AT_ONCE: Final = 20
_P99_MS: Final = 100.0
_SECRET: Final = "bench-secret"  # noqa: S105 - of this measurement alone
_STORING_SECONDS: Final = 300.0


async def main() -> int:
    """Measure, print, and return 1 where a promise is broken."""
    with tempfile.TemporaryDirectory() as folder:
        async with run_prefect_server(Path(folder) / "prefect") as prefect:
            await prefect.ready()
            async with _receiver(Path(folder), prefect.environment) as url:
                taken = await _burst(url)
                started = time.perf_counter()
                counts = await _stored(prefect.url)
                storing = time.perf_counter() - started
    times = sorted(taken["milliseconds"])
    p50, p99 = statistics.median(times), times[int(len(times) * 0.99) - 1]
    rate = _NUMBER / taken["seconds"]
    print(f"{_NUMBER} webhooks, {_AT_ONCE} at once: {taken['seconds']:.1f} s, {rate:.0f} a second")
    print(f"answers: median {p50:.0f} ms, 99th percentile {p99:.0f} ms, longest {times[-1]:.0f} ms")
    lost, doubled = _NUMBER - len(counts), sum(number - 1 for number in counts.values())
    print(f"statuses {taken['statuses']}, {lost} lost, {doubled} doubled; all stored {storing:.1f} s after the last")
    promises = {
        f"99th percentile below {_P99_MS:.0f} ms": p99 < _P99_MS,
        "all answered with 202": taken["statuses"] == [202],
        "none lost, none doubled": not lost and not doubled,
    }
    for promise, kept in promises.items():
        print(f"promised {promise}: {'kept' if kept else 'BROKEN'}")
    return 0 if all(promises.values()) else 1


@asynccontextmanager
async def _receiver(folder: Path, prefect: Mapping[str, str]) -> AsyncIterator[str]:
    """Run the receiver as an operator does, and yield its address."""
    environment = os.environ | dict(prefect) | {"COOLIFY_WEBHOOK_SECRET": _SECRET}
    with (folder / "receiver.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "coolify_cli.main", "webhooks", "serve", "--port", "0", "--json",
            "--spool", str(folder / "spool"),
            env=environment, stdout=asyncio.subprocess.PIPE, stderr=log,
        )  # fmt: skip
    try:
        told = b""
        while not told.endswith(b"\n}\n"):
            line = await process.stdout.readline() if process.stdout else b""
            if not line:
                raise SystemExit((folder / "receiver.log").read_text())
            told += line
        yield json.loads(told)["url"]
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _burst(url: str) -> dict[str, Any]:
    address = urlsplit(url)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.webhook_client",
        str(address.hostname), str(address.port), _SECRET, str(_NUMBER), str(_AT_ONCE),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, _ = await process.communicate()
    if process.returncode:
        raise SystemExit(f"The client ended with {process.returncode}.")
    taken: dict[str, Any] = json.loads(output)
    return taken


async def _stored(url: str) -> Counter[str]:
    """Return how often Prefect holds each branch, once it holds as many as were sent, or time is up."""
    deadline = time.monotonic() + _STORING_SECONDS
    async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
        while True:
            counts: Counter[str] = Counter()
            wanted = {"filter": {"event": {"name": ["coolify.git.push"]}}, "limit": 50}
            page = (await client.post(f"{url}/api/events/filter", json=wanted)).json()
            while True:
                counts.update(one["resource"]["git.branch"] for one in page["events"])
                if not page["next_page"]:
                    break
                page = (await client.get(page["next_page"])).json()
            if len(counts) >= _NUMBER or time.monotonic() > deadline:
                return counts
            await asyncio.sleep(1)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
