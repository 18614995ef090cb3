"""The same story on every Coolify that is supported: what is missing is replaced as documented, or refused by name."""

import pytest

from coolify.release import Outcome
from coolify_sandbox.samples import SampleRepository
from coolify_sandbox.sandbox import Sandbox
from coolify_sandbox.server.settings import ServerSettings
from flows.rollback import RollbackRequest, rollback
from tasks.session import Target
from tests.integration.conftest import Shop
from tests.integration.robustness.bare import bare_flows, current_records
from tests.integration.robustness.interrupted import QUICK_HEALTH, Story

VERSIONS = ["4.0.0", "4.1.2", "4.2.0", "4.3.0", "4.3.11"]


@pytest.fixture
async def story(request, tmp_path, monkeypatch):
    settings = ServerSettings(version=request.param, rate_limit=10**6)
    async with Sandbox(settings=settings) as sandbox:
        monkeypatch.setenv("COOLIFY_TOKEN", sandbox.token)
        shop = Shop(sandbox, SampleRepository(tmp_path / "repository"), tmp_path / "work")
        shop.repository.commit("1.0.0")
        shop.configure(health=QUICK_HEALTH | {"failures_allowed": 5})
        with bare_flows():
            yield Story(shop)


async def roll_back(story: Story, version: str = "previous"):
    current_records.set(story.records)
    state = await rollback(RollbackRequest(target=Target(config=str(story.shop.config)), version=version))
    return state.data


@pytest.mark.parametrize("story", VERSIONS, indirect=True)
async def test_releases_complete_and_a_second_one_without_a_change_deploys_nothing(story) -> None:
    first = await story.release()
    assert first.outcome is Outcome.COMPLETED, first.reason
    again = await story.release()
    assert (again.outcome, again.deployed) == (Outcome.COMPLETED, False)
    story.shop.repository.commit("1.1.0")
    second = await story.release()
    assert (second.outcome, second.deployed) == (Outcome.COMPLETED, True), second.reason
    assert await story.problems(version="1.1.0", deployments=2) == []


@pytest.mark.parametrize("story", ["4.2.0", "4.3.0", "4.3.11"], indirect=True)
async def test_a_broken_release_is_rolled_back_and_a_repaired_one_goes_through(story) -> None:
    await story.release()
    story.shop.repository.commit("2.0.0", broken=True)
    story.shop.configure(env={"GREETING": "Ahoy"})
    report = await story.release()
    assert report.outcome is Outcome.ROLLED_BACK, report.reason
    assert "Hello from version 1.0.0" in (await story.shop.visit()).text
    story.shop.repository.commit("2.0.1")
    repaired = await story.release()
    assert repaired.outcome is Outcome.COMPLETED, repaired.reason
    assert "Ahoy from version 2.0.1" in (await story.shop.visit()).text


@pytest.mark.parametrize("story", ["4.0.0", "4.1.2"], indirect=True)
async def test_where_commits_cannot_be_pinned_the_release_says_before_that_there_is_no_way_back(story) -> None:
    await story.release()
    story.shop.repository.commit("2.0.0", broken=True)
    report = await story.release()
    assert report.outcome is Outcome.ABORTED
    assert report.decisions[-1].choice != "Roll back"
    assert "4.2.0" in report.decisions[-1].reason
    story.shop.repository.commit("2.0.1")
    repaired = await story.release()
    assert repaired.outcome is Outcome.COMPLETED, repaired.reason


@pytest.mark.parametrize("story", ["4.2.0", "4.3.0", "4.3.11"], indirect=True)
async def test_the_previous_version_comes_back_by_hand_and_the_next_release_moves_on(story) -> None:
    await story.release()
    story.shop.repository.commit("1.1.0")
    await story.release()
    report = await roll_back(story)
    assert report.outcome is Outcome.COMPLETED, report.reason
    assert await story.shop.version() == "1.0.0"
    forward = await story.release()
    assert forward.outcome is Outcome.COMPLETED, forward.reason
    assert await story.shop.version() == "1.1.0"


@pytest.mark.parametrize("story", ["4.0.0", "4.1.2"], indirect=True)
async def test_a_rollback_by_hand_is_refused_with_the_version_that_is_needed(story) -> None:
    await story.release()
    story.shop.repository.commit("1.1.0")
    await story.release()
    report = await roll_back(story)
    assert report.outcome in {Outcome.ABORTED, Outcome.ROLLBACK_FAILED}
    assert "4.2.0" in report.reason
    assert await story.shop.version() == "1.1.0"


@pytest.mark.parametrize("story", ["4.0.0-beta.420"], indirect=True)
async def test_what_is_too_old_is_refused_before_anything_changes(story) -> None:
    report = await story.release()
    assert report.outcome is Outcome.ABORTED
    assert "too old" in report.reason
    assert story.shop.sandbox.state.all("project") == []
