"""Several applications released as one, with real processes behind the edge."""

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import pytest

from coolify.progress import PhaseStarted, ProgressEvent, observe
from coolify.release_set import MemberOutcome, SetOutcome, SetReport
from tasks.sets import begin_set_run, end_set_run, last_set_run
from tests.integration.command.conftest import run

COMPLETED, ROLLED_BACK, UNTOUCHED = MemberOutcome.COMPLETED, MemberOutcome.ROLLED_BACK, MemberOutcome.UNTOUCHED


def outcomes(report: SetReport) -> dict[str, MemberOutcome]:
    return {one.application: one.outcome for one in report.applications}


@contextmanager
def during(phase: str, act: Callable[[], Awaitable[None]]) -> Iterator[None]:
    """Do something as soon as a phase begins."""
    done: list[asyncio.Future[None]] = []

    def hear(event: ProgressEvent) -> None:
        if event == PhaseStarted(phase) and not done:
            done.append(asyncio.ensure_future(act()))

    with observe(hear):
        yield
    assert done, f"there was no phase {phase}"


def reason_of(report: SetReport, name: str) -> str:
    return next(one.reason for one in report.applications if one.application == name)


@pytest.mark.timeout(300)
async def test_a_canary_goes_first_and_the_rest_only_after_it_has_stayed_healthy(fleet, in_prefect, home) -> None:
    async def coolify(*arguments: str):
        return await run(*arguments, cwd=fleet.directory, **home | in_prefect.environment)

    fleet.declare(strategy="canary", canary={"application": "worker", "soak": 0.5})
    done = await coolify("release", "--all", "--local", "--json")
    assert done.code == 0, done.text
    stages = [(one["application"], one["stage"], one["outcome"]) for one in done.json["applications"]]
    assert stages == [("worker", 1, "completed"), ("api", 2, "completed"), ("web", 3, "completed")]
    assert await fleet.versions() == ["1.0.0"] * 3
    # They share what one client knows: who it is, and a project that all of them would have created.
    seen = fleet.shops["api"].sandbox.app.state.faults.requests
    assert [one.path for one in seen if one.path == "/teams/current"] == ["/teams/current"]
    assert [one.status for one in seen if (one.method, one.path) == ("POST", "/projects")].count(201) == 1
    # What was released for the first time has nothing to go back to, and that is not passed off as success.
    done = await coolify("rollback", "--all", "--local", "--json", "--yes")
    assert done.code == 1, done.text
    assert done.json["outcome"] == "incomplete"

    fleet.commit("2.0.0", broken="worker")
    report = await fleet.release(on_failure="continue")
    assert report.outcome is SetOutcome.ROLLED_BACK
    assert outcomes(report) == {"worker": ROLLED_BACK, "api": UNTOUCHED, "web": UNTOUCHED}
    (decision,) = report.decisions
    assert "the canary has failed" in decision.reason
    assert await fleet.versions() == ["1.0.0"] * 3
    assert len(fleet.shops["api"].sandbox.state.all("deployment")) == 3 + 2  # the canary's second, and its rollback


@pytest.mark.timeout(300)
async def test_a_canary_that_turns_bad_while_it_has_to_prove_itself_is_rolled_back(fleet, bare, monkeypatch) -> None:
    assert (await fleet.release()).outcome is SetOutcome.COMPLETED
    monkeypatch.setattr("flows.release_all._LOOK_SECONDS", 0.1)
    fleet.declare(strategy="canary", canary={"application": "worker", "soak": 600})
    fleet.commit("2.0.0")
    with during("soak", fleet.shops["worker"].stop):
        report = await fleet.release()
    assert report.outcome is SetOutcome.ROLLED_BACK
    assert outcomes(report) == {"worker": ROLLED_BACK, "api": UNTOUCHED, "web": UNTOUCHED}
    assert "did not stay healthy" in reason_of(report, "worker")
    assert [one.choice for one in report.decisions] == ["Roll back", "Stop and keep"]
    assert await fleet.versions() == ["1.0.0"] * 3


