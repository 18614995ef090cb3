"""The gate: how many good answers in a row, and how long to wait for them.

`Gate` is a pure state machine over (seconds since the start, all probes good or not); `run_gate` drives it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import Enum

from coolify.finding import Finding, Severity
from coolify.health.probe import ProbeResult
from coolify.wording import counted

__all__ = ["Gate", "GatePolicy", "GateResult", "Verdict", "run_gate"]


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
        self._failures = 0
        self.verdict = Verdict.PENDING
        self.reason = ""

    def feed(self, elapsed: float, *, good: bool) -> Verdict:
        """Take one round into account; a decided gate does not change any more.

        Args:
            elapsed: Seconds since the gate opened; never smaller than before.
            good: Whether every probe of the round was good.
        """
        policy = self._policy
        if self.verdict is not Verdict.PENDING:
            return self.verdict
        if good:
            self._streak_began = self._streak_began if self._streak else elapsed
            self._streak += 1
            if self._streak >= policy.successes and elapsed - self._streak_began >= policy.soak:
                return self._decide(Verdict.PASSED, f"{counted(self._streak, 'good answer')} in a row")
        else:
            self._streak = 0
            self._failures += elapsed >= policy.warm_up
            if policy.failures_allowed is not None and self._failures > policy.failures_allowed:
                return self._decide(
                    Verdict.FAILED, f"{counted(self._failures, 'bad answer')}, {policy.failures_allowed} allowed"
                )
        if elapsed >= policy.deadline:
            return self._decide(
                Verdict.FAILED,
                f"not {policy.successes} good answers in a row within {policy.deadline:g} s",
            )
        return self.verdict

    def _decide(self, verdict: Verdict, reason: str) -> Verdict:
        self.verdict, self.reason = verdict, reason
        return verdict


@dataclass(frozen=True, slots=True)
class GateResult:
    """How the gate was decided, with the last answer of every probe."""

    passed: bool
    reason: str
    rounds: int
    seconds: float
    last: tuple[ProbeResult, ...]

    def findings(self) -> tuple[Finding, ...]:
        """Return one finding for each probe."""
        return tuple(self._finding(result) for result in self.last)

    def _finding(self, result: ProbeResult) -> Finding:
        evidence = [
            f"{result.reason} ({result.seconds * 1000:.0f} ms)",
            f"{self.rounds} rounds in {self.seconds:.1f} s",
        ]
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
            remedy="" if result.ok else "Read the application's log, and ask the same URL by hand.",
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
    while True:
        results = tuple(await asyncio.gather(*(probe() for probe in probes)))
        rounds += 1
        on_round(results)
        elapsed = clock() - started
        if gate.feed(elapsed, good=all(result.ok for result in results)) is not Verdict.PENDING:
            return GateResult(gate.verdict is Verdict.PASSED, gate.reason, rounds, elapsed, results)
        await sleep(policy.interval)
