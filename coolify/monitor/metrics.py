"""What was seen, as Prometheus reads it (text exposition format 0.0.4).

Names and labels are described in docs/monitoring.md and are kept: dashboards and rules of others rest on them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.core import Metric as Family
from prometheus_client.registry import Collector

from coolify.config.monitoring import Aspect
from coolify.files import write_whole
from coolify.finding import Severity
from coolify.monitor.model import Look, Metric

__all__ = ["DESCRIPTIONS", "Described", "Exposed", "exposition", "write_textfile"]

_APPLICATION: Final = ("coolify", "project", "environment", "application")


@dataclass(frozen=True, slots=True)
class Described:
    """A metric, for people and for Prometheus."""

    text: str
    detail: str = ""
    """Name of the label beside those of the subject; empty where there is none."""
    of_application: bool = True
    counts: bool = False
    """Whether it only grows."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of its labels."""
        own = (self.detail,) if self.detail else ()
        return (*_APPLICATION, *own) if self.of_application else ("coolify", *own)


DESCRIPTIONS: Final[Mapping[Metric, Described]] = {
    Metric.UP: Described("Whether every question of `health` was answered well (1) or not (0)."),
    Metric.LATENCY: Described("Seconds that the slowest address took to answer a question.", "url"),
    Metric.CERTIFICATE: Described(
        "Seconds until the first of a host's certificates ends; negative afterwards.", "host"
    ),
    Metric.DNS_OK: Described("Whether a host leads to the application's server and nothing hinders it.", "host"),
    Metric.RUNNING: Described("Whether Coolify calls the container running."),
    Metric.RESTARTS: Described("Restarts of the container, as Coolify counts them; begins anew with a deployment."),
    Metric.DEPLOYMENT_OK: Described("Whether the latest deployment ended without failing."),
    Metric.DEPLOYMENT_SECONDS: Described("Seconds that the latest deployment took."),
    Metric.DEPLOYMENT_TIME: Described("When the latest deployment ended (Unix time)."),
    Metric.BACKUP_AGE: Described("Seconds since the newest backup that is one.", "database"),
    Metric.BACKUP_SIZE: Described("Bytes of the newest backup that is one.", "database"),
    Metric.PROOF_AGE: Described("Seconds since a dump was last seen to restore.", "database"),
    Metric.RESTORE_SECONDS: Described(
        "Seconds from the bucket to an answering database, when last proved.", "database"
    ),
    Metric.DRIFT: Described("Number of changes between the configuration file and Coolify."),
    Metric.REACHED: Described("Whether Coolify's API answered.", of_application=False),
    Metric.SERVER_REACHABLE: Described("Whether Coolify reaches a server.", "server", of_application=False),
    Metric.SERVER_USABLE: Described("Whether Coolify can use a server.", "server", of_application=False),
    Metric.SERVER_DISK: Described(
        "Percent of the disk that was used when Coolify measured it last, as it cleans up.",
        "server",
        of_application=False,
    ),
    Metric.API_REQUESTS: Described("Requests that the last look sent to Coolify.", of_application=False),
    Metric.API_REMAINING: Described("Requests that Coolify still allowed in that minute.", of_application=False),
}
"""Every metric of an observation."""

PROBLEM: Final = "coolify_app_problem"
LOOK_TIME: Final = "coolify_watch_timestamp_seconds"
LOOK_SECONDS: Final = "coolify_watch_duration_seconds"
LOOKS: Final = "coolify_watch_runs"
"""Metrics about the looks themselves; Prometheus adds `_total` to the last."""


@dataclass(frozen=True, slots=True)
class Exposed:
    """What is exposed at one time."""

    looks: tuple[Look, ...] = ()
    at: datetime | None = None
    """When the last look ended, None before the first."""
    seconds: float = 0.0
    """How long it took."""
    runs: int = 0


def exposition(exposed: Exposed) -> bytes:
    """Return the metrics as text."""
    collectors = CollectorRegistry()
    collectors.register(_Looks(exposed))
    return generate_latest(collectors)


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
        yield from _measures(self._exposed.looks)
        yield _problems(self._exposed.looks)
        yield _simple(LOOK_TIME, "When everything was looked at last (Unix time).", self._time)
        yield _simple(LOOK_SECONDS, "Seconds that the last look took.", self._exposed.seconds)
        runs = CounterMetricFamily(LOOKS, "How often everything was looked at by this process.")
        runs.add_metric((), self._exposed.runs)
        yield runs

    @property
    def _time(self) -> float:
        return self._exposed.at.timestamp() if self._exposed.at else 0.0


def _measures(looks: Iterable[Look]) -> Iterable[Family]:
    families = {
        metric: GaugeMetricFamily(metric.value, one.text, labels=one.labels) for metric, one in DESCRIPTIONS.items()
    }
    for look in looks:
        subject = look.subject
        application = (subject.coolify, subject.project, subject.environment, subject.application)
        for seen in look.observations:
            for measure in seen.measures:
                described = DESCRIPTIONS[measure.metric]
                own = (measure.detail,) if described.detail else ()
                labels = (*application, *own) if described.of_application else (subject.coolify, *own)
                families[measure.metric].add_metric(labels, measure.value)
    return (one for one in families.values() if one.samples)


def _problems(looks: Iterable[Look]) -> Family:
    """Return for every aspect that was looked at how bad it is: 0 good, 1 a warning, 2 an error."""
    text = "How bad an aspect is: 0 good, 1 a warning, 2 an error."
    family = GaugeMetricFamily(PROBLEM, text, labels=(*_APPLICATION, "aspect"))
    levels = {Severity.WARNING: 1.0, Severity.ERROR: 2.0}
    for look in looks:
        subject = look.subject
        worst: dict[Aspect, float] = {}
        for seen in look.observations:
            worst[seen.aspect] = max(worst.get(seen.aspect, 0.0), levels.get(seen.severity, 0.0))
        for aspect, level in worst.items():
            labels = (subject.coolify, subject.project, subject.environment, subject.application, aspect.value)
            family.add_metric(labels, level)
    return family


def _simple(name: str, text: str, value: float) -> Family:
    family = GaugeMetricFamily(name, text)
    family.add_metric((), value)
    return family