@pytest.mark.timeout(300)
async def test_a_failure_stops_the_set_and_what_was_released_is_rolled_back_as_a_whole(fleet, bare) -> None:
    report = await fleet.release()
    assert report.outcome is SetOutcome.COMPLETED, report
    assert [(one.application, one.stage) for one in report.applications] == [("api", 1), ("worker", 1), ("web", 2)]

    # The application of the last stage fails: the others stay, until somebody takes the whole set back.
    fleet.commit("2.0.0", broken="web")
    report = await fleet.release()
    assert report.outcome is SetOutcome.INCOMPLETE
    assert outcomes(report) == {"api": COMPLETED, "worker": COMPLETED, "web": ROLLED_BACK}
    assert await fleet.versions() == ["2.0.0", "1.0.0", "2.0.0"]
    report = await fleet.roll_back()
    assert report.outcome is SetOutcome.COMPLETED
    assert outcomes(report) == {"api": COMPLETED, "worker": COMPLETED, "web": UNTOUCHED}
    assert await fleet.versions() == ["1.0.0"] * 3

    # Going on releases all but what requires the failure.
    fleet.commit("3.0.0", broken="api")
    report = await fleet.release(on_failure="continue")
    assert outcomes(report) == {"api": ROLLED_BACK, "worker": COMPLETED, "web": UNTOUCHED}
    assert "requires api" in reason_of(report, "web")
    assert await fleet.versions() == ["1.0.0", "1.0.0", "3.0.0"]

    # Stopping leaves alone what has not begun.
    fleet.commit("4.0.0", broken="api")
    report = await fleet.release(parallel=1)
    assert outcomes(report) == {"api": ROLLED_BACK, "worker": UNTOUCHED, "web": UNTOUCHED}
    assert await fleet.versions() == ["1.0.0", "1.0.0", "3.0.0"]

    # Rolling back on failure leaves nothing of the run.
    fleet.commit("5.0.0", broken="web")
    report = await fleet.release(on_failure="rollback")
    assert report.outcome is SetOutcome.ROLLED_BACK
    assert set(outcomes(report).values()) == {ROLLED_BACK}
    assert "Rolled back with the set, because web" in reason_of(report, "api")
    assert await fleet.versions() == ["1.0.0", "1.0.0", "3.0.0"]
    assert "| 🟠 | [web](https://web.sandbox.test" in bare.await_args.args[0]
    again = await fleet.roll_back()
    assert again.outcome is SetOutcome.COMPLETED
    assert set(outcomes(again).values()) == {UNTOUCHED}


async def test_the_order_is_shown_without_asking_anybody(fleet, home) -> None:
    done = await run("release", "--all", "--dry-run", "--json", cwd=fleet.directory, **home)
    assert done.code == 0, done.text
    stages = [[one["application"] for one in stage["applications"]] for stage in done.json["stages"]]
    assert stages == [["api", "worker"], ["web"]]
    assert fleet.shops["api"].sandbox.app.state.faults.requests == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("release", "--strategy", "canary"), "--strategy: goes with --all"),
        (("release", "--all", "--config", "other.yml"), "--config: with --all the set file says"),
        (("rollback", "3", "--all"), "VERSION: with --all the set file says"),
        (("release", "--all", "--set", "nowhere.yml", "--dry-run"), "nowhere.yml: not found"),
    ],
)
async def test_calls_that_make_no_sense_are_refused(home, tmp_path, arguments, told) -> None:
    done = await run(*arguments, cwd=tmp_path, **home)
    assert done.code == 2
    assert told in done.text


async def test_a_run_that_did_not_end_is_taken_up_and_one_that_released_nothing_is_forgotten(in_prefect) -> None:
    name = uuid.uuid4().hex
    assert await last_set_run(name) is None
    first = await begin_set_run(name)
    assert (await begin_set_run(name)).run == first.run
    await end_set_run(first)
    idle = await begin_set_run(name)
    assert idle.run != first.run
    await end_set_run(idle, has_released=False)
    last = await last_set_run(name)
    assert last is not None
    assert last.run == first.run
    assert last.finished_at is not None
    assert "before" not in json.loads(last.model_dump_json(exclude_none=True))
