"""What one look at an application, or at the Coolify server that runs it, has shown."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from coolify.config.monitoring import Aspect
from coolify.finding import Finding, Severity, worst

__all__ = ["Ended", "Look", "Measure", "Metric", "Observation", "Subject", "is_wrong", "wrong_first"]


class Metric(StrEnum):
    """Everything that is measured; docs/monitoring.md describes each."""

    UP = "coolify_app_up"
    LATENCY = "coolify_app_latency_seconds"
    CERTIFICATE = "coolify_app_certificate_seconds_left"
    DNS_OK = "coolify_app_dns_ok"
    RUNNING = "coolify_app_running"
    RESTARTS = "coolify_app_restarts"
    DEPLOYMENT_OK = "coolify_app_deployment_ok"
    DEPLOYMENT_SECONDS = "coolify_app_deployment_seconds"
    DEPLOYMENT_TIME = "coolify_app_deployment_timestamp_seconds"
    RECENT_DEPLOYMENTS = "coolify_app_recent_deployments"
    RELEASES = "coolify_app_releases_total"
    ROLLBACKS = "coolify_app_rollbacks_total"
    RELEASE_OUTCOME = "coolify_app_last_release_outcome"
    RELEASE_SECONDS = "coolify_app_last_release_seconds"
    RELEASE_TIME = "coolify_app_last_release_timestamp_seconds"
    RELEASE_OPEN = "coolify_app_release_open_seconds"
    BACKUP_AGE = "coolify_app_backup_age_seconds"
    BACKUP_SIZE = "coolify_app_backup_size_bytes"
    PROOF_AGE = "coolify_app_backup_proof_age_seconds"
    RESTORE_SECONDS = "coolify_app_backup_restore_seconds"
    DRIFT = "coolify_app_drift"
    REACHED = "coolify_up"
    SERVER_REACHABLE = "coolify_server_reachable"
    SERVER_USABLE = "coolify_server_usable"
    SERVER_DISK = "coolify_server_disk_used_percent"
    API_REQUESTS = "coolify_api_requests"
    API_REMAINING = "coolify_api_requests_remaining"
    PREFECT_UP = "coolify_prefect_up"
    DECISIONS_WAITING = "coolify_decisions_waiting"
    DECISIONS_SECONDS = "coolify_decisions_waiting_seconds"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Subject(_Frozen):
    """An application, or a Coolify server where `application` is empty."""

    key: str = Field(description="What it is remembered by.")
    coolify: str = Field(description="Address of the Coolify server.")
    project: str = ""
    application: str = ""
    environment: str = ""

    @property
    def title(self) -> str:
        """In words."""
        return f"{self.application} ({self.environment})" if self.application else self.coolify


class Measure(_Frozen):
    """One number."""

    metric: Metric
    value: float
    detail: str = ""
    """What it belongs to within the subject: a URL, a host, a database, a server; empty for the whole."""


class Ended(_Frozen):
    """A deployment that has ended, as Coolify lists it."""

    uuid: str
    result: str
    """`finished`, `failed` or `cancelled`."""
    seconds: float | None = None
    """From its being queued to its end, None where Coolify does not tell."""


class Observation(_Frozen):
    """What was seen of one aspect; an aspect that could not be looked at is not observed."""

    aspect: Aspect
    at: datetime
    findings: tuple[Finding, ...] = ()
    measures: tuple[Measure, ...] = ()
    ended: tuple[Ended, ...] | None = None
    """The newest deployments that have ended, for whoever counts them; None where they were not listed."""

    @property
    def severity(self) -> Severity:
        """The worst of what was found."""
        return worst(self.findings)


class Look(_Frozen):
    """Everything that was seen of one subject at one time."""

    subject: Subject
    observations: tuple[Observation, ...] = ()
    deploying: bool = False
    """Whether a deployment is under way, in which containers come and go."""
    uuid: str | None = None
    """Coolify's identifier of the application, None where it was not found."""
    restarts: int | None = None
    """Coolify's count of the container's restarts."""
    unseen: tuple[str, ...] = ()
    """Why something could not be looked at, in sentences."""

    @property
    def problems(self) -> tuple[Finding, ...]:
        """What is wrong, errors first."""
        told = [one for seen in self.observations for one in seen.findings if is_wrong(one)]
        return tuple(sorted(told, key=lambda one: -one.severity.rank))

    @property
    def severity(self) -> Severity:
        """The worst of everything."""
        return worst(finding for seen in self.observations for finding in seen.findings)

    def of(self, aspect: Aspect) -> Observation | None:
        """Return what was seen of an aspect."""
        return next((one for one in self.observations if one.aspect is aspect), None)


def is_wrong(finding: Finding) -> bool:
    """Return whether somebody should hear of it."""
    return finding.severity.rank >= Severity.WARNING.rank


def wrong_first(looks: Iterable[Look]) -> tuple[Look, ...]:
    """Return looks in the order in which somebody should read them."""
    return tuple(sorted(looks, key=lambda one: (-one.severity.rank, not one.unseen, one.subject.title)))
