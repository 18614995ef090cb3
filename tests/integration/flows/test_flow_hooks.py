"""Commands around a release, here and in the container."""

import pytest

from coolify.release import Outcome
from coolify_sandbox.sandbox import Sandbox
from coolify_sandbox.server.faults import Fault, FaultKind
from coolify_sandbox.server.settings import ServerSettings
from tests.integration.conftest import SampleRepository, Shop
from tests.integration.robustness.bare import bare_flows
from tests.integration.robustness.interrupted import QUICK_HEALTH, Story

PASSWORD = "correct-horse-battery"


async def served_shop(sandbox, tmp_path, monkeypatch) -> Story:
    monkeypatch.setenv("COOLIFY_TOKEN", sandbox.token)
    monkeypatch.setenv("DB_PASSWORD", PASSWORD)
    shop = Shop(sandbox, SampleRepository(tmp_path / "repository"), tmp_path / "work")
    shop.repository.commit("1.0.0")
    shop.configure(health=QUICK_HEALTH, env={"GREETING": "Hello", "DB": "${DB_PASSWORD}"})
    return Story(shop)


@pytest.fixture
async def one(tmp_path, monkeypatch):
    """A shop that is not released yet."""
    async with Sandbox(settings=ServerSettings(rate_limit=10**6)) as sandbox:
        story = await served_shop(sandbox, tmp_path, monkeypatch)
        with bare_flows():
            yield story


async def released(one: Story) -> Story:
    assert (await one.release()).outcome is Outcome.COMPLETED
    one.shop.repository.commit("1.1.0")
    return one


def deployments(one: Story) -> list[str]:
    return [row["status"] for row in one.shop.sandbox.state.all("deployment")]


def phases(report) -> list[str]:
    return [phase.phase for phase in report.phases]


async def test_hooks_here_run_in_order_around_the_deployment_and_know_what_is_released(one) -> None:
    say = 'echo "$COOLIFY_RELEASE_HOOK $COOLIFY_RELEASE_COMMIT $COOLIFY_RELEASE_URL" >> told'
    one.shop.configure(release={"before": [say, "echo second >> told"], "after": [say]})
    report = await one.release()
    assert report.outcome is Outcome.COMPLETED, report.reason
    commit = one.shop.repository._git("rev-parse", "HEAD")
    facts = f"{commit} https://shop.sandbox.test"
    told = (one.shop.directory / "told").read_text().splitlines()
    assert told == [f"before {facts}", "second", f"after {facts}"]
    order = [name for name in phases(report) if name in {"hooks before", "deploy", "check health", "hooks after"}]
    assert order == ["hooks before", "deploy", "check health", "hooks after"]


async def test_without_a_deployment_no_hook_runs(one) -> None:
    await one.release()
    one.shop.configure(release={"before": ["touch ran"], "after": ["touch ran"]})
    report = await one.release()
    assert (report.outcome, report.deployed) == (Outcome.COMPLETED, False)
    assert not (one.shop.directory / "ran").exists()


async def test_a_hook_before_that_fails_deploys_nothing_and_restores_the_configuration(one) -> None:
    await released(one)
    changed = {"GREETING": "Ahoy", "DB": "${DB_PASSWORD}"}
    one.shop.configure(env=changed, release={"before": ["echo schema is behind; exit 4"]})
    report = await one.release()
    assert report.outcome is Outcome.ROLLED_BACK, report.reason
    assert "ended with 4" in report.reason
    (finding,) = (found for found in report.findings if found.name == "release-hook-failed")
    assert finding.evidence == ("schema is behind",)
    assert deployments(one) == ["finished"]
    variables = {row["key"]: row["value"] for row in one.shop.sandbox.state.all("variable") if not row["is_preview"]}
    assert variables["GREETING"] == "Hello"
    assert await one.shop.version() == "1.0.0"
    one.shop.configure(release={"before": ["true"]})
    assert (await one.release()).outcome is Outcome.COMPLETED
    assert await one.shop.version() == "1.1.0"


