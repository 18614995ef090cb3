"""One application in one sandbox, released again and again, with something going wrong in between."""

import asyncio
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr

from coolify.release.report import ReleaseReport
from coolify.release.target import RollbackTargetError, find_target
from coolify_sandbox.samples import SampleRepository
from coolify_sandbox.sandbox import Sandbox
from coolify_sandbox.server.faults import FaultInjector, SeenRequest
from coolify_sandbox.server.settings import ServerSettings
from flows.release import ReleaseRequest, release
from tasks.session import Target
from tests.integration.conftest import Shop
from tests.integration.robustness.bare import MemoryRecords, current_records

Request = tuple[str, str]
"""Method, and path as a regular expression that fits it in every run."""

QUICK_HEALTH = {
    "path": "/health",
    "successes": 1,
    "interval": 0.05,
    # Nothing here is unhealthy: a busy machine that answers late must not roll anything back.
    "failures_allowed": 200,
    "deadline": 20,
    "container": {"enabled": False},
}


@dataclass
class Story:
    """A fresh application of its own: project, repository, records."""

    shop: Shop
    records: MemoryRecords = field(default_factory=MemoryRecords)

    async def release(self, *, force: bool = False) -> ReleaseReport:
        mark = current_records.set(self.records)
        try:
            state = await release(ReleaseRequest(target=Target(config=str(self.shop.config)), force=force))
            report = state.data
            assert isinstance(report, ReleaseReport)
            return report
        finally:
            current_records.reset(mark)

    @property
    def faults(self) -> FaultInjector:
        injector = self.shop.sandbox.app.state.faults
        assert isinstance(injector, FaultInjector)
        return injector

    def seen(self) -> list[SeenRequest]:
        return list(self.faults.requests)

    async def problems(self, *, version: str, deployments: int | None = None, way_back: bool = False) -> list[str]:
        """Return what is not as it must be after all is over.

        Args:
            version: What has to serve.
            deployments: How many there may be, none twice.
            way_back: Whether the release before has to be there to go back to.
        """
        state = self.shop.sandbox.state
        counts = {kind: len(state.all(kind)) for kind in ("project", "application")}
        found = [f"{count} {kind}s" for kind, count in counts.items() if count != 1]
        names = [row["name"] for row in state.all("environment")]
        if names.count("production") != 1:
            found.append(f"environments {names}")
        keys = [row["key"] for row in state.all("variable") if not row["is_preview"]]
        if keys.count("GREETING") != 1:
            found.append(f"variables {keys}")
        rows = state.all("deployment")
        if any(row["status"] in {"queued", "in_progress"} for row in rows):
            found.append(f"deployments left running: {[row['status'] for row in rows]}")
        if deployments is not None and len(rows) != deployments:
            found.append(f"{len(rows)} deployments instead of {deployments}")
        if way_back:
            found += self._lost_ways_back(str(state.all("application")[0].uuid))
        served = await self.shop.version()
        if served != version:
            found.append(f"serves {served!r} instead of {version}")
        return found

    def _lost_ways_back(self, application_uuid: str) -> list[str]:
        """Return why the first version could not be rolled back to."""
        try:
            chosen = find_target(tuple(self.records.records[application_uuid].values()), "previous")
        except RollbackTargetError as error:
            return [f"no way back: {error}"]
        first = self.shop.repository._git("rev-list", "--max-parents=0", "HEAD")
        greeting = chosen.proved.variable("GREETING") if chosen.proved is not None else None
        if chosen.serving != first or greeting is None or greeting.value != SecretStr("Hello"):
            return [f"the way back leads to {chosen.serving} instead of {first}, GREETING {greeting}"]
        return []


@asynccontextmanager
async def story(directory: Path) -> AsyncIterator[Story]:
    async with Sandbox(settings=ServerSettings(rate_limit=10**6)) as sandbox:
        os.environ["COOLIFY_TOKEN_" + str(id(sandbox))] = sandbox.token
        try:
            shop = Shop(sandbox, SampleRepository(directory / "repository"), directory / "work")
            shop.repository.commit("1.0.0")
            token = "${COOLIFY_TOKEN_" + str(id(sandbox)) + "}"
            shop.configure(health=QUICK_HEALTH, auth={"token": token})
            yield Story(shop)
        finally:
            del os.environ["COOLIFY_TOKEN_" + str(id(sandbox))]


def pattern_of(path: str) -> str:
    """Return a path with its UUIDs replaced, as a regular expression."""
    return re.sub(r"/[a-z0-9]{24}(?=/|$)", "/[a-z0-9]{24}", path)


def distinct(requests: list[SeenRequest]) -> list[tuple[str, str, int]]:
    """Return method, path and ordinal of requests that differ in more than their number.

    Of a kind the first is taken, and of those that change something the second, too: before it come the ability probes.
    """
    counts: dict[Request, int] = {}
    chosen = []
    for one in requests:
        request = (one.method, pattern_of(one.path))
        counts[request] = counts.get(request, 0) + 1
        if counts[request] <= (1 if one.method == "GET" else 2):
            chosen.append((*request, counts[request]))
    return chosen


async def side_by_side(jobs: list, limit: int) -> list:
    """Run coroutine functions, a few at a time, and return their results in order."""
    gate = asyncio.Semaphore(limit)

    async def gated(job):
        async with gate:
            return await job()

    return await asyncio.gather(*(gated(job) for job in jobs))
