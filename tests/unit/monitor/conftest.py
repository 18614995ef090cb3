"""A watch that a test leads through looks, minute by minute."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from coolify.config.monitoring import Aspect, Monitoring
from coolify.finding import Finding, Severity
from coolify.monitor.changes import Change, compare
from coolify.monitor.memory import Notes, WatchState
from coolify.monitor.model import Look, Observation, Subject

SHOP = Subject(key="shop", coolify="https://coolify.example.com", application="shop", environment="production")


def finding(severity: Severity = Severity.ERROR, name: str = "watch-not-healthy") -> Finding:
    return Finding(name=name, severity=severity, subject="https://shop.example.com", summary="It answered 503.")


GOOD = finding(Severity.OK, "watch-healthy")


@dataclass
class Watching:
    policy: Monitoring = field(default_factory=Monitoring)
    notes: Notes = field(default_factory=Notes)
    state: WatchState = field(default_factory=WatchState)
    now: datetime = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)

    def see(self, *findings: Finding, minutes: float = 1, **look: object) -> tuple[Change, ...]:
        """Let time pass, and return what is told after a look."""
        self.now += timedelta(minutes=minutes)
        seen = Observation(aspect=Aspect.HEALTH, at=self.now, findings=findings)
        return self.compare(Look(subject=SHOP, observations=(seen,), **look))

    def compare(self, *looks: Look) -> tuple[Change, ...]:
        policies = {SHOP.key: self.policy}
        self.state, changes = compare(self.state, looks, policies, self.notes, self.now)
        return changes

    def kinds(self, *findings: Finding, **more: object) -> list[str]:
        return [one.kind.value for one in self.see(*findings, **more)]


@pytest.fixture
def watching() -> Watching:
    return Watching()
