"""When the health gate opens and when it closes."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coolify.finding import Severity
from coolify.health import Gate, GatePolicy, GateResult, ProbeResult, Verdict, run_gate
from coolify.health.gate import percentile

URL = "https://shop.example.com/health"
GOOD = ProbeResult(URL, ok=True, reason="answered 200 in 5 ms", status=200, seconds=0.005, excerpt="fine")
BAD = ProbeResult(URL, ok=False, reason="answered 502 instead of 200", status=502, seconds=0.01, excerpt="Bad Gateway")


def fed(policy: GatePolicy, rounds: str, interval: float = 1.0) -> Gate:
    """Return a gate after rounds written as `+` and `-`, the first at once and one every interval."""
    gate = Gate(policy)
    for number, sign in enumerate(rounds):
        gate.feed(number * interval, good=sign == "+")
    return gate


@pytest.mark.parametrize(
    ("rounds", "verdict"),
    [
        ("", Verdict.PENDING),
        ("++", Verdict.PENDING),
        ("+++", Verdict.PASSED),
        ("---+++", Verdict.PASSED),
        ("++-++", Verdict.PENDING),
        ("++-+++", Verdict.PASSED),
        ("+-+-+-+-", Verdict.PENDING),
    ],
)
def test_only_good_rounds_in_a_row_open_the_gate(rounds, verdict) -> None:
    assert fed(GatePolicy(successes=3), rounds).verdict is verdict


def test_an_open_gate_says_why() -> None:
    assert fed(GatePolicy(successes=2), "-++").reason == "2 good answers in a row"


@pytest.mark.parametrize(
    ("rounds", "verdict"), [("--", Verdict.PENDING), ("---", Verdict.FAILED), ("-+-+-", Verdict.FAILED)]
)
def test_more_bad_rounds_than_allowed_close_the_gate_also_when_scattered(rounds, verdict) -> None:
    assert fed(GatePolicy(successes=3, failures_allowed=2), rounds).verdict is verdict


def test_a_gate_that_allows_no_failure_closes_at_the_first() -> None:
    gate = fed(GatePolicy(failures_allowed=0), "-")
    assert gate.verdict is Verdict.FAILED
    assert gate.reason == "1 bad answer, 0 allowed"


def test_bad_rounds_during_the_warm_up_are_not_counted() -> None:
    policy = GatePolicy(successes=2, failures_allowed=0, warm_up=3)
    assert fed(policy, "---").verdict is Verdict.PENDING
    assert fed(policy, "---++").verdict is Verdict.PASSED
    assert fed(policy, "----").verdict is Verdict.FAILED


def test_a_bad_round_during_the_warm_up_still_breaks_the_row() -> None:
    assert fed(GatePolicy(successes=3, warm_up=60), "++-+").verdict is Verdict.PENDING


def test_good_rounds_during_the_warm_up_count() -> None:
    assert fed(GatePolicy(successes=2, warm_up=60), "++").verdict is Verdict.PASSED


def test_the_deadline_closes_the_gate() -> None:
    policy = GatePolicy(successes=3, deadline=5)
    assert fed(policy, "-+-+-").verdict is Verdict.PENDING
    closed = fed(policy, "-+-+-+")
    assert closed.verdict is Verdict.FAILED
    assert closed.reason == "not 3 good answers in a row within 5 s"


def test_the_last_good_round_at_the_deadline_still_opens_the_gate() -> None:
    assert fed(GatePolicy(successes=2, deadline=3), "--++").verdict is Verdict.PASSED


def test_a_soak_wants_good_rounds_over_a_time_and_not_only_a_number() -> None:
    policy = GatePolicy(successes=2, soak=4)
    assert fed(policy, "++++").verdict is Verdict.PENDING
    assert fed(policy, "+++++").verdict is Verdict.PASSED


def test_a_bad_round_starts_the_soak_again() -> None:
    policy = GatePolicy(successes=2, soak=4)
    assert fed(policy, "++++-++++").verdict is Verdict.PENDING
    assert fed(policy, "++++-+++++").verdict is Verdict.PASSED


def timed(policy: GatePolicy, *seconds: float) -> Gate:
    """Return a gate after good rounds that took so long."""
    gate = Gate(policy)
    for number, one in enumerate(seconds):
        gate.feed(float(number), good=True, latencies=(one,))
    return gate


def test_the_slowest_answers_keep_the_gate_closed_until_they_are_the_exception() -> None:
    policy = GatePolicy(successes=3, p95=0.5)
    assert timed(policy, 0.1, 0.1, 0.5).verdict is Verdict.PASSED
    assert timed(policy, 2.0, 0.1, 0.1).verdict is Verdict.PENDING
    assert timed(policy, 2.0, *[0.1] * 18).verdict is Verdict.PENDING
    assert timed(policy, 2.0, *[0.1] * 19).verdict is Verdict.PASSED


def test_a_gate_that_stays_too_slow_says_by_how_much() -> None:
    gate = timed(GatePolicy(successes=2, p95=0.5, deadline=3), 0.9, 0.8, 0.8, 0.8)
    assert gate.verdict is Verdict.FAILED
    assert gate.reason == "95 % of the answers came within 900 ms, 500 ms demanded"


def test_a_bad_round_starts_the_measurement_of_time_again() -> None:
    gate = Gate(GatePolicy(successes=2, p95=0.5))
    gate.feed(0, good=True, latencies=(3.0,))
    gate.feed(1, good=False, latencies=(0.1,))
    gate.feed(2, good=True, latencies=(0.1,))
    assert gate.feed(3, good=True, latencies=(0.1,)) is Verdict.PASSED


@pytest.mark.parametrize(("share", "value"), [(0.0, 1), (0.05, 1), (0.5, 10), (0.95, 19), (0.96, 20), (1.0, 20)])
def test_a_percentile_is_one_of_the_values_by_nearest_rank(share, value) -> None:
    assert percentile(list(range(20, 0, -1)), share) == value


@pytest.mark.parametrize(("rounds", "verdict"), [("++--------", Verdict.PASSED), ("--++++++++", Verdict.FAILED)])
def test_a_decided_gate_does_not_change_any_more(rounds, verdict) -> None:
    assert fed(GatePolicy(successes=2, failures_allowed=1), rounds).verdict is verdict


policies = st.builds(
    GatePolicy,
    successes=st.integers(1, 4),
    deadline=st.floats(1, 60),
    warm_up=st.floats(0, 20),
    failures_allowed=st.none() | st.integers(0, 4),
    soak=st.floats(0, 20),
)
histories = st.lists(st.tuples(st.floats(0, 10), st.booleans()), max_size=25)


@given(policies, histories)
def test_the_verdict_is_what_the_rounds_prove(policy: GatePolicy, history: list[tuple[float, bool]]) -> None:
    gate = Gate(policy)
    elapsed, rounds = 0.0, []
    for wait, good in history:
        elapsed += wait
        rounds.append((elapsed, good))
        if gate.feed(elapsed, good=good) is not Verdict.PENDING:
            break
    counted = [at for at, good in rounds if not good and at >= policy.warm_up]
    allowed = policy.failures_allowed
    if gate.verdict is Verdict.PASSED:
        row = [at for at, good in rounds[max((i for i, one in enumerate(rounds) if not one[1]), default=-1) + 1 :]]
        assert len(row) >= policy.successes
        assert row[-1] - row[0] >= policy.soak
        assert allowed is None or len(counted) <= allowed
    elif gate.verdict is Verdict.FAILED:
        assert elapsed >= policy.deadline or (allowed is not None and len(counted) > allowed)
    else:
        assert elapsed < policy.deadline or not rounds
        assert allowed is None or len(counted) <= allowed
    assert bool(gate.reason) == (gate.verdict is not Verdict.PENDING)


@given(policies, histories)
def test_a_gate_is_decided_by_the_deadline(policy: GatePolicy, history: list[tuple[float, bool]]) -> None:
    gate = Gate(policy)
    elapsed = 0.0
    for wait, good in history:
        elapsed += wait
        gate.feed(elapsed, good=good)
    assert gate.feed(max(elapsed, policy.deadline), good=False) is not Verdict.PENDING


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


async def run(policy: GatePolicy, *scripts: str, **further: object) -> GateResult:
    """Run a gate over probes whose answers are written as `+` and `-`, the last one for good."""
    clock = Clock()

    def scripted(script: str):
        signs = iter(script)

        async def probe() -> ProbeResult:
            return GOOD if next(signs, script[-1]) == "+" else BAD

        return probe

    return await run_gate([scripted(one) for one in scripts], policy, clock=clock, sleep=clock.sleep, **further)


async def test_a_run_ends_with_the_gate_and_tells_how_long_it_took() -> None:
    result = await run(GatePolicy(successes=3, interval=2), "--+")
    assert result.passed
    assert (result.rounds, result.seconds) == (5, 8)
    assert result.last == (GOOD,)
    assert result.reason == "3 good answers in a row"


async def test_a_round_is_good_only_when_every_probe_is() -> None:
    result = await run(GatePolicy(successes=2, interval=1), "-+", "+-+", "+")
    assert result.passed
    assert result.rounds == 4


async def test_a_run_ends_at_the_deadline() -> None:
    result = await run(GatePolicy(interval=2, deadline=10), "-")
    assert not result.passed
    assert (result.rounds, result.seconds) == (6, 10)


async def test_every_round_is_told() -> None:
    told = []
    await run(GatePolicy(successes=1), "-+", "+", on_round=told.append)
    assert told == [(BAD, GOOD), (GOOD, GOOD)]


async def test_a_passed_gate_is_good_news_for_every_probe() -> None:
    (finding,) = (await run(GatePolicy(successes=3), "+")).findings()
    assert finding.name == "health-gate-passed"
    assert finding.severity is Severity.OK
    assert finding.subject == URL
    assert finding.summary == f"{URL} works: 3 good answers in a row."
    assert finding.evidence == ("answered 200 in 5 ms (5 ms)", "3 rounds in 4.0 s")
    assert finding.remedy == ""


async def test_a_closed_gate_blames_the_probe_that_was_bad_and_shows_its_answer() -> None:
    blamed, innocent = (await run(GatePolicy(failures_allowed=0), "-", "+")).findings()
    assert (blamed.name, blamed.severity) == ("health-gate-failed", Severity.ERROR)
    assert "answered 502 instead of 200; gate: 1 bad answer, 0 allowed." in blamed.summary
    assert "body: Bad Gateway" in blamed.evidence
    assert "log" in blamed.remedy
    assert (innocent.name, innocent.severity) == ("health-gate-failed", Severity.INFO)
    assert "answered well at last" in innocent.summary
    assert innocent.remedy == ""


def test_a_bad_answer_without_a_body_shows_none() -> None:
    result = GateResult(False, "reason", 1, 0.0, (replace(BAD, excerpt=""),))
    assert not any(one.startswith("body") for one in result.findings()[0].evidence)
