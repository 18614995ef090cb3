"""Section `monitoring`: what is watched after the release, from when on it is wrong, and who hears of it."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import Field

from coolify.config.base import Section
from coolify.config.coolify_settings import CoolifySettings
from coolify.config.freeze import Freeze

__all__ = ["Alerts", "Aspect", "Channel", "Monitoring", "Thresholds"]

Hours = Annotated[float, Field(gt=0, le=8760, allow_inf_nan=False)]
Times = Annotated[int, Field(ge=1, le=100)]


class Aspect(StrEnum):
    """What is looked at."""

    HEALTH = "health"
    CERTIFICATE = "certificate"
    DNS = "dns"
    CONTAINER = "container"
    DEPLOYMENT = "deployment"
    BACKUP = "backup"
    DRIFT = "drift"
    SERVER = "server"


class Channel(StrEnum):
    """A way to tell people."""

    EMAIL = "email"
    SLACK = "slack"
    DISCORD = "discord"
    TELEGRAM = "telegram"
    PAGERDUTY = "pagerduty"
    WEBHOOK = "webhook"


_BLOCK: Final = r"^[a-z0-9]+(-[a-z0-9]+)*$"
BlockName = Annotated[str, Field(pattern=_BLOCK, max_length=64)]


class Alerts(Section):
    """Who is told when something is wrong; the credentials are in Prefect blocks."""

    email: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$", max_length=254)] | None = None
    """Mail address."""
    slack: Annotated[str, Field(pattern=r"^[#@][^\s#@]+$", max_length=81)] | None = None
    """Slack channel with `#`, or person with `@`."""
    discord: BlockName | None = None
    """Name of the block (Discord Webhook) with the webhook of a channel."""
    telegram: Annotated[str, Field(pattern=r"^(-?[0-9]+|@[A-Za-z0-9_]+)$", max_length=64)] | None = None
    """Telegram chat: its number, or `@` and its name."""
    pagerduty: BlockName | None = None
    """Name of the block (Pager Duty Webhook) with the integration key of a service."""
    webhook: BlockName | None = None
    """Name of the block (Custom Webhook) that is called."""
    block: BlockName = "coolify-alerts"
    """Name of the blocks with the credentials for mail, Slack and Telegram."""
    severity: Mapping[Channel, Literal["warning", "error"]] = Field(default={})
    """Channel -> least severity that it gets; `error` for `pagerduty` and `warning` for the others when left out."""


class Thresholds(Section):
    """From when on something is wrong."""

    latency: Annotated[float, Field(gt=0, le=300, allow_inf_nan=False)] | None = None
    """Seconds that an answer may take; no bound when left out."""
    certificate_days: Annotated[int, Field(ge=1, le=365)] | None = None
    """Days that a certificate must still be valid; a quarter of its lifetime when left out."""
    restarts: Times = 3
    """Restarts of the container within an hour."""
    disk_percent: Annotated[int, Field(ge=1, le=100)] | None = None
    """Share of the server's disk from which on it is told; the threshold of the server in Coolify when left out."""


class Monitoring(Section):
    """Watching after the release."""

    enabled: bool = False
    """Whether the application is watched."""
    alerts: Alerts = Alerts()
    """Who is told."""
    prometheus: Annotated[str, Field(pattern=r"^https?://[^\s@/]+(/[^\s@]*)?$", max_length=2048)] | None = None
    """Address of the Prometheus that scrapes the metrics, for `coolify monitor metrics`."""
    thresholds: Thresholds = Thresholds()
    """From when on something is wrong."""
    ignore: tuple[Aspect, ...] = ()
    """What is not looked at."""
    failures: Times = 2
    """Bad looks in a row after which it is told."""
    recoveries: Times = 2
    """Good looks in a row after which it is told that it is over."""
    flapping: Annotated[int, Field(ge=2, le=100)] = 3
    """Times that the same may begin within an hour before it is told once only, until it has been good for an hour."""
    reminder: Hours = 24.0
    """Hours after which it is told again."""
    maintenance: tuple[Freeze, ...] = ()
    """Times in which nothing is told; what is still wrong afterwards is."""
    coolify: CoolifySettings = CoolifySettings()
    """What Coolify itself tells, measures and hands on."""
