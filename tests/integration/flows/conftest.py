"""Run flows against the shop, with Prefect's server behind them."""

import pytest

from coolify.release.report import ReleaseReport
from flows.release import ReleaseRequest, release
from flows.rollback import RollbackRequest, rollback
from tasks.session import Target


async def run(flow, request):
    state = await flow(request, return_state=True)
    report = await state.aresult(raise_on_failure=False)
    assert isinstance(report, ReleaseReport), report
    assert state.name == report.outcome.state_name
    return report


@pytest.fixture
def release_shop(shop, in_prefect):
    """Release the shop as it is configured now and return the report."""

    async def go(*, force: bool = False) -> ReleaseReport:
        return await run(release, ReleaseRequest(target=Target(config=str(shop.config)), force=force))

    return go


@pytest.fixture
def roll_back_shop(shop, in_prefect):
    """Bring an earlier version of the shop back and return the report."""

    async def go(version: str = "previous") -> ReleaseReport:
        return await run(rollback, RollbackRequest(target=Target(config=str(shop.config)), version=version))

    return go
