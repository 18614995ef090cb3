"""Section `health`: when a new version counts as healthy."""

from ipaddress import ip_address
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from coolify.config.base import Section
from coolify.config.fields import AbsolutePath, Line, Port, Seconds
from coolify.config.probes import Probe, Statuses

__all__ = ["ContainerHealth", "Health", "VersionProof"]

Moment = Annotated[float, Field(gt=0, le=86400, allow_inf_nan=False)]


def _address(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        raise ValueError("is not an IP address.") from None


class VersionProof(Section):
    """Proof that the new version answers and not the old one."""

    path: AbsolutePath = "/version"
    """Path that tells the version."""
    expected: Line = "${commit}"
    """What it must tell: `${commit}` for the deployed commit, or a text."""
    header: Line | None = None
    """Response header that holds the version; the body when left out."""
    json_path: Line | None = None
    """Where in a JSON body the version is, as in `build.commit`; anywhere in the body when left out."""

    @model_validator(mode="after")
    def _has_one_place(self) -> Self:
        if self.header is not None and self.json_path is not None:
            raise ValueError("`header` and `json_path` exclude each other: keep one.")
        return self


class ContainerHealth(Section):
    """The health check that Docker runs inside the server; without it Coolify calls a crashed container healthy."""

    enabled: bool = True
    """Whether Coolify runs it; the image needs `curl` or `wget`."""
    interval: Annotated[int, Field(ge=1, le=3600)] = 5
    """Seconds between checks."""
    timeout: Annotated[int, Field(ge=1, le=3600)] = 5
    """Seconds that one check may take."""
    retries: Annotated[int, Field(ge=1, le=1000)] = 10
    """Failures in a row until the container is unhealthy."""
    start_period: Annotated[int, Field(ge=0, le=3600)] = 5
    """Seconds after the start in which failures do not count."""


class Health(Section):
    """The gate that a new version must pass, probed from the outside under its domains."""

    path: AbsolutePath = "/"
    """Path to probe."""
    port: Port | None = None
    """Port of the container for Docker's own check; the application's first port when left out."""
    expect: Statuses = (200,)
    """HTTP status codes that count as success."""
    body: Annotated[str, Field(min_length=1, max_length=1000)] | None = None
    """Text that the body must hold."""
    timeout: Moment = 5.0
    """Seconds that one probe may take."""
    interval: Moment = 2.0
    """Seconds between probes."""
    successes: Annotated[int, Field(ge=1, le=1000)] = 3
    """Successes in a row that open the gate."""
    failures_allowed: Annotated[int, Field(ge=0, le=100000)] | None = None
    """Failures after which the gate closes; until the deadline when left out."""
    deadline: Moment = 120.0
    """Seconds until the gate closes for good."""
    warm_up: Seconds = 0.0
    """Seconds after the deployment in which failures do not count."""
    soak: Seconds = 0.0
    """Seconds that the good answers in a row have to span at least."""
    p95: Moment | None = None
    """Seconds within which 95 of 100 of the good answers in a row have to come; no bound when left out."""
    probes: tuple[Probe, ...] = ()
    """Further questions; a round is good when every answer is."""
    addresses: tuple[Annotated[str, AfterValidator(_address)], ...] = ()
    """Addresses that are asked under the domains' names besides those of the DNS, as the server's own behind a CDN."""
    version: VersionProof | None = None
    """Proof that the new version answers; none when left out."""
    container: ContainerHealth = ContainerHealth()
    """Docker's own check inside the server."""

    @model_validator(mode="after")
    def _can_be_passed(self) -> Self:
        least = max((self.successes - 1) * self.interval, self.soak)
        if least >= self.deadline:
            raise ValueError(
                f"cannot be passed: {self.successes} successes every {self.interval:g} s over at least {self.soak:g} s "
                f"of soak take {least:g} s, `deadline` is {self.deadline:g} s."
            )
        return self
