"""Two days of four applications, as `coolify monitor serve` would have exposed them; made up, and always the same.

Names and labels come from the product's own exposition, so that none of them can be out of date here.
"""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from prometheus_client.core import Metric as Family
from prometheus_client.openmetrics import exposition
from prometheus_client.registry import Collector

from coolify.config.monitoring import Aspect
from coolify.finding import Finding, Severity
from coolify.monitor.counting import Counted
from coolify.monitor.metrics import Exposed, registry_of
from coolify.monitor.model import Ended, Look, Measure, Metric, Observation, Subject
from coolify.monitor.outcomes import Waiting
from coolify.monitor.recorded import measure_waiting
from coolify.release.record import Outcome

END: Final = datetime(2026, 3, 12, 14, tzinfo=UTC)
"""The moment at which the dashboard is looked at."""
STEP: Final = timedelta(minutes=3)
"""From look to look."""
_LOOKS: Final = 980
"""A day that is shown, a day that counters of the first hour look back on, and an hour."""
_COOLIFY: Final = "https://coolify.example.com"
_OPENED: Final = END - timedelta(minutes=22)
"""Since when the release of the shop waits for an answer: its build has failed."""
_Measured = list[tuple[Metric, float, str]]


@dataclass(frozen=True, slots=True)
class Application:
    """What is told of an application; times are hours before the end."""

    name: str
    environment: str
    host: str
    latency: float
    certificate_days: float
    deployments: tuple[tuple[float, str, float], ...]
    """When each ended, how, and how many seconds it took."""
    releases: tuple[tuple[float, Outcome], ...]
    troubles: tuple[tuple[Aspect, Severity, float, float], ...] = ()
    """From when to when an aspect was wrong."""
    databases: tuple[tuple[str, float, float], ...] = ()
    """Age of the backup and of its proof."""
    restarts: tuple[float, ...] = ()


_FLEET: Final = (
    Application(
        "shop", "production", "shop.example.com", 0.14, 61,
        deployments=(
            (44, "finished", 190), (30, "finished", 204), (22, "finished", 196), (6.4, "finished", 231),
            (6.1, "finished", 94), (0.4, "failed", 74),
        ),
        releases=((44, Outcome.COMPLETED), (30, Outcome.COMPLETED), (22, Outcome.COMPLETED), (6, Outcome.ROLLED_BACK)),
        troubles=(
            (Aspect.HEALTH, Severity.ERROR, 6.4, 6.1), (Aspect.DEPLOYMENT, Severity.WARNING, 0.4, 0),
            (Aspect.HEALTH, Severity.WARNING, 18.4, 17.1),
        ),
        databases=(("main", 11.5, 60), ("sessions", 11.4, 84)),
    ),
    Application(
        "shop", "staging", "staging.shop.example.com", 0.21, 2.4,
        deployments=(
            (46, "finished", 210), (41, "finished", 180), (27, "finished", 195), (23.5, "finished", 170),
            (20.5, "cancelled", 40), (8, "finished", 260), (5, "failed", 88), (3.5, "finished", 240),
            (0.7, "finished", 221),
        ),
        releases=((41, Outcome.COMPLETED), (23.5, Outcome.COMPLETED), (8, Outcome.COMPLETED), (3.5, Outcome.COMPLETED)),
        troubles=(
            (Aspect.CERTIFICATE, Severity.WARNING, 49, 0), (Aspect.DRIFT, Severity.WARNING, 9.2, 0),
            (Aspect.DEPLOYMENT, Severity.WARNING, 5, 3.5), (Aspect.HEALTH, Severity.ERROR, 0.7, 0),
        ),
        databases=(("main", 12.2, 130),),
        restarts=(31, 16, 2.2),
    ),
    Application(
        "blog", "production", "blog.example.com", 0.09, 12,
        deployments=((40, "finished", 75), (13.1, "finished", 82)),
        releases=((40, Outcome.COMPLETED), (13, Outcome.COMPLETED)),
        troubles=(
            (Aspect.HEALTH, Severity.ERROR, 15.2, 13.1), (Aspect.CONTAINER, Severity.WARNING, 15.4, 14.6),
            (Aspect.CONTAINER, Severity.ERROR, 14.6, 13.1), (Aspect.BACKUP, Severity.WARNING, 38, 0),
            (Aspect.CERTIFICATE, Severity.WARNING, 16, 0),
        ),
        databases=(("main", 86, 270),),
        restarts=(15.4, 15.2, 15.1, 14.9, 14.6),
    ),
    Application(
        "docs", "production", "docs.example.com", 0.05, 78,
        deployments=((45, "finished", 41), (19, "finished", 38), (9.5, "finished", 44)),
        releases=((45, Outcome.COMPLETED), (19, Outcome.COMPLETED), (9.5, Outcome.COMPLETED)),
    ),
)  # fmt: skip


class _At(Collector):
    """The metrics of one look, with its time."""

    def __init__(self, exposed: Exposed, at: float) -> None:
        self._registry, self._at = registry_of(exposed), at

    def collect(self) -> Iterator[Family]:
        for family in self._registry.collect():
            family.samples = [one._replace(timestamp=self._at) for one in family.samples]
            yield family


