"""What a proof by restore costs beside a plain `pg_restore` of the same dump, and how much memory a large dump takes.

Promised: fetching a dump, restoring it into a scratch server and asking it takes at most 1.2 times as long as
`pg_restore` alone into a server that is already there, and a dump of 5 GB is fetched with flat memory.

The plain restore is what an operator types: one job, a server as `initdb` leaves it. Beside it stands the same with the
jobs and settings of our scratch server: the difference to that is what fetching, preparing, starting and asking cost.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Final

import boto3
from moto.server import ThreadedMotoServer

from benchmarks.generated_object import GeneratedObject, serving
from coolify.backup.engines.postgresql import ScratchPostgres
from coolify.backup.scratch import run_tool

_ROUNDS: Final = 3
_ROWS: Final = int(os.environ.get("BENCH_ROWS", "5000000"))
_LARGE_BYTES: Final = int(float(os.environ.get("BENCH_LARGE_GB", "5")) * 1024**3)
_FACTOR: Final = 1.2
_MEMORY_MB: Final = 64
"""How much more a large dump may take than a small one."""
_SQL: Final = f"""
CREATE TABLE orders AS
    SELECT g AS id, g % 5000 AS customer, md5(g::text) AS reference, now() - g * interval '1 minute' AS made
    FROM generate_series(1, {_ROWS}) g;
ALTER TABLE orders ADD PRIMARY KEY (id);
CREATE INDEX ON orders (customer);
CREATE INDEX ON orders (made);
CREATE TABLE customers AS SELECT DISTINCT customer AS id FROM orders;
ALTER TABLE customers ADD PRIMARY KEY (id);
"""  # noqa: S608 - a number
_PROVE: Final = """
import asyncio, json, re, sys, tempfile, time
from pathlib import Path
from pydantic import SecretStr
from coolify.backup.objects import Bucket
from coolify.backup.proof import Origin, prove
from coolify.config.backups import Proof
from coolify.engines import DatabaseEngine

url, key, rows = sys.argv[1:]
started = time.perf_counter()
with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "dump"
    bucket = Bucket(url, "bench", "eu", SecretStr("k"), SecretStr("s"))
    fetched = bucket.fetch(key, path, deadline=time.monotonic() + 3600)
    proof = Proof(rows={"orders": int(rows)})
    point = asyncio.run(prove(path, Origin("main", DatabaseEngine.POSTGRESQL, key, fetched.sha256), proof))
spent = time.perf_counter() - started
peak = int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) / 1024
print(json.dumps({"proved": point.proved, "seconds": spent, "fetch": fetched.seconds, "peak": peak,
                  "restore": point.restore_seconds, "why": [one.summary for one in point.findings if one.is_problem]}))
"""
_FETCH: Final = """
import json, re, sys, tempfile, time
from pathlib import Path
from pydantic import SecretStr
from coolify.backup.objects import Bucket

with tempfile.TemporaryDirectory() as folder:
    bucket = Bucket(sys.argv[1], "bench", "eu", SecretStr("k"), SecretStr("s"))
    fetched = bucket.fetch("dump", Path(folder) / "dump", deadline=time.monotonic() + 3600)
