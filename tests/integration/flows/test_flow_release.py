"""The main job, from beginning to end, in the sandbox."""

import asyncio

import pytest

from coolify.release import Outcome
from coolify_sandbox.server.faults import Fault, FaultKind

WRITING = ("POST", "PATCH", "DELETE", "PUT")


def writes(shop) -> list[str]:
    probes = {"/projects", "/deploy"}
    seen = shop.sandbox.app.state.faults.requests
    return [
        f"{one.method} {one.path}"
        for one in seen
        if one.method in WRITING and not (one.path in probes and one.status in {400, 422})
    ]


async def test_a_first_release_creates_everything_and_serves_the_version(shop, release_shop) -> None:
    report = await release_shop()
    assert report.outcome is Outcome.COMPLETED
    assert report.deployed
    assert report.number == 1
    assert [phase.phase for phase in report.phases] == [
        "preflight", "set up project", "configure application", "deploy", "check health", "verify certificates",
    ]  # fmt: skip
    assert await shop.version() == "1.0.0"
    assert "Hello from version 1.0.0" in (await shop.visit()).text


async def test_a_second_release_without_a_change_writes_nothing(shop, release_shop) -> None:
    await release_shop()
    shop.sandbox.app.state.faults.requests.clear()
    report = await release_shop()
    assert report.outcome is Outcome.COMPLETED
    assert not report.deployed
    assert report.number is None
    assert writes(shop) == []


async def test_force_deploys_without_a_change(shop, release_shop) -> None:
    await release_shop()
    report = await release_shop(force=True)
    assert report.outcome is Outcome.COMPLETED
    assert report.deployed
    assert report.number == 2


async def test_a_changed_variable_alone_is_deployed(shop, release_shop) -> None:
    await release_shop()
    shop.configure(env={"GREETING": "Good morning"})
    report = await release_shop()
    assert report.deployed
    assert "Good morning from version 1.0.0" in (await shop.visit()).text


async def test_a_version_that_visitors_cannot_use_is_rolled_back_with_its_variables(shop, release_shop) -> None:
    await release_shop()
    shop.repository.commit("2.0.0", broken=True)
    shop.configure(env={"GREETING": "Ahoy", "EXTRA": "new"})
    report = await release_shop()
    assert report.outcome is Outcome.ROLLED_BACK
    assert "400" in report.reason
    assert await shop.version() == "1.0.0"
    assert "Hello from version 1.0.0" in (await shop.visit()).text
    async with shop.client() as client:
        (application,) = await client.applications.list()
        variables = {one.key for one in await client.variables.list(application.uuid) if not one.is_preview}
    assert "EXTRA" not in variables


async def test_a_broken_version_is_tried_again_and_not_taken_for_done(shop, release_shop) -> None:
    await release_shop()
    shop.repository.commit("2.0.0", broken=True)
    assert (await release_shop()).outcome is Outcome.ROLLED_BACK
    assert (await release_shop()).outcome is Outcome.ROLLED_BACK
    shop.repository.commit("2.0.1")
    assert (await release_shop()).outcome is Outcome.COMPLETED
    assert await shop.version() == "2.0.1"


async def test_a_failed_build_leaves_the_old_version_and_configuration(shop, release_shop) -> None:
    await release_shop()
    shop.repository.commit("2.0.0")
    shop.configure(build={"build_command": "false", "start_command": shop.repository.START_COMMAND})
    report = await release_shop()
    assert report.outcome is Outcome.ROLLED_BACK
    assert [decision.choice for decision in report.decisions]
    assert await shop.version() == "1.0.0"
    async with shop.client() as client:
        (application,) = await client.applications.list()
    assert not application.raw["build_command"]


async def test_a_first_release_that_fails_is_aborted_and_said_so(shop, release_shop) -> None:
    shop.repository.commit("1.0.0", broken=True)
    report = await release_shop()
    assert report.outcome is Outcome.ABORTED
    assert "400" in report.reason
    shop.repository.commit("1.0.1")
    assert (await release_shop()).outcome is Outcome.COMPLETED


async def test_a_declared_decision_keeps_a_broken_version(shop, release_shop) -> None:
    await release_shop()
    shop.repository.commit("2.0.0", broken=True)
    shop.configure(decisions={"health-gate-failed": "keep"})
    report = await release_shop()
    assert report.outcome is Outcome.ABORTED
    assert (await shop.visit("/version")).status_code == 400
    assert report.decisions[-1].by == "policy"


