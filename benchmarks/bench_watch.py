"""How long one run of the watch takes for five hundred applications, and how many requests it costs.

Promised: 60 s, with everything that answers on the same two processors, and 120 requests to Coolify of the 200 a minute
that it allows. The first run knows nothing yet; the second is what a schedule does.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from coolify.config.monitoring import Aspect
from coolify.monitor.changes import compare
from coolify.monitor.look import DEFAULT_REQUESTS
from coolify.monitor.memory import Notes, WatchState
from coolify.monitor.model import Look, Metric
from coolify.monitor.watch import Wanted, look_at_everything, prepare
from coolify_sandbox.sandbox import ZONE

_APPLICATIONS: Final = 500
_SECONDS: Final = 60.0
_ALWAYS: Final = frozenset({Aspect.HEALTH, Aspect.CERTIFICATE, Aspect.DNS, Aspect.CONTAINER})


async def main() -> int:
    """Measure, print a table, and return 1 where a promise is broken."""
    print(
        f"{_APPLICATIONS} applications     {'seconds':>9} {'cpu':>6} {'requests':>9} {'deployments':>12} {'drift':>6}"
    )
    kept = []
    with tempfile.TemporaryDirectory() as directory, _world(_APPLICATIONS) as world:
        environ = dict(os.environ) | {"COOLIFY_TOKEN": world["token"], "XDG_CONFIG_HOME": directory}
        environ.pop("COOLIFY_CONTEXT", None)
        files = tuple((str(_configure(Path(directory), place, world)), "") for place in range(_APPLICATIONS))
        state = WatchState()
        for run in ("first run", "second run"):
            started, busy = time.perf_counter(), time.process_time()
            prepared = prepare(Wanted(files), environ, only_enabled=True)
            looks = await look_at_everything(prepared, state.memories, environ)
            state, _ = compare(state, looks, prepared.policies, Notes(), datetime.now(UTC))
            seconds, busy = time.perf_counter() - started, time.process_time() - busy
            requests = _requests(looks)
            _refuse_nonsense(looks)
            kept.append(seconds <= _SECONDS and requests <= DEFAULT_REQUESTS)
            counts = [
                sum(look.of(aspect) is not None for look in looks) for aspect in (Aspect.DEPLOYMENT, Aspect.DRIFT)
            ]
            print(
                f"{run:<20} {seconds:>11.1f} {busy:>6.1f} {requests:>9.0f} {counts[0]:>12} {counts[1]:>6}"
                f"{'' if kept[-1] else '  BROKEN'}",
                flush=True,
            )
    # Kilobytes on Linux (getrusage(2)).
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"promised {_SECONDS:>22.1f} {DEFAULT_REQUESTS:>16}\nremembered: {len(state.model_dump_json()) / 1024:.0f} kB"
    )
    print(f"peak memory: {megabytes:.0f} MB")
    return 0 if all(kept) else 1


def _requests(looks: tuple[Look, ...]) -> float:
    return sum(
        measure.value
        for look in looks
        for seen in look.observations
        for measure in seen.measures
        if measure.metric is Metric.API_REQUESTS
    )


def _refuse_nonsense(looks: tuple[Look, ...]) -> None:
    """Fail where something was not looked at, or was not found to be good: then the time says nothing."""
    applications = [look for look in looks if look.subject.application]
    lacking = [look for look in applications if not {one.aspect for one in look.observations} >= _ALWAYS]
    # Nobody has released these applications from their files, so that they differ; everything else is good.
    wrong = [
        finding.summary
        for look in applications
        for seen in look.observations
        if seen.aspect in _ALWAYS
        for finding in look.problems
        if finding in seen.findings
    ]
    if len(applications) != _APPLICATIONS or lacking or wrong:
        raise RuntimeError(f"{len(applications)} looked at, {len(lacking)} not whole, wrong: {wrong[:3]}")


def _configure(directory: Path, place: int, world: Mapping[str, Any]) -> Path:
    path = directory / f"app{place}.yml"
    path.write_text(
        f"""server: {world["url"]}
project: {{name: project{place // 10}}}
application: {{name: app{place}}}
domains: [{{primary: app{place}.{ZONE}, ssl: true}}]
health: {{path: /health}}
monitoring: {{enabled: true}}
network:
  resolvers: ["{world["resolver"]}"]
  ca_file: {world["ca_file"]}
  http_port: {world["http_port"]}
  https_port: {world["https_port"]}
"""
    )
    return path


@contextmanager
def _world(number: int) -> Iterator[Mapping[str, Any]]:
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.watch_world", str(number)], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield json.loads(process.stdout.readline()) if process.stdout else {}
        finally:
            process.terminate()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
