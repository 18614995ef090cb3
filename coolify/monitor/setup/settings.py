"""Settings of Coolify's as they are declared, compared with those that there are; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from pydantic import SecretStr

from coolify.api.team import Channel
from coolify.config.coolify_settings import Event, LogDrains, Notifications, Sentinel
from coolify.config.interpolation import Reference
from coolify.errors import OperatorError

__all__ = [
    "Difference",
    "Setting",
    "SettingsHiddenError",
    "SettingsIncompleteError",
    "channel_settings",
    "compare",
    "drain_settings",
    "event_settings",
    "refuse_incomplete",
    "sentinel_settings",
]

Value: TypeAlias = bool | int | str | None


class SettingsHiddenError(OperatorError):
    """Coolify does not show what is to be compared."""

    is_usage = True


class SettingsIncompleteError(OperatorError):
    """Something would be switched on that lacks what it needs."""

    is_usage = True


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting that is to be."""

    key: str
    """Its name in the configuration, within its section."""
    name: str
    """Its name in Coolify's API."""
    value: Value = field(repr=False)
    secret: bool = False
    """Whether its value is never shown."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A setting that is not as declared."""

    setting: Setting
    before: Value = field(repr=False)

    @property
    def text(self) -> str:
        """What changes, in a few words, without secrets."""
        if self.setting.secret:
            return f"{self.setting.key}: {'replaced' if self.before else 'set'}"
        return f"{self.setting.key}: {_shown(self.before)} -> {_shown(self.setting.value)}"


def _shown(value: Value) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return "nothing" if value in {None, ""} else str(value)


_TEXTS: Final[Mapping[Channel, Mapping[str, str]]] = {
    Channel.EMAIL: {
        "from_address": "smtp_from_address",
        "from_name": "smtp_from_name",
        "host": "smtp_host",
        "port": "smtp_port",
        "encryption": "smtp_encryption",
        "username": "smtp_username",
        "password": "smtp_password",
        "timeout": "smtp_timeout",
        "ehlo_domain": "smtp_ehlo_domain",
        "resend_api_key": "resend_api_key",
    },
    Channel.DISCORD: {
        "enabled": "discord_enabled",
        "webhook_url": "discord_webhook_url",
        "ping": "discord_ping_enabled",
    },
    Channel.SLACK: {"enabled": "slack_enabled", "webhook_url": "slack_webhook_url"},
    Channel.TELEGRAM: {"enabled": "telegram_enabled", "token": "telegram_token", "chat_id": "telegram_chat_id"},
    Channel.PUSHOVER: {
        "enabled": "pushover_enabled",
        "user_key": "pushover_user_key",
        "api_token": "pushover_api_token",
    },
    Channel.WEBHOOK: {"enabled": "webhook_enabled", "url": "webhook_url"},
}
_SENTINEL: Final = {
    "enabled": "is_sentinel_enabled",
    "metrics": "is_metrics_enabled",
    "refresh": "sentinel_metrics_refresh_rate_seconds",
    "history": "sentinel_metrics_history_days",
    "push": "sentinel_push_interval_seconds",
    "url": "sentinel_custom_url",
}
_DRAINS: Final = {
    "newrelic": {
        "enabled": "is_logdrain_newrelic_enabled",
        "license_key": "logdrain_newrelic_license_key",
        "base_uri": "logdrain_newrelic_base_uri",
    },
    "axiom": {
        "enabled": "is_logdrain_axiom_enabled",
        "dataset": "logdrain_axiom_dataset_name",
        "api_key": "logdrain_axiom_api_key",
    },
    "custom": {
        "enabled": "is_logdrain_custom_enabled",
        "configuration": "logdrain_custom_config",
        "parsers": "logdrain_custom_config_parser",
    },
}
_WAYS: Final = {"smtp": "smtp_enabled", "resend": "resend_enabled", "instance": "use_instance_email_settings"}
"""How mail is sent -> its switch; at most one is on."""
_NEEDED: Final = {
    "smtp_enabled": ("smtp_host", "smtp_port", "smtp_from_address"),
    "resend_enabled": ("resend_api_key", "smtp_from_address"),
    "discord_enabled": ("discord_webhook_url",),
    "slack_enabled": ("slack_webhook_url",),
    "telegram_enabled": ("telegram_token", "telegram_chat_id"),
    "pushover_enabled": ("pushover_user_key", "pushover_api_token"),
    "webhook_enabled": ("webhook_url",),
    "is_logdrain_newrelic_enabled": ("logdrain_newrelic_license_key", "logdrain_newrelic_base_uri"),
    "is_logdrain_axiom_enabled": ("logdrain_axiom_dataset_name", "logdrain_axiom_api_key"),
    "is_logdrain_custom_enabled": ("logdrain_custom_config",),
}
"""A switch -> what must be set where it is on."""
_SECRET: Final = frozenset(
    {
        "webhook_url",
        "discord_webhook_url",
        "slack_webhook_url",
        "telegram_token",
        "pushover_user_key",
        "pushover_api_token",
        "smtp_password",
        "resend_api_key",
        "logdrain_newrelic_license_key",
        "logdrain_axiom_api_key",
        "logdrain_custom_config",
        "logdrain_custom_config_parser",
    }
)
_KEYS: Final = {name: key for keys in (*_TEXTS.values(), _SENTINEL, *_DRAINS.values()) for key, name in keys.items()}


