"""What is printed of a run: at a terminal, and where nobody is asked."""

import io

import pytest
from rich.console import Console

from coolify.decisions import AUTHENTICATION_FAILED, DECISIONS, decide
from coolify.progress import DecisionTaken, PhaseEnded, PhaseStatus, StepDone
from coolify_cli.console import ProgressPrinter

REFUSED = PhaseEnded("preflight", PhaseStatus.FAILED, "Coolify refused the token.", 0.1)


def printed(*events, asks: bool) -> str:
    text = io.StringIO()
    printer = ProgressPrinter(Console(file=text, width=300, no_color=True))
    printer.asks = asks
    for event in events:
        printer(event)
    return text.getvalue()


def taken(decision=AUTHENTICATION_FAILED, answer: str | None = None) -> DecisionTaken:
    choice = decide(decision, answer=answer, who="eve")
    return DecisionTaken(decision.question, choice.option.label, choice.by, choice.reason, decision.id)


def test_a_question_that_nobody_was_asked_is_one_short_line() -> None:
    told = printed(taken(), asks=False)
    assert told == "  → Coolify refused the API token: Read the token again and retry (It is the default.)\n"


@pytest.mark.parametrize(("answer", "asks"), [(None, True), ("retry", True), ("retry", False)])
def test_at_a_terminal_and_where_somebody_answered_the_question_is_printed(answer, asks) -> None:
    first, second = printed(taken(answer=answer), asks=asks).splitlines()
    assert first == f"  ? {AUTHENTICATION_FAILED.question}"
    assert second.startswith("  → Read the token again and retry (")


@pytest.mark.parametrize("decision", DECISIONS, ids=lambda one: one.id)
def test_every_decision_says_first_what_happened(decision) -> None:
    happened, separator, question = decision.question.partition(". ")
    assert separator
    assert "?" not in happened
    assert question.endswith("?")
    assert happened in printed(taken(decision), asks=False)


def test_a_failure_is_the_last_thing_printed_until_something_else_is() -> None:
    printer = ProgressPrinter(Console(file=io.StringIO()))
    printer(REFUSED)
    assert printer.failure == REFUSED.summary
    printer(StepDone("something else"))
    assert printer.failure == ""
