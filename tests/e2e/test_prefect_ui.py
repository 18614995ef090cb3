"""The Prefect UI, as an operator uses it: forms, runs, a decision, reports, schedules."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from prefect.blocks.notifications import CustomWebhookNotificationBlock

from coolify_sandbox.samples import SampleRepository
from coolify_sandbox.sandbox import Sandbox
from deployments.automations import ALERTS, ALERTS_BLOCK
from deployments.declared import read_declarations
from tests.e2e.installation import PATIENCE, installed
from tests.integration.conftest import Shop

if TYPE_CHECKING:
    from tests.e2e.browsing import Operator

pytestmark = [pytest.mark.component("git"), pytest.mark.component("chromium"), pytest.mark.timeout(900)]


async def test_an_operator_releases_decides_and_reads_reports_in_the_browser(tmp_path) -> None:
    # The driver of the browser is needed here alone.
    from tests.e2e.browsing import operator

    home = tmp_path / "prefect"
    home.mkdir()
    async with Sandbox() as sandbox, installed(home) as there:
        shop = Shop(sandbox, SampleRepository(tmp_path / "repository"), tmp_path / "work")
        shop.repository.commit("1.0.0")
        shop.configure(decisions={"health-gate-failed": "ask"})
        # Nobody listens there: what is told is another test's subject.
        webhook = CustomWebhookNotificationBlock(name="ears", url="http://127.0.0.1:9/", json_data={"told": "{{body}}"})
        await webhook.asave(ALERTS_BLOCK)
        secrets = {"COOLIFY_TOKEN": sandbox.token}
        await asyncio.gather(
            there.coolify("server", "apply", "--yes", cwd=tmp_path),
            there.coolify("project", "config", "push", "--values", cwd=shop.directory, **secrets),
        )

        async with operator(there.facts["url"]) as ada:
            await look_at_deployments(ada)
            await release(ada, shop)
            await decide(ada, shop)
            await look_at_automations(ada)
            await schedule(ada)
            # Prefect's UI asks Amplitude for settings, whatever those of the server: docs/operators.md says so.
            assert ada.strangers <= {"sr-client-cfg.amplitude.com"}


async def look_at_deployments(ada: Operator) -> None:
    await ada.go_to("Deployments")
    await ada.sees(f"{len(read_declarations())} Deployments", "check health", "detect drift")
    await ada.picture("deployments")
    await ada.open_deployment("release")
    await ada.open_tab("Description")
    await ada.sees("proves it from the outside", "RollbackFailed")


async def fill_form(ada: Operator, why: str) -> None:
    await ada.open_deployment("release")
    await ada.open_form()
    await ada.sees("Request", "Saved application", "Release also in a freeze; recorded in the report.")
    await ada.choose_application("shop-production")
    await ada.fill("Who", "Ada")
    await ada.fill("Why", why)


async def release(ada: Operator, shop: Shop) -> None:
    await fill_form(ada, "First release")
    await ada.picture("run-form", height=1000)
    await ada.submit("Submit", "/create_flow_run")
    await ada.press("View run")
    await ada.sees("release shop-production", patience=PATIENCE)
    await ada.sees_run_end("Completed")
    assert await shop.version() == "1.0.0"
    await ada.picture("run", fresh=True)
    await ada.open_report("release-shop-production", of=1)
    await ada.sees("Release 1 of shop (production): completed", "First release", "Version 1.0.0")


async def decide(ada: Operator, shop: Shop) -> None:
    """A version that is not healthy: the release asks, and is told to go back."""
    shop.repository.commit("2.0.0", broken=True)
    await fill_form(ada, "Faster checkout")
    await ada.submit("Submit", "/create_flow_run")
    await ada.press("View run")
    await ada.open_tab("Subflow Runs")
    question = ada.page.get_by_role("link", name="ask: health-gate-failed")
    await question.click(timeout=PATIENCE * 1000)
    await ada.sees("Paused", "by Resume on the page of this run or in its menu", f"{ada.url}/v2/runs/flow-run/")
    await ada.choose_in_menu("Resume")
    await ada.sees("How should the release go on?", "answered 400 instead of 200")
    await ada.fill("Your name", "Ada")
    await ada.picture("decision", height=1000)
    await ada.press("Select Go on by")
    await ada.sees_options("rollback", "keep", "abort")
    await ada.choose("rollback")
    await ada.submit("Resume", "/resume")
    await ada.sees_run_end("Completed")
    await ada.page.get_by_role("link", name="release shop-production").click()
    await ada.sees_run_end("RolledBack")
    assert await shop.version() == "1.0.0"
    await ada.picture("rolled-back", fresh=True)
    await ada.open_report("release-shop-production", of=2)
    await ada.sees("Release 2 of shop (production): rolled back", "Faster checkout", "Ada (in Prefect) chose")
    await ada.picture("report", height=1000)


async def look_at_automations(ada: Operator) -> None:
    await ada.go_to("Automations")
    await ada.sees(*(alert.name for alert in ALERTS), "redeploy on push")
    await ada.picture("automations")


async def schedule(ada: Operator) -> None:
    """Switch on a declared schedule: it comes switched off, because nobody knows yet for which application."""
    await ada.open_deployment("detect drift")
    await ada.sees("At 06:00 AM")
    await ada.set_schedule("At 06:00 AM", "shop-production")
    await ada.open_tab("Upcoming")
    await ada.sees("Scheduled", "06:00:00 AM", patience=PATIENCE)
