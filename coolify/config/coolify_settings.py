"""Section `monitoring.coolify`: whom Coolify itself tells of what, and what its servers measure and hand on (4.3.0)."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from coolify.config.backups import SecretReference
from coolify.config.base import Section
from coolify.config.fields import Line, Port, WebUrl
from coolify.config.interpolation import Reference

__all__ = [
    "AxiomDrain",
    "CoolifySettings",
    "CustomDrain",
    "DiscordNotifications",
    "EmailNotifications",
    "Event",
    "LogDrains",
    "NewRelicDrain",
    "Notifications",
    "PushoverNotifications",
    "Sentinel",
    "SlackNotifications",
    "TelegramNotifications",
    "WebhookNotifications",
]

MailAddress = Annotated[str, Field(pattern=r"^[^@\s,]+@[^@\s,]+$", max_length=254)]


class Event(StrEnum):
    """What Coolify tells of (reference 6.3)."""

    BACKUP_FAILURE = "backup_failure"
    BACKUP_SUCCESS = "backup_success"
    DEPLOYMENT_FAILURE = "deployment_failure"
    DEPLOYMENT_SUCCESS = "deployment_success"
    DOCKER_CLEANUP_FAILURE = "docker_cleanup_failure"
    DOCKER_CLEANUP_SUCCESS = "docker_cleanup_success"
    SCHEDULED_TASK_FAILURE = "scheduled_task_failure"
    SCHEDULED_TASK_SUCCESS = "scheduled_task_success"
    SERVER_DISK_USAGE = "server_disk_usage"
    SERVER_PATCH = "server_patch"
    SERVER_REACHABLE = "server_reachable"
    SERVER_UNREACHABLE = "server_unreachable"
    STATUS_CHANGE = "status_change"
    TRAEFIK_OUTDATED = "traefik_outdated"


class _Told(Section):
    events: tuple[Event, ...] | None = None
    """What is told, and nothing else; as it is in Coolify when left out."""


class EmailNotifications(_Told):
    """Mail."""

    via: Literal["smtp", "resend", "instance", "none"]
    """How mail is sent: by a server of the team's, by Resend, by what the instance is set to, or not at all."""
    recipients: tuple[MailAddress, ...] | None = None
    """Who gets it."""
    from_address: MailAddress | None = None
    """Address of the sender."""
    from_name: Line | None = None
    """Name of the sender."""
    host: Line | None = None
    """Mail server."""
    port: Port | None = None
    """Its port."""
    encryption: Literal["starttls", "tls", "none"] | None = None
    """How the connection is protected."""
    username: Reference | None = None
    """User name at the mail server; may be a reference to an environment variable."""
    password: SecretReference | None = None
    """Password there, as a reference to an environment variable."""
    timeout: Annotated[int, Field(ge=1, le=3600)] | None = None
    """Seconds that the mail server may take."""
    ehlo_domain: Line | None = None
    """Name by which Coolify greets the mail server."""
    resend_api_key: SecretReference | None = None
    """Key of Resend, as a reference to an environment variable."""


class DiscordNotifications(_Told):
    """A channel of Discord."""

    enabled: bool = True
    """Whether Coolify tells by it."""
    webhook_url: SecretReference | None = None
    """Webhook of the channel, as a reference to an environment variable."""
    ping: bool | None = None
    """Whether everybody who is there is pinged when it is serious."""


class SlackNotifications(_Told):
    """A channel of Slack."""

    enabled: bool = True
    """Whether Coolify tells by it."""
    webhook_url: SecretReference | None = None
    """Webhook of the channel, as a reference to an environment variable."""


class TelegramNotifications(_Told):
    """A chat of Telegram."""

    enabled: bool = True
    """Whether Coolify tells by it."""
    token: SecretReference | None = None
    """Token of the bot, as a reference to an environment variable."""
    chat_id: Annotated[str, Field(pattern=r"^(-?[0-9]+|@[A-Za-z0-9_]+)$", max_length=64)] | None = None
    """The chat."""
    threads: Mapping[Event, Annotated[str, Field(pattern=r"^[0-9]+$", max_length=20)]] = Field(default={})
    """Event -> number of the topic in which it is told."""


