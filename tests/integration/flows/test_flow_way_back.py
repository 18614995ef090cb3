"""What a rollback tells before it begins, what it takes for a version, and how loudly it fails."""

from pathlib import Path

import pytest
from prefect.blocks.notifications import CustomWebhookNotificationBlock
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from coolify.progress import DecisionTaken, observe
from coolify.release import Outcome
from coolify_sandbox.sandbox import Sandbox
from coolify_sandbox.server.settings import ServerSettings
from coolify_sandbox.serving import serve_forever
from flows.rollback import RollbackRequest, rollback
from tasks.session import Target
from tasks.way_back import survey_way_back
from tests.integration.conftest import SampleRepository, Shop
from tests.integration.robustness.bare import bare_flows, current_records
from tests.integration.robustness.interrupted import QUICK_HEALTH, Story


@pytest.fixture
async def one(tmp_path, monkeypatch):
    """A shop that serves 1.0.0."""
    async with Sandbox(settings=ServerSettings(rate_limit=10**6)) as sandbox:
        monkeypatch.setenv("COOLIFY_TOKEN", sandbox.token)
        shop = Shop(sandbox, SampleRepository(tmp_path / "repository"), tmp_path / "work")
        shop.repository.commit("1.0.0")
        shop.configure(health=QUICK_HEALTH | {"failures_allowed": 5})
        with bare_flows():
            story = Story(shop)
            current_records.set(story.records)
            assert (await story.release()).outcome is Outcome.COMPLETED
            yield story


@pytest.fixture
async def told(in_prefect):
    """What a webhook gets that `monitoring.alerts` names, by a block of the Prefect server."""
    messages = []

    async def take(request: Request) -> PlainTextResponse:
        messages.append(await request.json())
        return PlainTextResponse("ok")

    async with serve_forever(Starlette(routes=[Route("/", take, methods=["POST"])])) as port:
        template = {"subject": "{{subject}}", "body": "{{body}}"}
        hook = CustomWebhookNotificationBlock(name="x", url=f"http://127.0.0.1:{port}/", json_data=template)
        await hook.asave("way-back", overwrite=True)
        yield messages


def target(one: Story) -> Target:
    return Target(config=str(one.shop.config))


async def roll_back(one: Story, version: str):
    return (await rollback(RollbackRequest(target=target(one), version=version, by="Ada", why="Prices"))).data


async def test_the_plan_names_everything_that_comes_back_and_what_does_not(one) -> None:
    one.shop.repository._git("tag", "-a", "v1", "-m", "First")
    one.shop.repository.commit("1.1.0")
    one.shop.configure(
        env={"GREETING": "Ahoy", "EXTRA": "new"},
        domains=[{"primary": one.shop.host, "ssl": True}, {"second": "second.sandbox.test", "ssl": True}],
        resources={"memory": "256Mi"},
        security={"headers": {"frame_options": "deny"}},
    )
    second = await one.release()
    assert second.outcome is Outcome.COMPLETED, second.reason
    one.shop.configure(resources={"memory": "256Mi", "volumes": [{"name": "uploads", "mount_path": "/uploads"}]})
    state, version, data = await survey_way_back(target(one), "v1")
    told = " ".join(state.evidence)
    for part in ("limits_memory", "second.sandbox.test", "variable GREETING", "variable EXTRA deleted", "labels"):
        assert part in told, told
    assert "Hello" not in told
    assert (version.name, data.name) == ("release-version-there", "release-data-stays")
    assert "volume uploads" in data.summary

    report = await roll_back(one, "v1")
    assert report.outcome is Outcome.COMPLETED, report.reason
    assert "Hello from version 1.0.0" in (await one.shop.visit()).text
    assert state in report.findings
    assert (report.by, report.why, report.before) == ("Ada", "Prices", second.serving)
    (after, *_) = await survey_way_back(target(one), "1")
    assert after.evidence == ("settings and variables are as they were",)


async def test_an_image_that_is_not_kept_is_told_and_built_again(one) -> None:
    first = one.shop.repository._git("rev-parse", "HEAD")
    one.shop.repository.commit("1.1.0")
    assert (await one.release()).outcome is Outcome.COMPLETED
    (application,) = one.shop.sandbox.state.all("application")
    one.shop.sandbox.runtime._images.discard(str(application.uuid), first)
    names = [finding.name for finding in await survey_way_back(target(one), "previous")]
    assert names == ["release-way-back", "release-image-gone"]
    report = await roll_back(one, "previous")
    assert report.outcome is Outcome.COMPLETED, report.reason
    assert await one.shop.version() == "1.0.0"


async def test_a_rollback_takes_over_from_a_release_whose_process_died(one) -> None:
    one.shop.repository.commit("1.1.0")
    (records,) = one.records.records.values()
    assert (await one.release()).outcome is Outcome.COMPLETED
    # As its process has left it that died before it could close the record.
    records[2] = records[2].model_copy(update={"outcome": None, "finished_at": None, "serving": None})
    report = await roll_back(one, "1")
    assert (report.outcome, report.number) == (Outcome.COMPLETED, 3)
    assert records[2].outcome is Outcome.ABORTED
    assert records[2].reason == "It did not end; rollback 3 took over."
    assert await one.shop.version() == "1.0.0"


@pytest.mark.parametrize("how", ["automatic", "by hand"])
async def test_a_rollback_that_fails_is_loud_and_says_what_state_everything_is_in(one, told, tmp_path, how) -> None:
    """The earlier version does not work any more either: what it needs is gone."""
    needed = Path(tmp_path / "needed")
    needed.touch()
    container = {"enabled": True, "interval": 1, "retries": 4, "start_period": 0}
    one.shop.configure(
        build={"start_command": f"test -e {needed} && {SampleRepository.START_COMMAND.removeprefix('exec ')}"},
        health=QUICK_HEALTH | {"failures_allowed": 5, "container": container},
        monitoring={"alerts": {"webhook": "way-back", "slack": "#ops", "block": "way-back-gone"}},
    )
    assert (await one.release()).outcome is Outcome.COMPLETED
    assert told == []
    one.shop.repository.commit("2.0.0", broken=how == "automatic")
    if how == "automatic":
        with observe(lambda event: needed.unlink() if isinstance(event, DecisionTaken) else None):
            report = await one.release()
        assert "400" in report.reason
    else:
        assert (await one.release()).outcome is Outcome.COMPLETED
        needed.unlink()
        report = await roll_back(one, "2")
    assert report.outcome is Outcome.ROLLBACK_FAILED, report.reason
    assert report.outcome.state_name == "RollbackFailed"
    newest = one.shop.sandbox.state.all("deployment")[-1]
    assert f"its newest deployment, {newest['deployment_uuid']}" in report.reason
    assert "is failed" in report.reason
    assert "The application is running" in report.reason
    (records,) = one.records.records.values()
    assert records[report.number].outcome is Outcome.ROLLBACK_FAILED
    # Whom the configuration names is told at once; a destination that is gone keeps nobody else from it.
    (message,) = told
    assert message["subject"] == "[error] shop (production): the rollback failed"
    assert report.reason in message["body"]
    assert "coolify rollback previous" in message["body"]
