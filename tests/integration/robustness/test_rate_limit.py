"""Ten releases at once with one token, which Coolify allows 200 requests a minute."""

import asyncio
import time
from functools import partial
from unittest.mock import patch

from coolify.api import CoolifyClient, RetryPolicy
from coolify.release import Outcome
from coolify_sandbox.samples import SampleRepository
from coolify_sandbox.sandbox import Sandbox
from coolify_sandbox.server.settings import ServerSettings
from tests.integration.conftest import Shop
from tests.integration.robustness.bare import bare_flows
from tests.integration.robustness.interrupted import QUICK_HEALTH, Story

HASTE = 20
"""A minute of the sandbox and of the clients takes three seconds."""
RELEASES = 10


async def quick_sleep(seconds: float) -> None:
    await asyncio.sleep(seconds / HASTE)


async def test_ten_releases_at_once_all_complete_and_share_the_budget(tmp_path, monkeypatch) -> None:
    settings = ServerSettings(clock=lambda: time.monotonic() * HASTE, concurrent_builds=4)
    hasty = partial(CoolifyClient, retry=RetryPolicy(first_delay=0.5), sleep=quick_sleep)
    async with Sandbox(settings=settings) as sandbox:
        monkeypatch.setenv("COOLIFY_TOKEN", sandbox.token)
        stories = []
        for number in range(RELEASES):
            directory = tmp_path / str(number)
            host = f"shop{number}.sandbox.test"
            shop = Shop(sandbox, SampleRepository(directory / "repository"), directory / "work", host)
            shop.repository.commit("1.0.0")
            name = {"name": f"shop {number}"}
            shop.configure(health=QUICK_HEALTH, project=name, application=name)
            stories.append(Story(shop))
        with bare_flows(), patch("tasks.session.CoolifyClient", hasty), patch("tasks.following._POLL_SECONDS", 3.0):
            reports = await asyncio.gather(*(one.release() for one in stories))
        assert [report.outcome for report in reports] == [Outcome.COMPLETED] * RELEASES, [r.reason for r in reports]
        seen = sandbox.app.state.faults.requests
        served = [one for one in seen if one.status != 429]
        refused = len(seen) - len(served)
        # More than one minute's worth was needed, so that the limit was met.
        assert len(served) > settings.rate_limit
        # Pacing is there so that refusals stay the exception.
        assert refused < len(served) / 5, (refused, len(served))
        # Nobody asked again what had been answered: a release needs some 40 requests and those that follow its build.
        assert len(served) < RELEASES * 70, len(served)
        assert [await one.shop.version() for one in stories] == ["1.0.0"] * RELEASES
