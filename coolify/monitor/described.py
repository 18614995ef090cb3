"""What each metric means, and its labels; docs/monitoring.md says the same, and a test compares them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from coolify.monitor.model import Metric

__all__ = ["APPLICATION", "COOLIFY", "DESCRIPTIONS", "Described"]

APPLICATION: Final = ("coolify", "project", "environment", "application")
COOLIFY: Final = ("coolify",)


@dataclass(frozen=True, slots=True)
class Described:
    """A metric, for people and for Prometheus."""

    text: str
    detail: str = ""
    """Name of the label beside those of the subject; empty where there is none."""
    scope: tuple[str, ...] = APPLICATION
    """Names of the labels of its subject."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of its labels."""
        own = (self.detail,) if self.detail else ()
        return (*self.scope, *own)


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
    Metric.RECENT_DEPLOYMENTS: Described("How many of the twenty newest deployments ended so.", "result"),
    Metric.RELEASES: Described("How many releases ended so, as their records tell.", "outcome"),
    Metric.ROLLBACKS: Described(
        "How many rollbacks ended so: those by hand, and the ways back of releases that failed.", "result"
    ),
    Metric.RELEASE_OUTCOME: Described("Whether the latest release or rollback ended so (1) or not (0).", "outcome"),
    Metric.RELEASE_SECONDS: Described("Seconds that the latest release or rollback took."),
    Metric.RELEASE_TIME: Described("When the latest release or rollback ended (Unix time)."),
    Metric.RELEASE_OPEN: Described("Seconds since a release began that has not ended; 0 where none is open."),
    Metric.BACKUP_AGE: Described("Seconds since the newest backup that is one.", "database"),
    Metric.BACKUP_SIZE: Described("Bytes of the newest backup that is one.", "database"),
    Metric.PROOF_AGE: Described("Seconds since a dump was last seen to restore.", "database"),
    Metric.RESTORE_SECONDS: Described(
        "Seconds from the bucket to an answering database, when last proved.", "database"
    ),
    Metric.DRIFT: Described("Number of changes between the configuration file and Coolify."),
    Metric.REACHED: Described("Whether Coolify's API answered.", scope=COOLIFY),
    Metric.SERVER_REACHABLE: Described("Whether Coolify reaches a server.", "server", scope=COOLIFY),
    Metric.SERVER_USABLE: Described("Whether Coolify can use a server.", "server", scope=COOLIFY),
    Metric.SERVER_DISK: Described(
        "Percent of the disk that was used when Coolify measured it last, as it cleans up.",
        "server",
        scope=COOLIFY,
    ),
    Metric.API_REQUESTS: Described("Requests that the last look sent to Coolify.", scope=COOLIFY),
    Metric.API_REMAINING: Described("Requests that Coolify still allowed in that minute.", scope=COOLIFY),
    Metric.PREFECT_UP: Described("Whether the Prefect server answered.", scope=()),
    Metric.DECISIONS_WAITING: Described("Questions that wait for an operator's answer.", "decision", scope=()),
    Metric.DECISIONS_SECONDS: Described("Seconds that the oldest of them has waited.", "decision", scope=()),
}
"""Every metric of an observation."""