class PushoverNotifications(_Told):
    """Pushover."""

    enabled: bool = True
    """Whether Coolify tells by it."""
    user_key: SecretReference | None = None
    """Key of the user or group, as a reference to an environment variable."""
    api_token: SecretReference | None = None
    """Token of the application, as a reference to an environment variable."""


class WebhookNotifications(_Told):
    """A URL that Coolify calls."""

    enabled: bool = True
    """Whether Coolify tells by it."""
    url: SecretReference | None = None
    """The URL, as a reference to an environment variable; Coolify refuses private addresses, and signs nothing."""


class Notifications(Section):
    """The channels of Coolify's own, for the whole team; one that is left out stays as it is."""

    email: EmailNotifications | None = None
    """Mail."""
    discord: DiscordNotifications | None = None
    """A channel of Discord."""
    slack: SlackNotifications | None = None
    """A channel of Slack."""
    telegram: TelegramNotifications | None = None
    """A chat of Telegram."""
    pushover: PushoverNotifications | None = None
    """Pushover."""
    webhook: WebhookNotifications | None = None
    """A URL that Coolify calls."""


class Sentinel(Section):
    """The agent that tells Coolify the state of containers and measures; a change may restart it, and only it."""

    enabled: bool | None = None
    """Whether it runs."""
    metrics: bool | None = None
    """Whether it measures CPU and memory, which Coolify shows in its pages alone."""
    refresh: Annotated[int, Field(ge=1, le=86400)] | None = None
    """Seconds between two measurements."""
    history: Annotated[int, Field(ge=1, le=3650)] | None = None
    """Days for which they are kept."""
    push: Annotated[int, Field(ge=10, le=86400)] | None = None
    """Seconds between two reports to Coolify."""
    url: WebUrl | None = None
    """Where it reaches Coolify."""

    @model_validator(mode="after")
    def _measures_only_when_it_runs(self) -> Self:
        if self.metrics and self.enabled is False:
            raise ValueError("`metrics` are measured by the agent: switch it on with `enabled: true`.")
        return self


class NewRelicDrain(Section):
    """Logs go to New Relic."""

    enabled: bool = True
    """Whether they do."""
    license_key: SecretReference | None = None
    """License key, as a reference to an environment variable."""
    base_uri: WebUrl | None = None
    """Address of its log API, which depends on the region."""


class AxiomDrain(Section):
    """Logs go to Axiom."""

    enabled: bool = True
    """Whether they do."""
    dataset: Annotated[str, Field(pattern=r"^[a-zA-Z0-9_.-]+$", max_length=255)] | None = None
    """Name of the dataset."""
    api_key: SecretReference | None = None
    """API key, as a reference to an environment variable."""


class CustomDrain(Section):
    """Logs go wherever a configuration of Fluent Bit sends them."""

    enabled: bool = True
    """Whether they do."""
    configuration: Reference | None = None
    """Configuration of Fluent Bit; secrets in it are references to environment variables."""
    parsers: Reference | None = None
    """Its configuration of parsers."""


class LogDrains(Section):
    """Where a server sends the logs of applications whose log drain is on; a drain that is left out stays as it is."""

    newrelic: NewRelicDrain | None = None
    """Logs go to New Relic."""
    axiom: AxiomDrain | None = None
    """Logs go to Axiom."""
    custom: CustomDrain | None = None
    """Logs go wherever a configuration of Fluent Bit sends them."""


class CoolifySettings(Section):
    """Settings of Coolify itself that `coolify monitor setup` brings about; what is left out stays as it is."""

    notifications: Notifications = Notifications()
    """The channels of Coolify's own, for the whole team."""
    sentinel: Sentinel | None = None
    """The agent on the server of the application."""
    log_drains: LogDrains | None = None
    """Where the server of the application sends logs."""