async def test_a_hook_after_that_fails_is_a_failed_gate_and_rolled_back(one) -> None:
    await released(one)
    one.shop.configure(release={"after": ["true", "false"]})
    report = await one.release()
    assert report.outcome is Outcome.ROLLED_BACK, report.reason
    assert "'false' (here) ended with 1" in report.reason
    assert [decision.choice for decision in report.decisions] == ["Roll back"]
    assert await one.shop.version() == "1.0.0"


async def test_no_secret_that_a_hook_prints_is_shown_or_kept(one, caplog) -> None:
    one.shop.configure(release={"before": ["env; false"]})
    with caplog.at_level("DEBUG"):
        report = await one.release()
    assert report.outcome is Outcome.ABORTED
    assert "DB_PASSWORD=[secret]" in caplog.text
    records = [record.model_dump_json() for kept in one.records.records.values() for record in kept.values()]
    for text in (caplog.text, report.model_dump_json(), *records):
        assert PASSWORD not in text
        assert one.shop.sandbox.token not in text


async def test_a_hook_in_the_container_runs_in_the_version_that_serves_and_leaves_nothing_in_coolify(one) -> None:
    await released(one)
    in_container = {"run": "grep -o '[0-9]*[.][0-9]*[.][0-9]*' VERSION; echo $GREETING", "where": "container"}
    one.shop.configure(release={"before": [in_container], "after": [in_container]})
    report = await one.release()
    assert report.outcome is Outcome.COMPLETED, report.reason
    runs = [row["message"].splitlines() for row in one.shop.sandbox.state.all("task_execution")]
    assert runs == [["1.0.0", "Hello"], ["1.1.0", "Hello"]]
    assert one.shop.sandbox.state.all("task") == []


async def test_before_a_first_release_there_is_no_container_for_a_hook(one) -> None:
    one.shop.configure(release={"before": [{"run": "false", "where": "container"}]})
    assert (await one.release()).outcome is Outcome.COMPLETED


async def test_a_hook_in_the_container_that_fails_shows_what_it_printed_and_fails_the_release(one) -> None:
    await released(one)
    one.shop.configure(release={"after": [{"run": "echo no such table; exit 1", "where": "container"}]})
    report = await one.release()
    assert report.outcome is Outcome.ROLLED_BACK, report.reason
    (finding,) = (found for found in report.findings if found.name == "release-hook-failed")
    assert "no such table" in finding.evidence[-1]
    assert await one.shop.version() == "1.0.0"
    assert one.shop.sandbox.state.all("task") == []


@pytest.mark.parametrize("kind", [FaultKind.RESET_AFTER, FaultKind.RESET_BEFORE])
@pytest.mark.parametrize("path", ["scheduled-tasks", "scheduled-tasks/[^/]+/execute"])
async def test_a_lost_answer_runs_a_command_in_the_container_at_most_once(one, monkeypatch, path, kind) -> None:
    was_lost = kind is FaultKind.RESET_BEFORE and path.endswith("execute")
    if was_lost:
        monkeypatch.setattr("tasks.container_commands._QUEUE_SECONDS", 0.0)
    await released(one)
    hook = {"run": "echo once", "where": "container"}
    one.shop.configure(release={"before": [hook]})
    one.faults.add(Fault(kind, "POST", f"/applications/[^/]+/{path}", 1))
    report = await one.release()
    runs = one.shop.sandbox.state.all("task_execution")
    assert len(runs) == (0 if was_lost else 1)
    assert report.outcome is (Outcome.ROLLED_BACK if was_lost else Outcome.COMPLETED), report.reason
    assert one.shop.sandbox.state.all("task") == []


async def test_an_older_coolify_is_refused_a_hook_in_the_container_before_anything_changes(
    tmp_path, monkeypatch
) -> None:
    async with Sandbox(settings=ServerSettings(rate_limit=10**6, version="4.2.0")) as sandbox:
        one = await served_shop(sandbox, tmp_path, monkeypatch)
        one.shop.configure(release={"after": [{"run": "true", "where": "container"}]})
        with bare_flows():
            report = await one.release()
        assert report.outcome is Outcome.ABORTED
        assert "4.3.0" in report.reason
        assert sandbox.state.all("project") == []