def openmetrics() -> Iterator[bytes]:
    """Return the whole history, as `promtool` takes it."""
    chance, counted = random.Random(1), Counted()
    for number in range(_LOOKS):
        at = END - (_LOOKS - 1 - number) * STEP
        looks = (_server(at, number, chance), *(_look(one, at, chance) for one in _FLEET))
        counted.add(looks)
        slow = 10 if any(_is_down(one, _before_end(at)) for one in _FLEET) else 0
        waiting: Waiting = {"build-failed": (_OPENED,)} if at >= _OPENED else {}
        exposed = Exposed(
            looks,
            at,
            seconds=1.4 + chance.random() + slow,
            runs=number,
            of_prefect=measure_waiting(waiting, at),
            counted=counted,
        )
        # Its library tells no types of it.
        text: bytes = exposition.generate_latest(_At(exposed, at.timestamp()))  # type: ignore[no-untyped-call]
        yield text.removesuffix(b"# EOF\n")
    yield b"# EOF\n"


def _before_end(at: datetime) -> float:
    return (END - at) / timedelta(hours=1)


def _is_down(one: Application, ago: float) -> bool:
    return any(finding.is_problem for finding in _findings(one, Aspect.HEALTH, ago))


def _server(at: datetime, number: int, chance: random.Random) -> Look:
    # What differs from the configuration is looked at every six hours, and costs more than all the rest.
    requests = 7 + chance.randint(0, 6) + (40 if number % 120 == 0 else 0)
    measured: _Measured = [
        (Metric.REACHED, 1, ""),
        (Metric.API_REQUESTS, requests, ""),
        (Metric.API_REMAINING, 200 - requests, ""),
        *((Metric.SERVER_REACHABLE, 1, server) for server in ("localhost", "build-1")),
    ]
    subject = Subject(key=_COOLIFY, coolify=_COOLIFY)
    return Look(subject=subject, observations=(Observation(aspect=Aspect.SERVER, at=at, measures=_measures(measured)),))


def _measures(measured: _Measured) -> tuple[Measure, ...]:
    return tuple(Measure(metric=metric, value=value, detail=detail) for metric, value, detail in measured)


def _look(one: Application, at: datetime, chance: random.Random) -> Look:
    ago = _before_end(at)
    measured: dict[Aspect, _Measured] = {
        Aspect.HEALTH: _health(one, ago, chance),
        Aspect.CERTIFICATE: [(Metric.CERTIFICATE, one.certificate_days * 86400 + ago * 3600, one.host)],
        Aspect.DNS: [(Metric.DNS_OK, 1, one.host)],
        Aspect.CONTAINER: [(Metric.RESTARTS, _restarts(one, ago), "")],
        Aspect.DEPLOYMENT: _deployment(one, ago),
        Aspect.DRIFT: [],
    }
    if one.databases:
        measured[Aspect.BACKUP] = _backups(one, ago)
    ended = tuple(
        Ended(uuid=str(when), result=result, seconds=seconds)
        for when, result, seconds in one.deployments
        if when >= ago
    )
    observations = [
        Observation(
            aspect=aspect,
            at=at,
            measures=_measures(measures),
            findings=tuple(_findings(one, aspect, ago)),
            ended=ended if aspect is Aspect.DEPLOYMENT else None,
        )
        for aspect, measures in measured.items()
    ]
    key = f"{one.name}-{one.environment}"
    subject = Subject(key=key, coolify=_COOLIFY, project=one.name, application=one.name, environment=one.environment)
    return Look(subject=subject, observations=tuple(observations))


def _findings(one: Application, aspect: Aspect, ago: float) -> Iterator[Finding]:
    for wrong, severity, began, ended in one.troubles:
        # What ends with the picture has not ended.
        if wrong is aspect and began >= ago and (ago > ended or not ended):
            yield Finding(name=f"watch-{aspect}", severity=severity, subject=one.name, summary="It is wrong.")


def _health(one: Application, ago: float, chance: random.Random) -> _Measured:
    down = _is_down(one, ago)
    slow = 6 if any(_findings(one, Aspect.HEALTH, ago)) else 1
    # People come in the afternoon.
    latency = one.latency * slow * (1 + 0.3 * math.sin((ago + 4) / 24 * math.tau) + 0.25 * chance.random())
    answered: _Measured = [] if down else [(Metric.LATENCY, latency, f"https://{one.host}/health")]
    return [(Metric.UP, float(not down), ""), *answered]


def _restarts(one: Application, ago: float) -> float:
    """A deployment begins anew."""
    deployed = min((when for when, _, _ in one.deployments if when >= ago), default=math.inf)
    return sum(ago <= when < deployed for when in one.restarts)


def _deployment(one: Application, ago: float) -> _Measured:
    latest = [seconds for when, _, seconds in one.deployments if when >= ago]
    ended = [outcome for when, outcome in one.releases if when >= ago]
    measured: _Measured = [(Metric.DEPLOYMENT_SECONDS, seconds, "") for seconds in latest[-1:]]
    measured += [(Metric.RELEASES, float(ended.count(outcome)), outcome.value) for outcome in Outcome]
    measured += [(Metric.RELEASE_OUTCOME, float(ended[-1:] == [outcome]), outcome.value) for outcome in Outcome]
    return measured


def _backups(one: Application, ago: float) -> _Measured:
    backups = [(Metric.BACKUP_AGE, _age(backup, ago, 24) * 3600, name) for name, backup, _ in one.databases]
    return backups + [(Metric.PROOF_AGE, _age(proof, ago, 168) * 3600, name) for name, _, proof in one.databases]


def _age(newest: float, ago: float, every: float) -> float:
    """Return how old the newest one was then; before it there was one every so many hours."""
    return newest - ago if newest >= ago else (newest - ago) % every
