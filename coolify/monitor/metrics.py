"""What was seen, as Prometheus reads it (text exposition format 0.0.4).

Names and labels are described in docs/monitoring.md and are kept: dashboards and rules of others rest on them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.core import Metric as Family
from prometheus_client.registry import Collector

from coolify.config.monitoring import Aspect
from coolify.files import write_whole
from coolify.finding import Severity
from coolify.monitor.counting import BOUNDS, Counted, Deployed
from coolify.monitor.described import APPLICATION, COOLIFY, DESCRIPTIONS
from coolify.monitor.model import Look, Measure, Metric, Subject

__all__ = ["Exposed", "exposition", "registry_of", "write_textfile"]

PROBLEM: Final = "coolify_app_problem"
LOOK_TIME: Final = "coolify_watch_timestamp_seconds"
LOOK_SECONDS: Final = "coolify_watch_duration_seconds"
LOOKS: Final = "coolify_watch_runs"
"""Metrics about the looks themselves; Prometheus adds `_total` to the last."""
DEPLOYMENTS: Final = "coolify_app_deployments"
DURATIONS: Final = "coolify_app_deployment_duration_seconds"
CALLS: Final = "coolify_api_calls"
"""What a process counts; `_total` is added to the first and to the last."""


@dataclass(frozen=True, slots=True)
class Exposed:
    """What is exposed at one time."""

    looks: tuple[Look, ...] = ()
    at: datetime | None = None
    """When the last look ended, None before the first."""
    seconds: float = 0.0
    """How long it took."""
    runs: int = 0
    of_prefect: tuple[Measure, ...] = ()
    """What belongs to no Coolify server."""
    counted: Counted | None = None
    """What was counted from look to look, None where there is only one."""


def registry_of(exposed: Exposed) -> CollectorRegistry:
    """Return the metrics as a registry of `prometheus_client`."""
    collectors = CollectorRegistry()
    collectors.register(_Looks(exposed))
    return collectors


def exposition(exposed: Exposed) -> bytes:
    """Return the metrics as text."""
    return generate_latest(registry_of(exposed))


def write_textfile(path: Path, exposed: Exposed) -> None:
    """Write the metrics for the textfile collector of node_exporter, which must never see half a file.

    Raises:
        OSError: It cannot be written.
    """
    write_whole(path, exposition(exposed).decode(), mode=0o644)


class _Looks(Collector):
    """Turns looks into metric families."""

    def __init__(self, exposed: Exposed) -> None:
        self._exposed = exposed

    def collect(self) -> Iterable[Family]:
        """Return all families; those without a sample are left out."""
        yield from _measures(self._exposed)
        yield _problems(self._exposed.looks)
        if self._exposed.counted is not None:
            yield from _counters(self._exposed.counted)
        yield _simple(LOOK_TIME, "When everything was looked at last (Unix time).", self._time)
        yield _simple(LOOK_SECONDS, "Seconds that the last look took.", self._exposed.seconds)
        runs = CounterMetricFamily(LOOKS, "How often everything was looked at by this process.")
        runs.add_metric((), self._exposed.runs)
        yield runs

    @property
    def _time(self) -> float:
        return self._exposed.at.timestamp() if self._exposed.at else 0.0


def _measures(exposed: Exposed) -> Iterable[Family]:
    families = {metric: _family(metric) for metric in DESCRIPTIONS}
    nobody = Subject(key="", coolify="")
    seen = [(look.subject, measure) for look in exposed.looks for one in look.observations for measure in one.measures]
    for subject, measure in (*seen, *((nobody, one) for one in exposed.of_prefect)):
        described = DESCRIPTIONS[measure.metric]
        own = (measure.detail,) if described.detail else ()
        families[measure.metric].add_metric((*_values(subject, described.scope), *own), measure.value)
    return (one for one in families.values() if one.samples)


def _family(metric: Metric) -> GaugeMetricFamily | CounterMetricFamily:
    described = DESCRIPTIONS[metric]
    # By the conventions of Prometheus nothing else is named so.
    kind = CounterMetricFamily if metric.value.endswith("_total") else GaugeMetricFamily
    return kind(metric.value, described.text, labels=described.labels)


def _values(subject: Subject, scope: Iterable[str]) -> tuple[str, ...]:
    return tuple(str(getattr(subject, name)) for name in scope)


def _counters(counted: Counted) -> Iterable[Family]:
    """Return what was counted."""
    ended = CounterMetricFamily(
        DEPLOYMENTS, "Deployments that ended so since they are counted.", labels=(*APPLICATION, "result")
    )
    durations = HistogramMetricFamily(
        DURATIONS, "Seconds that deployments took that ended since they are counted.", labels=APPLICATION
    )
    for subject, deployed in counted.deployed:
        labels = _values(subject, APPLICATION)
        for result, number in deployed.results.items():
            ended.add_metric((*labels, result), number)
        durations.add_metric(labels, _buckets(deployed), deployed.seconds)
    calls = CounterMetricFamily(CALLS, "Requests that this process sent to Coolify.", labels=COOLIFY)
    for coolify, number in counted.requests.items():
        calls.add_metric((coolify,), number)
    return (one for one in (ended, durations, calls) if one.samples)


def _buckets(deployed: Deployed) -> list[tuple[str, float]]:
    bounds = (*(str(one) for one in BOUNDS), "+Inf")
    return list(zip(bounds, accumulate(deployed.classes), strict=True))


def _problems(looks: Iterable[Look]) -> Family:
    """Return for every aspect that was looked at how bad it is: 0 good, 1 a warning, 2 an error."""
    text = "How bad an aspect is: 0 good, 1 a warning, 2 an error."
    family = GaugeMetricFamily(PROBLEM, text, labels=(*APPLICATION, "aspect"))
    levels = {Severity.WARNING: 1.0, Severity.ERROR: 2.0}
    for look in looks:
        subject = look.subject
        worst: dict[Aspect, float] = {}
        for seen in look.observations:
            worst[seen.aspect] = max(worst.get(seen.aspect, 0.0), levels.get(seen.severity, 0.0))
        for aspect, level in worst.items():
            family.add_metric((*_values(subject, APPLICATION), aspect.value), level)
    return family


def _simple(name: str, text: str, value: float) -> Family:
    family = GaugeMetricFamily(name, text)
    family.add_metric((), value)
    return family
