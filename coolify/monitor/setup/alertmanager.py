"""Routes of an Alertmanager to the destinations of `monitoring.alerts`; its credentials are files that it reads."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final

from coolify.config.monitoring import Alerts, Channel
from coolify.finding import Severity
from coolify.monitor.alerts import destinations
from coolify.monitor.setup.yaml import to_yaml
from coolify.monitor.watched import Watched

__all__ = ["Mail", "alertmanager_file", "secret_files"]

_EVERYBODY: Final = "coolify-everybody"
_EXPLAIN: Final = "CoolifyApplicationError|CoolifyApplicationWarning|CoolifyProbeFailed"
"""Alerts that say more of one that is told already."""
_FILES: Final = {
    Channel.SLACK: "slack-url",
    Channel.DISCORD: "discord-url",
    Channel.TELEGRAM: "telegram-token",
    Channel.PAGERDUTY: "pagerduty-key",
    Channel.WEBHOOK: "webhook-url",
}
_NUMBER: Final = re.compile(r"-?[0-9]+")


@dataclass(frozen=True, slots=True)
class Mail:
    """How an Alertmanager sends mail."""

    smarthost: str = "localhost:25"
    """Host and port of the mail server."""
    sender: str = "alertmanager@localhost"
    user: str = ""
    """User name there; its password is the file `smtp-password`."""
    tls: bool = True


def alertmanager_file(watched: Iterable[Watched], secrets: PurePosixPath, mail: Mail) -> str:
    """Return the whole configuration of an Alertmanager (0.25 and later; for Telegram 0.26, for Discord 0.28).

    Applications with the same destinations share a route. Errors alone go to the channels that want nothing less; what
    belongs to no application, as a server that is down, goes to everybody.

    Args:
        watched: What is watched.
        secrets: Directory of the files with credentials, as Alertmanager sees it.
        mail: How mail is sent.
    """
    groups: dict[str, list[Watched]] = {}
    for one in watched:
        groups.setdefault(one.config.monitoring.alerts.model_dump_json(), []).append(one)
    routes: list[dict[str, Any]] = []
    receivers: list[dict[str, Any]] = []
    everybody: dict[str, Any] = {"name": _EVERYBODY}
    for place, (_, group) in enumerate(sorted(groups.items())):
        alerts = group[0].config.monitoring.alerts
        for least in (Severity.WARNING, Severity.ERROR):
            receiver = _receiver(f"coolify-{place}-{least.value}", alerts, least, secrets, mail)
            if len(receiver) == 1:
                continue
            receivers.append(receiver)
            routes += [_route(environment, group, receiver["name"], least) for environment in _environments(group)]
            for kind, configs in receiver.items():
                if kind != "name":
                    known = everybody.setdefault(kind, [])
                    known += [one for one in configs if one not in known]
    document: dict[str, Any] = {
        "global": _global(mail, secrets),
        "route": {
            "receiver": _EVERYBODY,
            "group_by": ["alertname", "application", "environment"],
            "group_wait": "30s",
            "group_interval": "5m",
            "repeat_interval": "12h",
            "routes": routes,
        },
        "receivers": [everybody, *receivers],
        "inhibit_rules": [
            {
                # That it does not answer is told once, not again by what explains it.
                "source_matchers": ['alertname = "CoolifyApplicationDown"'],
                "target_matchers": [f'alertname =~ "{_EXPLAIN}"'],
                "equal": ["coolify", "project", "environment", "application"],
            }
        ],
    }
    return to_yaml(document, "For an Alertmanager of its own, or to copy routes and receivers from.")


def secret_files(watched: Iterable[Watched], mail: Mail) -> tuple[str, ...]:
    """Return the names of the files with credentials that the configuration refers to."""
    names = {
        _secret_name(channel, block)
        for one in watched
        for (channel, block, _), _ in destinations(one.config.monitoring.alerts)
        if channel in _FILES
    }
    return tuple(sorted(names | ({"smtp-password"} if mail.user else set())))


def _secret_name(channel: Channel, block: str) -> str:
    return f"{_FILES[channel]}-{block}"


def _environments(group: list[Watched]) -> list[str]:
    return sorted({one.subject.environment for one in group})


def _route(environment: str, group: list[Watched], receiver: str, least: Severity) -> dict[str, Any]:
    names = sorted({one.subject.application for one in group if one.subject.environment == environment})
    matchers = [
        f"environment = {json.dumps(environment)}",
        f"application =~ {json.dumps('|'.join(re.escape(name) for name in names))}",
    ]
    matchers += ['severity = "error"'] if least is Severity.ERROR else []
    return {"receiver": receiver, "matchers": matchers, "continue": True}


def _receiver(name: str, alerts: Alerts, least: Severity, secrets: PurePosixPath, mail: Mail) -> dict[str, Any]:
    receiver: dict[str, Any] = {"name": name}
    for (channel, block, to), wanted in destinations(alerts):
        # A chat's name is no chat to Alertmanager.
        if wanted is least and not (channel is Channel.TELEGRAM and not _NUMBER.fullmatch(to)):
            kind, config = _config(channel, block, to, secrets, mail)
            receiver.setdefault(kind, []).append({**config, "send_resolved": True})
    return receiver


def _config(channel: Channel, block: str, to: str, secrets: PurePosixPath, mail: Mail) -> tuple[str, dict[str, Any]]:
    if channel is Channel.EMAIL:
        return "email_configs", {"to": to, "require_tls": mail.tls}
    file = str(secrets / _secret_name(channel, block))
    match channel:
        case Channel.SLACK:
            return "slack_configs", {"api_url_file": file, "channel": to, "text": _TEXT}
        case Channel.TELEGRAM:
            return "telegram_configs", {"bot_token_file": file, "chat_id": int(to)}
        case Channel.DISCORD:
            return "discord_configs", {"webhook_url_file": file}
        case Channel.PAGERDUTY:
            return "pagerduty_configs", {"routing_key_file": file}
        case _:
            return "webhook_configs", {"url_file": file}


_TEXT: Final = "{{ range .Alerts }}{{ .Annotations.summary }}\n{{ end }}"


def _global(mail: Mail, secrets: PurePosixPath) -> dict[str, Any]:
    account = (
        {"smtp_auth_username": mail.user, "smtp_auth_password_file": str(secrets / "smtp-password")}
        if mail.user
        else {}
    )
    return {"smtp_smarthost": mail.smarthost, "smtp_from": mail.sender, "smtp_require_tls": mail.tls, **account}
