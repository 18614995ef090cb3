"""How a decision is made."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coolify.decisions import (
    ABORT,
    CERTIFICATE_INVALID,
    DECISIONS,
    DOMAIN_NOT_POINTING,
    HEALTH_GATE_FAILED,
    Choice,
    Decision,
    Option,
    decide,
    markdown,
)

ROOT = Path(__file__).parents[2]


@st.composite
def situations(draw: st.DrawFn) -> dict[str, object]:
    decision = draw(st.sampled_from(DECISIONS))
    options = st.sampled_from(decision.option_ids)
    return {
        "decision": decision,
        "policy": draw(st.sampled_from(decision.policies)),
        "unavailable": draw(st.dictionaries(options, st.just("not set up"))),
        "answer": draw(st.none() | options),
        "timed_out": draw(st.booleans()),
    }


@given(situations())
def test_an_unavailable_option_is_never_chosen(situation) -> None:
    choice = decide(**situation)
    assert choice.option.id == ABORT or choice.option.id not in situation["unavailable"]


@given(situations())
def test_the_choice_is_an_option_of_its_decision_and_says_why(situation) -> None:
    choice = decide(**situation)
    assert choice.option in choice.decision.options
    assert choice.reason.endswith(".")
    assert decide(**situation) == choice


@given(situations())
def test_an_available_wish_is_granted(situation) -> None:
    decision, unavailable = situation["decision"], situation["unavailable"]
    wish = situation["answer"]
    if wish is None and not situation["timed_out"] and situation["policy"] in decision.option_ids:
        wish = situation["policy"]
    if wish is not None and wish not in unavailable:
        assert decide(**situation).option.id == wish


@pytest.mark.parametrize("decision", DECISIONS, ids=lambda decision: decision.id)
def test_with_nothing_available_a_release_aborts(decision: Decision) -> None:
    unavailable = dict.fromkeys(decision.option_ids, "broken")
    assert decide(decision, unavailable=unavailable).option.id == ABORT


def seen(choice: Choice) -> tuple[str, str]:
    return choice.option.id, choice.by


def test_auto_takes_the_default() -> None:
    assert seen(decide(HEALTH_GATE_FAILED)) == ("rollback", "default")


def test_a_policy_names_its_option() -> None:
    assert seen(decide(DOMAIN_NOT_POINTING, "guide")) == ("guide", "policy")


def test_an_operators_answer_goes_before_the_policy() -> None:
    assert seen(decide(DOMAIN_NOT_POINTING, "guide", answer="abort")) == ("abort", "operator")


def test_without_an_answer_in_time_the_default_is_taken() -> None:
    assert seen(decide(HEALTH_GATE_FAILED, "ask", timed_out=True)) == ("rollback", "timeout")


def test_an_unavailable_option_gives_way_and_the_reason_says_so() -> None:
    choice = decide(DOMAIN_NOT_POINTING, unavailable={"automate": "no DNS provider is set up."})
    assert seen(choice) == ("guide", "default")
    assert choice.reason == (
        "It is the default. But 'automate' is not available (no DNS provider is set up), so 'guide' was taken instead."
    )


def test_a_temporary_certificate_is_accepted_only_when_somebody_said_so() -> None:
    assert decide(CERTIFICATE_INVALID, unavailable={"wait": "past the deadline"}).option.id == ABORT
    assert decide(CERTIFICATE_INVALID, "accept").option.id == "accept"


@pytest.mark.parametrize("wrong", [{"policy": "roll-back"}, {"answer": "roll-back"}])
def test_an_unknown_policy_or_answer_is_an_error(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="roll-back"):
        decide(HEALTH_GATE_FAILED, **wrong)


def test_ids_are_unique_and_kebab_case() -> None:
    ids = [decision.id for decision in DECISIONS]
    assert len(set(ids)) == len(ids)
    assert all(one == one.lower() and one.replace("-", "").isalpha() for one in ids)


def test_a_decision_without_abort_cannot_be_declared() -> None:
    with pytest.raises(ValueError, match="abort"):
        Decision("x", "?", (Option("go", "Go", "It goes."),), "go", (), "", 1.0)


def test_the_page_about_decisions_is_current() -> None:
    assert (ROOT / "docs/decisions.md").read_text() == markdown(), "run `python -m coolify.decisions`"


FLOWS = "tests/integration/flows"
TAKEN = {
    ("authentication-failed", "retry"): (f"{FLOWS}/test_flow_decisions.py", "a_refused_token_is_read_again"),
    ("authentication-failed", "abort"): (f"{FLOWS}/test_flow_decisions.py", "a_refused_token_is_read_again"),
    ("resource-limit", "scale"): (f"{FLOWS}/test_flow_resources.py", "a_container_that_is_killed_gets_more_memory"),
    ("resource-limit", "optimize"): (f"{FLOWS}/test_flow_resources.py", "a_disk_that_fills_up_during_the_build"),
    ("resource-limit", "abort"): (f"{FLOWS}/test_flow_resources.py", "a_full_disk_ends_the_release"),
    ("domain-not-pointing", "automate"): (
        "tests/integration/command/test_command_domain_changes.py",
        "a_release_writes_the_records_that_its_domains_lack",
    ),
    ("domain-not-pointing", "guide"): (
        f"{FLOWS}/test_flow_decisions.py",
        "a_domain_that_leads_elsewhere_is_waited_for",
    ),
    ("domain-not-pointing", "abort"): (
        f"{FLOWS}/test_flow_release.py",
        "a_domain_that_leads_elsewhere_ends_the_release",
    ),
    ("certificate-invalid", "wait"): (f"{FLOWS}/test_flow_certificates.py", "a_late_certificate_is_waited_for"),
    ("certificate-invalid", "accept"): (f"{FLOWS}/test_flow_decisions.py", "a_certificate_that_nobody_trusts"),
    ("certificate-invalid", "abort"): (f"{FLOWS}/test_flow_decisions.py", "a_certificate_that_nobody_trusts"),
    ("build-failed", "retry"): (
        f"{FLOWS}/test_flow_build_failure.py",
        "a_failed_build_is_diagnosed_adjusted_and_green",
    ),
    ("build-failed", "abort"): (f"{FLOWS}/test_flow_decisions.py", "a_failed_build_is_built_once_more_or_given_up"),
    ("health-gate-failed", "rollback"): (f"{FLOWS}/test_flow_decisions.py", "an_unhealthy_version_goes_or_stays"),
    ("health-gate-failed", "keep"): (f"{FLOWS}/test_flow_decisions.py", "an_unhealthy_version_goes_or_stays"),
    ("health-gate-failed", "abort"): (f"{FLOWS}/test_flow_decisions.py", "an_unhealthy_version_goes_or_stays"),
}


def test_every_option_of_every_decision_is_taken_for_real_by_a_test() -> None:
    assert set(TAKEN) == {(decision.id, option) for decision in DECISIONS for option in decision.option_ids}
    for file, name in TAKEN.values():
        assert f"async def test_{name}" in (ROOT / file).read_text(), f"{file} has no test that begins so: {name}"