peak = int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) / 1024
print(json.dumps({"size": fetched.size, "seconds": fetched.seconds, "peak": peak}))
"""


class _Plain(ScratchPostgres):
    """A server as `initdb` leaves it: durable, default settings."""

    settings: ClassVar[Mapping[str, str]] = {}
    durable: ClassVar[bool] = True


async def main() -> int:
    """Measure, print, and return 1 where a promise is broken."""
    with tempfile.TemporaryDirectory() as folder:
        dump = Path(folder) / "bench.dmp"
        await _make_dump(dump)
        size = dump.stat().st_size
        print(f"dump of {_ROWS} rows and 5 indexes: {size / 1024**2:.0f} MB, {os.cpu_count()} cores, {_ROUNDS} rounds")
        kept = await _compare(dump, size)
    return 0 if await _large() and kept else 1


async def _make_dump(path: Path) -> None:
    async with ScratchPostgres(3600) as server:
        connection = ["-h", str(server.socket), "-U", "postgres"]
        await _run(server.tools.path("psql"), "-q", *connection, "-c", _SQL, "postgres")
        await _run(server.tools.path("pg_dump"), "-Fc", *connection, "-f", str(path), "postgres")


async def _compare(dump: Path, size: int) -> bool:
    s3 = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    s3.start()
    host, port = s3.get_host_and_port()
    url = f"http://{host}:{port}"
    client = boto3.session.Session("k", "s", region_name="eu").client("s3", endpoint_url=url)
    client.create_bucket(Bucket="bench", CreateBucketConfiguration={"LocationConstraint": "eu"})  # type: ignore[typeddict-item]
    client.put_object(Bucket="bench", Key="dump", Body=dump.read_bytes())
    plain, tuned, proofs = [], [], []
    try:
        # In turns: what else the machine does falls on all alike.
        for _ in range(_ROUNDS):
            plain.append(await _restore(_Plain(3600), dump, jobs=1))
            proofs.append(await _child(_PROVE, url, "dump", str(_ROWS)))
            tuned.append(await _restore(ScratchPostgres(3600), dump, jobs=max(1, min(os.cpu_count() or 1, 4))))
    finally:
        s3.stop()
    if not all(one["proved"] for one in proofs):
        raise SystemExit(f"The dump was not proved: {proofs}")
    ours = statistics.median(float(one["seconds"]) for one in proofs)
    fetching = statistics.median(float(one["fetch"]) for one in proofs)
    bare = statistics.median(plain)
    kept = ours <= bare * _FACTOR
    print(f"{'':<44} {'seconds':>8} {'MB/s':>7} {'ratio':>6}")
    _row("pg_restore, one job, default server", bare, size, bare)
    _row("pg_restore, our jobs and settings", statistics.median(tuned), size, bare)
    _row(f"verify: fetch ({fetching:.1f} s), start, restore, ask", ours, size, bare)
    peak = max(float(one["peak"]) for one in proofs)
    print(f"peak memory of our process: {peak:.0f} MB")
    print(f"promised at most {_FACTOR} times pg_restore: {'kept' if kept else 'BROKEN'}")
    return kept


def _row(name: str, seconds: float, size: int, bare: float) -> None:
    print(f"{name:<44} {seconds:>8.2f} {size / 1024**2 / seconds:>7.1f} {seconds / bare:>6.2f}", flush=True)


async def _restore(server: ScratchPostgres, dump: Path, *, jobs: int) -> float:
    """Return the seconds that `pg_restore` takes into a server that runs already."""
    async with server:
        connection = ["-h", str(server.socket), "-U", "postgres"]
        await _run(server.tools.path("createdb"), *connection, "bench")
        started = time.perf_counter()
        await _run(server.tools.path("pg_restore"), *connection, f"--jobs={jobs}", "-d", "bench", str(dump))
        return time.perf_counter() - started


async def _large() -> bool:
    peaks = []
    for size in (8 * 1024**2, _LARGE_BYTES):
        with serving(GeneratedObject(size)) as url:
            fetched = await _child(_FETCH, url)
        peaks.append(float(fetched["peak"]))
        rate = size / 1024**2 / float(fetched["seconds"])
        print(f"fetched {size / 1024**2:>5.0f} MB at {rate:.0f} MB/s, peak memory {peaks[-1]:.0f} MB", flush=True)
    kept = peaks[1] - peaks[0] <= _MEMORY_MB
    print(f"promised at most {_MEMORY_MB} MB more for the large one: {'kept' if kept else 'BROKEN'}")
    return kept


async def _child(code: str, *arguments: str) -> dict[str, Any]:
    """Run code in a process of its own, whose memory is nobody else's, and return what it prints."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, *arguments, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    if process.returncode:
        raise SystemExit(f"The measured process ended with {process.returncode}.")
    result: dict[str, Any] = json.loads(output)
    return result


async def _run(*command: str) -> None:
    finished = await run_tool(command)
    if finished.code != 0:
        raise SystemExit(f"{command[0]} ended with {finished.code}: {finished.reason}")


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