async def test_a_domain_that_leads_elsewhere_ends_the_release_before_anything_changes(shop, release_shop) -> None:
    shop.sandbox.names.set("elsewhere.sandbox.test", "A", "192.0.2.7")
    elsewhere = {"primary": "elsewhere.sandbox.test", "ssl": True}
    shop.configure(domains=[elsewhere], decisions={"domain-not-pointing": "abort"})
    report = await release_shop()
    assert report.outcome is Outcome.ABORTED
    assert "elsewhere.sandbox.test" in report.reason
    assert writes(shop) == []
    assert "domain-points-elsewhere" in {finding.name for finding in report.findings}


async def test_a_domain_for_which_no_certificate_can_be_issued_ends_the_release_before_anything_changes(
    shop, release_shop
) -> None:
    shop.sandbox.names.set(shop.host, "A", "127.0.0.1")
    shop.sandbox.names.set(shop.host, "CAA", '0 issue "ca.example"')
    shop.configure(dns={"certificate_authority": "letsencrypt.org"}, decisions={"domain-not-pointing": "abort"})
    report = await release_shop()
    assert report.outcome is Outcome.ABORTED
    assert "keeps letsencrypt.org from issuing a certificate" in report.reason
    assert writes(shop) == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/projects"),
        ("POST", "/applications/public"),
        ("POST", "/deploy"),
        ("PATCH", "/applications/[^/]+"),
        ("POST", "/applications/[^/]+/envs"),
    ],
)
@pytest.mark.parametrize("kind", [FaultKind.RESET_BEFORE, FaultKind.RESET_AFTER])
async def test_a_lost_answer_creates_nothing_twice(shop, release_shop, method, path, kind) -> None:
    # The ability probes send the same two requests with bodies that are refused: strike the real ones.
    nth = 2 if path in {"/projects", "/deploy"} else 1
    shop.sandbox.app.state.faults.add(Fault(kind, method, path, nth))
    report = await release_shop()
    assert report.outcome is Outcome.COMPLETED
    assert await shop.version() == "1.0.0"
    async with shop.client() as client:
        assert len(await client.projects.list()) == 1
        (application,) = await client.applications.list()
        page = await client.deployments.for_application(application.uuid)
        variables = [one.key for one in await client.variables.list(application.uuid) if not one.is_preview]
    assert len(page.deployments) == 1
    assert variables.count("GREETING") == 1


async def test_a_release_is_refused_while_another_runs(shop, release_shop) -> None:
    await release_shop()
    shop.repository.commit("1.1.0")
    shop.configure(health=shop_health(successes=1000, deadline=600))
    running = asyncio.create_task(release_shop())
    await _version_serves(shop, "1.1.0")  # from here on it is in its health gate, and holds the lock
    refused = await release_shop()
    assert not running.done()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert refused.outcome is Outcome.ABORTED
    assert "Another run is releasing" in refused.reason
    shop.configure(health=shop_health())
    assert (await release_shop()).outcome is Outcome.COMPLETED


async def _version_serves(shop, version: str) -> None:
    async with asyncio.timeout(120):
        while await shop.version() != version:
            await asyncio.sleep(0.05)


def shop_health(**changes):
    return {
        "path": "/health", "successes": 2, "interval": 0.1, "failures_allowed": 3, "deadline": 30,
        "container": {"interval": 1, "retries": 3, "start_period": 0}, **changes,
    }  # fmt: skip


async def test_a_release_whose_process_died_is_taken_up_again(shop, release_shop) -> None:
    await release_shop()
    shop.repository.commit("2.0.0", broken=True)
    shop.configure(env={"GREETING": "Ahoy"}, health=shop_health(failures_allowed=500))
    dying = asyncio.create_task(release_shop())
    async with asyncio.timeout(60):
        while (await shop.visit("/version")).status_code != 400:
            await asyncio.sleep(0.05)
    dying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await dying
    shop.configure(health=shop_health())
    report = await release_shop()
    assert report.number == 2
    assert report.outcome is Outcome.ROLLED_BACK
    assert "Hello from version 1.0.0" in (await shop.visit()).text
