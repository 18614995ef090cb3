"""Who hears of progress."""

import asyncio

import pytest

from coolify.finding import Finding, Severity
from coolify.progress import (
    FindingsReported,
    LogLineRead,
    PhaseStarted,
    StepDone,
    chained,
    labelled,
    observe,
    report,
)

FIRST, SECOND = PhaseStarted("deploy"), LogLineRead("Building")


def test_without_an_observer_a_report_goes_nowhere() -> None:
    report(FIRST)


def test_an_observer_hears_in_order_what_is_reported_while_it_observes() -> None:
    heard = []
    with observe(heard.append):
        report(FIRST)
        report(SECOND)
    report(StepDone("too late"))
    assert heard == [FIRST, SECOND]


def test_only_the_innermost_observer_hears() -> None:
    outer, inner = [], []
    with observe(outer.append):
        with observe(inner.append):
            report(FIRST)
        report(SECOND)
    assert (outer, inner) == ([SECOND], [FIRST])


def test_a_chained_observer_passes_everything_on() -> None:
    outer, inner = [], []
    with observe(outer.append), observe(chained(inner.append)):
        report(FIRST)
    assert outer == inner == [FIRST]


def test_a_chain_with_nobody_outside_is_fine() -> None:
    heard = []
    with observe(chained(heard.append)):
        report(FIRST)
    assert heard == [FIRST]


def test_an_observer_is_gone_after_an_error_too() -> None:
    heard = []

    def work() -> None:
        with observe(heard.append):
            raise RuntimeError("the flow broke")

    with pytest.raises(RuntimeError):
        work()
    report(FIRST)
    assert heard == []


async def test_tasks_that_are_started_within_are_heard_and_others_are_not() -> None:
    heard = []

    async def step(text: str) -> None:
        report(StepDone(text))

    with observe(heard.append):
        await asyncio.gather(step("one"), step("two"))
    await step("three")
    assert sorted(event.text for event in heard) == ["one", "two"]


async def test_work_side_by_side_has_observers_of_its_own() -> None:
    both_observe = asyncio.Barrier(2)

    async def work(text: str) -> list[object]:
        heard: list[object] = []
        with observe(heard.append):
            await both_observe.wait()
            report(StepDone(text))
        return heard

    assert await asyncio.gather(work("a"), work("b")) == [[StepDone("a")], [StepDone("b")]]


def test_what_runs_side_by_side_is_told_with_the_name_of_what_it_is_about() -> None:
    heard = []
    with observe(heard.append), observe(labelled("api")):
        report(PhaseStarted("deploy"))
        report(StepDone("queued", changed=True))
        report(FindingsReported((Finding(name="x", severity=Severity.ERROR, subject="api", summary="It is down."),)))
    assert heard[0] == PhaseStarted("api: deploy")
    assert heard[1] == StepDone("api: queued", changed=True)
    assert heard[2].findings[0].summary == "api: It is down."


def test_without_an_observer_a_label_tells_nobody() -> None:
    with observe(labelled("api")):
        report(StepDone("queued"))
