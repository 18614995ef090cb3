"""The releasing process is killed at every request, after Coolify has applied it: the next run takes over."""

import asyncio
import itertools
import multiprocessing
import re
from functools import partial
from pathlib import Path

import pytest

from coolify.release import Outcome
from coolify_sandbox.server.faults import Fault, FaultKind
from tests.integration.robustness.bare import bare_flows
from tests.integration.robustness.interrupted import QUICK_HEALTH, Story, distinct, side_by_side, story
from tests.integration.robustness.victim import FileRecords, run_release

pytestmark = pytest.mark.timeout(900)

TITLE = "releases whose process was killed, by the request at which it happened"
AT_ONCE = 4
WORLD = multiprocessing.get_context("forkserver")
WORLD.set_forkserver_preload(["flows.release", "tests.integration.robustness.victim"])


async def release_and_kill(one: Story, records: Path) -> bool:
    """Release in another process and kill it when a request hangs; return whether one did."""
    text = one.shop.config.read_text()
    (variable,) = re.findall(r"\$\{(COOLIFY_TOKEN_\d+)\}", text)
    process = WORLD.Process(
        target=run_release, args=(str(one.shop.config), str(records), variable, one.shop.sandbox.token)
    )
    process.start()
    ended = asyncio.create_task(asyncio.to_thread(process.join))
    hung = asyncio.create_task(one.faults.hung.wait())
    await asyncio.wait({ended, hung}, return_when=asyncio.FIRST_COMPLETED)
    if process.is_alive():
        process.kill()
    await ended
    was_killed = hung.done()
    hung.cancel()
    return was_killed


async def cell(directory: Path, request: tuple[str, str, int], *, second: bool) -> list[str]:
    method, path, nth = request
    async with story(directory) as one:
        records = directory / "records.json"
        one.records = FileRecords(records)
        version, deployments = "1.0.0", 1
        if second:
            await one.release()
            one.shop.repository.commit("2.0.0")
            one.shop.configure(env={"GREETING": "Good morning"})
            version, deployments = "2.0.0", 2
        one.faults.add(Fault(FaultKind.HANG, method, path, nth))
        if not await release_and_kill(one, records):
            return ["the process was not killed"]
        one.records = FileRecords(records)
        report = await one.release()
        if report.outcome is not Outcome.COMPLETED:
            return [f"{report.outcome.value}: {report.reason}"]
        return await one.problems(version=version, deployments=deployments, way_back=second)


async def broken_cell(directory: Path, request: tuple[str, str, int]) -> list[str]:
    """Kill a release while it rolls a broken version back; the next one brings the old state back all the same."""
    method, path, nth = request
    async with story(directory) as one:
        records = directory / "records.json"
        one.records = FileRecords(records)
        await one.release()
        break_it(one)
        one.faults.add(Fault(FaultKind.HANG, method, path, nth))
        if not await release_and_kill(one, records):
            return ["the process was not killed"]
        one.records = FileRecords(records)
        report = await one.release()
        if report.outcome is not Outcome.ROLLED_BACK:
            return [f"{report.outcome.value}: {report.reason}"]
        found = await one.problems(version="1.0.0")
        page = (await one.shop.visit()).text
        return found if "Hello from version 1.0.0" in page else [*found, f"serves {page!r}"]


def break_it(one: Story) -> None:
    one.shop.repository.commit("2.0.0", broken=True)
    one.shop.configure(env={"GREETING": "Good morning"}, health=QUICK_HEALTH | {"failures_allowed": 10})


async def requests_of_a_rollback(directory: Path) -> list[tuple[str, str, int]]:
    """Return the requests of a broken release that come after its deployment was queued."""
    async with story(directory) as one:
        await one.release()
        break_it(one)
        one.faults.requests.clear()
        assert (await one.release()).outcome is Outcome.ROLLED_BACK
        seen = one.seen()
        queued = next(at for at, each in enumerate(seen) if (each.path, each.status) == ("/deploy", 200))
        before = set(distinct(seen[: queued + 1]))
        return [request for request in distinct(seen) if request not in before]


async def test_the_next_run_rolls_back_what_a_killed_one_was_rolling_back(tmp_path, table) -> None:
    with bare_flows():
        requests = await requests_of_a_rollback(tmp_path / "requests")
        jobs = [partial(broken_cell, tmp_path / f"{number}", request) for number, request in enumerate(requests)]
        results = await side_by_side(jobs, AT_ONCE)
    failed = {name: found for name, found in zip(requests, results, strict=True) if found}
    table(TITLE, f"{'rollback':<28}{len(requests):>4} cells, {len(failed)} failures")
    assert any("rollback" in path for _, path, _ in requests)
    assert failed == {}


async def test_the_next_run_takes_over_from_one_that_was_killed(tmp_path, table) -> None:
    numbers = itertools.count()
    jobs, names = [], []
    with bare_flows():
        for second in (False, True):
            async with story(tmp_path / f"{next(numbers)}") as one:
                if second:
                    await one.release()
                    one.shop.repository.commit("2.0.0")
                    one.faults.requests.clear()
                await one.release()
                requests = distinct(one.seen())
            for request in requests:
                names.append(("second" if second else "first", *request))
                jobs.append(partial(cell, tmp_path / f"{next(numbers)}", request, second=second))
        results = await side_by_side(jobs, AT_ONCE)
    failed = {name: found for name, found in zip(names, results, strict=True) if found}
    for which in ("first", "second"):
        cells = [name for name in names if name[0] == which]
        bad = [name for name in failed if name[0] == which]
        table(TITLE, f"{which + ' release':<28}{len(cells):>4} cells, {len(bad)} failures")
    assert failed == {}
