"""The gate: how many good answers in a row, and how long to wait for them.

`Gate` is a pure state machine over (seconds since the start, all probes good or not); `run_gate` drives it.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from coolify.finding import Finding, Severity
from coolify.health.probe import ProbeResult
from coolify.wording import counted

__all__ = ["Gate", "GatePolicy", "GateResult", "Verdict", "container_log", "percentile", "run_gate"]

_REMEMBERED: Final = 3
"""Rounds before the last that a report shows."""


@dataclass(frozen=True, slots=True)
class GatePolicy:
    """When an application counts as healthy; times in seconds."""

    successes: int = 3
    """Good rounds in a row."""
    interval: float = 2.0
    deadline: float = 120.0
    warm_up: float = 0.0
    """Failures during this time at the beginning are expected and not counted."""
    failures_allowed: int | None = None
    """More bad rounds than this close the gate before the deadline; None for no such limit."""
    soak: float = 0.0
    """Good rounds must span at least this time."""
    p95: float | None = None
    """95 of 100 answers of the good rounds must come within this time; None for no bound."""


class Verdict(Enum):
    """Where the gate stands."""

    PENDING = "pending"
    PASSED = "passed"
    FAILED = "failed"


class Gate:
    """Counts rounds; one round is one answer of every probe."""

    def __init__(self, policy: GatePolicy) -> None:
        self._policy = policy
        self._streak = 0
        self._streak_began = 0.0
        self._latencies: list[float] = []
        self._failures = 0
        self.verdict = Verdict.PENDING
        self.reason = ""

    def feed(self, elapsed: float, *, good: bool, latencies: Iterable[float] = ()) -> Verdict:
        """Take one round into account; a decided gate does not change any more.

        Args:
            elapsed: Seconds since the gate opened; never smaller than before.
            good: Whether every probe of the round was good.
            latencies: Seconds that each answer of the round took.
        """
        policy = self._policy
        if self.verdict is not Verdict.PENDING:
            return self.verdict
        if good:
            self._streak_began = self._streak_began if self._streak else elapsed
            self._streak += 1
            self._latencies += latencies
            is_long_enough = self._streak >= policy.successes and elapsed - self._streak_began >= policy.soak
            if is_long_enough and not self._too_slow:
                return self._decide(Verdict.PASSED, f"{counted(self._streak, 'good answer')} in a row")
        else:
            self._streak = 0
            self._latencies = []
            self._failures += elapsed >= policy.warm_up
            if policy.failures_allowed is not None and self._failures > policy.failures_allowed:
                return self._decide(
                    Verdict.FAILED, f"{counted(self._failures, 'bad answer')}, {policy.failures_allowed} allowed"
                )
        if elapsed >= policy.deadline:
            return self._decide(
                Verdict.FAILED,
                self._too_slow or f"not {policy.successes} good answers in a row within {policy.deadline:g} s",
            )
        return self.verdict

    @property
    def _too_slow(self) -> str:
        """In words, by how much the answers of the good rounds are too slow; empty when they are not."""
        bound = self._policy.p95
        if bound is None or not self._latencies or (p95 := percentile(self._latencies, 0.95)) <= bound:
            return ""
        return f"95 % of the answers came within {p95 * 1000:.0f} ms, {bound * 1000:.0f} ms demanded"

    def _decide(self, verdict: Verdict, reason: str) -> Verdict:
        self.verdict, self.reason = verdict, reason
        return verdict


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest of the values that is not exceeded by this share of them (nearest rank).

    >>> percentile([0.4, 0.1, 0.3, 0.2], 0.75)
    0.3
    """
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


@dataclass(frozen=True, slots=True)
class GateResult:
    """How the gate was decided, with the last answer of every probe."""

    passed: bool
    reason: str
    rounds: int
    seconds: float
    last: tuple[ProbeResult, ...]
    before: tuple[tuple[ProbeResult, ...], ...] = ()
    """The answers of a few rounds before the last, oldest first."""

    def findings(self) -> tuple[Finding, ...]:
        """Return one finding for each probe."""
        return tuple(self._finding(place, result) for place, result in enumerate(self.last))

    def _finding(self, place: int, result: ProbeResult) -> Finding:
        evidence = [
            f"{result.reason} ({result.seconds * 1000:.0f} ms)",
            f"{self.rounds} rounds in {self.seconds:.1f} s",
        ]
        earlier = [answers[place].reason for answers in self.before]
        evidence += [f"before that: {'; '.join(earlier)}"] if earlier and not self.passed else []
        evidence += [f"body: {result.excerpt}"] if result.excerpt and not result.ok else []
        if self.passed:
            return Finding(
                name="health-gate-passed",
                severity=Severity.OK,
                subject=result.url,
                summary=f"{result.url} works: {self.reason}.",
                evidence=tuple(evidence),
            )
        return Finding(
            name="health-gate-failed",
            severity=Severity.INFO if result.ok else Severity.ERROR,
            subject=result.url,
            summary=f"{result.url} {'answered well at last' if result.ok else result.reason}; gate: {self.reason}.",
            evidence=tuple(evidence),
            remedy="" if result.ok else "Read the application's log, and ask the same by hand.",
        )


def container_log(subject: str, lines: tuple[str, ...]) -> Finding:
    """Show what the container of an application printed last.

    Args:
        subject: Application.
        lines: The last lines, without secrets.
    """
    return Finding(
        name="health-gate-container-log",
        severity=Severity.INFO,
        subject=subject,
        summary=f"The last {counted(len(lines), 'line')} of the container's log.",
        evidence=lines,
    )


async def run_gate(
    probes: Sequence[Callable[[], Awaitable[ProbeResult]]],
    policy: GatePolicy,
    *,
    on_round: Callable[[tuple[ProbeResult, ...]], None] = lambda _: None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> GateResult:
    """Ask all probes side by side, round by round, until the gate is decided.

    Args:
        probes: Questions; at least one.
        policy: When to be content.
        on_round: Told the answers of every round.
        clock: Seconds, monotonic.
        sleep: Waits between rounds.
    """
    gate = Gate(policy)
    started = clock()
    rounds = 0
    recent: deque[tuple[ProbeResult, ...]] = deque(maxlen=_REMEMBERED)
    while True:
        results = tuple(await asyncio.gather(*(probe() for probe in probes)))
        rounds += 1
        on_round(results)
        elapsed = clock() - started
        latencies = [result.seconds for result in results if result.status is not None]
        if gate.feed(elapsed, good=all(result.ok for result in results), latencies=latencies) is not Verdict.PENDING:
            return GateResult(gate.verdict is Verdict.PASSED, gate.reason, rounds, elapsed, results, tuple(recent))
        recent.append(results)
        await sleep(policy.interval)
