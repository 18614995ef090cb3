"""Every fault at every request of a release: afterwards, with at most one more run, everything is as it must be."""

import itertools
from functools import partial
from pathlib import Path

import pytest

from coolify.release import Outcome
from coolify_sandbox.server.faults import Fault, FaultKind
from tests.integration.robustness.bare import bare_flows
from tests.integration.robustness.interrupted import distinct, side_by_side, story

pytestmark = pytest.mark.timeout(900)

TITLE = "releases with a fault, by fault (at each request of a first and of a second release)"
AT_ONCE = 4
FAULTS = {
    "delay": Fault(FaultKind.DELAY, seconds=0.3),
    "500": Fault(FaultKind.STATUS, status=500),
    "502": Fault(FaultKind.STATUS, status=502),
    "429 with Retry-After": Fault(FaultKind.STATUS, status=429, retry_after=0),
    "429": Fault(FaultKind.STATUS, status=429),
    "401 once": Fault(FaultKind.UNAUTHORIZED),
    "lost before it is applied": Fault(FaultKind.RESET_BEFORE),
    "lost after it was applied": Fault(FaultKind.RESET_AFTER),
    "answer cut": Fault(FaultKind.CUT),
    "HTML": Fault(FaultKind.HTML),
    "wrong content type": Fault(FaultKind.CONTENT_TYPE),
    "empty body": Fault(FaultKind.EMPTY),
}


async def requests_of_a_release(directory: Path, *, second: bool) -> list[tuple[str, str, int]]:
    async with story(directory) as one:
        if second:
            await one.release()
            one.shop.repository.commit("2.0.0")
            one.faults.requests.clear()
        assert (await one.release()).outcome is Outcome.COMPLETED
        return distinct(one.seen())


async def cell(directory: Path, fault: Fault, request: tuple[str, str, int], *, second: bool) -> list[str]:
    """Release with one fault; run again if it did not complete; return what is wrong then."""
    method, path, nth = request
    async with story(directory) as one:
        version = "1.0.0"
        if second:
            await one.release()
            one.shop.repository.commit("2.0.0")
            one.shop.configure(env={"GREETING": "Good morning"})
            version = "2.0.0"
        one.faults.add(Fault(fault.kind, method, path, nth, fault.status, fault.retry_after, fault.seconds))
        report = await one.release()
        again = ""
        if report.outcome is not Outcome.COMPLETED:
            again = report.reason
            report = await one.release()
        if report.outcome is not Outcome.COMPLETED:
            return [f"{report.outcome.value}: {report.reason} (first: {again})"]
        return await one.problems(version=version, deployments=2 if second else 1, way_back=second)


@pytest.mark.parametrize("name", FAULTS)
async def test_no_fault_leaves_anything_twice_or_halfway(name, tmp_path, table) -> None:
    numbers = itertools.count()
    jobs, names = [], []
    with bare_flows():
        for second in (False, True):
            for request in await requests_of_a_release(tmp_path / f"{next(numbers)}", second=second):
                names.append(("second" if second else "first", request))
                jobs.append(partial(cell, tmp_path / f"{next(numbers)}", FAULTS[name], request, second=second))
        results = await side_by_side(jobs, AT_ONCE)
    failed = {request: found for request, found in zip(names, results, strict=True) if found}
    table(TITLE, f"{name:<28}{len(names):>4} cells, {len(failed)} failures")
    assert failed == {}