def channel_settings(channel: Channel, notifications: Notifications, environ: Mapping[str, str]) -> tuple[Setting, ...]:
    """Return what is declared of a channel; nothing where it is left out.

    Args:
        channel: Which one.
        notifications: The declared channels.
        environ: Where references to secrets are looked up.

    Raises:
        ConfigError: A variable is not set.
    """
    section = getattr(notifications, channel.value)
    if section is None:
        return ()
    found = list(_settings(section, _TEXTS[channel], environ))
    if notifications.email is not None and channel is Channel.EMAIL:
        way = notifications.email.via
        # What is switched off goes first: at most one of them is on.
        switches = sorted(_WAYS.items(), key=lambda one: one[0] == way)
        found = [Setting(f"via {name}", switch, name == way) for name, switch in switches] + found
        if (recipients := notifications.email.recipients) is not None:
            found.append(Setting("recipients", "smtp_recipients", ",".join(recipients)))
    if notifications.telegram is not None and channel is Channel.TELEGRAM:
        threads = notifications.telegram.threads.items()
        found += [
            Setting(f"threads.{event.value}", f"telegram_notifications_{event.value}_thread_id", number)
            for event, number in threads
        ]
    if section.events is not None:
        found += event_settings(channel, {event: event in section.events for event in Event})
    return tuple(found)


def event_settings(channel: Channel, events: Mapping[Event, bool]) -> list[Setting]:
    """Return the switches of events.

    Args:
        channel: Which one.
        events: Event -> whether it is told.
    """
    return [
        Setting(f"events.{event.value}", f"{event.value}_{channel.value}_notifications", on)
        for event, on in events.items()
    ]


def sentinel_settings(section: Sentinel) -> tuple[Setting, ...]:
    """Return what is declared of the agent."""
    return tuple(_settings(section, _SENTINEL, {}))


def drain_settings(section: LogDrains, environ: Mapping[str, str]) -> tuple[Setting, ...]:
    """Return what is declared of the log drains.

    Args:
        section: The declared drains.
        environ: Where references to secrets are looked up.

    Raises:
        ConfigError: A variable is not set.
    """
    return tuple(
        Setting(f"{name}.{one.key}", one.name, one.value, one.secret)
        for name, keys in _DRAINS.items()
        if (drain := getattr(section, name)) is not None
        for one in _settings(drain, keys, environ)
    )


def _settings(section: object, names: Mapping[str, str], environ: Mapping[str, str]) -> Iterable[Setting]:
    for key, name in names.items():
        value = getattr(section, key)
        if value is not None:
            plain = value.resolve(environ) if isinstance(value, Reference) else value
            yield Setting(key, name, plain, name in _SECRET)


def compare(title: str, wanted: Iterable[Setting], actual: Mapping[str, Any]) -> tuple[Difference, ...]:
    """Return what is not as declared.

    Args:
        title: What is compared, for messages.
        wanted: What is declared.
        actual: Name in the API -> value; what Coolify does not show is not there.

    Raises:
        SettingsHiddenError: Something declared is not shown: what is missing is not empty (reference 0.2).
    """
    settings = tuple(wanted)
    if hidden := [one.key for one in settings if one.name not in actual]:
        raise SettingsHiddenError(
            f"Coolify does not show {', '.join(hidden)} of {title} to this token, so that nothing can be compared: use "
            "a token of an admin or owner of the team with the abilities read, read:sensitive and write, or leave out "
            "what this version of Coolify does not have."
        )
    found = ((one, _plain(actual[one.name])) for one in settings)
    return tuple(Difference(one, before) for one, before in found if (before or None) != (one.value or None))


def refuse_incomplete(title: str, wanted: tuple[Setting, ...], actual: Mapping[str, Any]) -> None:
    """Refuse to switch on what lacks something: Coolify takes it, and then tells nobody.

    Args:
        title: What is set, for messages.
        wanted: What is declared.
        actual: Name in the API -> value.

    Raises:
        SettingsIncompleteError: Something is missing, in the configuration and in Coolify.
    """
    then = dict(actual) | {one.name: one.value for one in wanted}
    for setting in wanted:
        missing = [
            _KEYS[name] for name in _NEEDED.get(setting.name, ()) if setting.value and name in then and not then[name]
        ]
        if missing:
            raise SettingsIncompleteError(
                f"{title} would be switched on without {' and '.join(missing)}: add what is missing to the section "
                "monitoring.coolify of the configuration, or set it in Coolify."
            )


def _plain(value: Any) -> Value:  # noqa: ANN401 - of whatever model
    return value.get_secret_value() if isinstance(value, SecretStr) else value
