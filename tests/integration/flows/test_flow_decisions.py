"""Every option of every declared decision, taken for real: what it says about itself is what happens.

The options of `resource-limit` are taken in test_flow_resources.py, those of a late certificate also in
test_flow_certificates.py, and the page of a paused run in test_flow_decisions_in_prefect.py.
"""

import pytest

from coolify.asking import Answer, answers
from coolify.decisions import DECISIONS
from coolify.progress import StepDone, observe
from coolify.release import Outcome
from coolify_sandbox.sandbox import Sandbox
from coolify_sandbox.server.settings import ServerSettings
from tests.integration.conftest import SampleRepository, Shop
from tests.integration.robustness.bare import bare_flows
from tests.integration.robustness.interrupted import QUICK_HEALTH, Story

QUICK_TO_FAIL = QUICK_HEALTH | {"failures_allowed": 5}
FAILING = {"build_command": "false", "start_command": SampleRepository.START_COMMAND}


@pytest.fixture
async def one(tmp_path, monkeypatch):
    """A shop; nothing of it is in Coolify yet."""
    async with Sandbox(settings=ServerSettings(rate_limit=10**6)) as sandbox:
        monkeypatch.setenv("COOLIFY_TOKEN", sandbox.token)
        monkeypatch.setattr("tasks.domain_settling._POLL_SECONDS", 0.1)
        monkeypatch.setattr("flows.verify_certificates._PATIENCE_SECONDS", 0.3)
        shop = Shop(sandbox, SampleRepository(tmp_path / "repository"), tmp_path / "work")
        shop.repository.commit("1.0.0")
        shop.configure(health=QUICK_TO_FAIL)
        with bare_flows():
            yield Story(shop)


def taken(report) -> list[tuple[str, str, str]]:
    """Return what was decided, as the report has it: decision, id of the option, by whom."""
    labels = {(one.id, option.label): option.id for one in DECISIONS for option in one.options}
    return [(one.decision, labels[one.decision, one.choice], one.by) for one in report.decisions]


def in_history(one: Story, report) -> list[str]:
    """Return the decisions that the history of the application has of a release."""
    (records,) = one.records.records.values()
    return [decision.decision for decision in records[report.number].decisions]


async def test_a_failed_build_is_built_once_more_or_given_up_as_declared(one, tmp_path) -> None:
    assert (await one.release()).outcome is Outcome.COMPLETED
    one.shop.repository.commit("1.1.0")
    builds = tmp_path / "builds"
    counting = {"build_command": f"sh -c 'echo x >> {builds}; false'", "start_command": SampleRepository.START_COMMAND}
    for policy, attempts in (("abort", 1), ("retry", 2)):
        builds.unlink(missing_ok=True)
        one.shop.configure(build=counting, decisions={"build-failed": policy})
        report = await one.release()
        assert taken(report) == [("build-failed", policy, "policy")]
        assert in_history(one, report) == ["build-failed"]
        assert report.decisions[0].evidence
        assert (report.outcome, len(builds.read_text().split())) == (Outcome.ROLLED_BACK, attempts)
        assert await one.shop.version() == "1.0.0"


@pytest.mark.parametrize(
    ("policy", "outcome", "status"),
    [("rollback", Outcome.ROLLED_BACK, 200), ("keep", Outcome.ABORTED, 400), ("abort", Outcome.ABORTED, 400)],
)
async def test_an_unhealthy_version_goes_or_stays_as_declared(one, policy, outcome, status) -> None:
    assert (await one.release()).outcome is Outcome.COMPLETED
    one.shop.repository.commit("2.0.0", broken=True)
    one.shop.configure(decisions={"health-gate-failed": policy})
    report = await one.release()
    assert (taken(report), report.outcome) == ([("health-gate-failed", policy, "policy")], outcome)
    assert in_history(one, report) == ["health-gate-failed"]
    assert (await one.shop.visit()).status_code == status


async def test_an_environment_has_policies_of_its_own(one) -> None:
    assert (await one.release()).outcome is Outcome.COMPLETED
    one.shop.repository.commit("2.0.0", broken=True)
    overlay = {"production": {"decisions": {"health-gate-failed": "keep"}}}
    one.shop.configure(decisions={"health-gate-failed": "rollback"}, environments=overlay)
    assert taken(await one.release()) == [("health-gate-failed", "keep", "policy")]


@pytest.mark.parametrize(("option", "outcome"), [("retry", Outcome.COMPLETED), ("abort", Outcome.ABORTED)])
async def test_a_refused_token_is_read_again_or_ends_the_release(one, monkeypatch, option, outcome) -> None:
    good = one.shop.sandbox.token
    monkeypatch.setenv("COOLIFY_TOKEN", "9|deleted-in-coolify")
    one.shop.configure(decisions={"authentication-failed": "ask"})

    async def operator(question) -> Answer:
        assert "401" in question.evidence or "token" in question.evidence
        monkeypatch.setenv("COOLIFY_TOKEN", good)
        return Answer(option, who="Ada")

    with answers(operator):
        report = await one.release()
    assert taken(report) == [("authentication-failed", option, "operator")]
    assert report.decisions[0].reason == "Ada chose it."
    assert report.outcome is outcome, report.reason
    assert len(one.shop.sandbox.state.all("application")) == (option == "retry")


async def test_a_domain_that_leads_elsewhere_is_waited_for_with_the_records_to_enter(one) -> None:
    names = one.shop.sandbox.names
    names.set("new.sandbox.test", "A", "192.0.2.7")
    one.shop.host = "new.sandbox.test"
    one.shop.configure(domains=[{"primary": one.shop.host, "ssl": True}], decisions={"domain-not-pointing": "guide"})
    told: list[str] = []

    def somebody_enters_it(event) -> None:
        if isinstance(event, StepDone) and event.text.startswith("enter this DNS record"):
            told.append(event.text)
            names.set("new.sandbox.test", "A", "127.0.0.1")

    with observe(somebody_enters_it):
        report = await one.release()
    assert report.outcome is Outcome.COMPLETED, report.reason
    assert taken(report) == [("domain-not-pointing", "guide", "policy")]
    assert in_history(one, report) == ["domain-not-pointing"]
    assert "127.0.0.1" in told[0]
    assert await one.shop.version() == "1.0.0"


@pytest.mark.parametrize(("option", "outcome"), [("accept", Outcome.COMPLETED), ("abort", Outcome.ABORTED)])
async def test_a_certificate_that_nobody_trusts_is_accepted_or_ends_the_release(one, option, outcome) -> None:
    one.shop.sandbox.authority.refused.add(one.shop.host)
    one.shop.configure(decisions={"certificate-invalid": option})
    report = await one.release()
    assert report.outcome is outcome, report.reason
    assert taken(report) == [("certificate-invalid", option, "policy")]
