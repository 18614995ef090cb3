"""Who is told of which change: routing by severity, one message for each destination and run; pure.

Environments have overlays in the configuration file, so that each has destinations of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from coolify.config.monitoring import Alerts, Channel
from coolify.finding import Severity
from coolify.monitor.changes import Change, ChangeKind
from coolify.monitor.message import Message
from coolify.wording import counted

__all__ = ["destinations", "failed_rollback_messages", "messages", "still_worth_sending", "trial_messages"]

Destination = tuple[Channel, str, str]
"""Channel, name of the block, address."""

_KEPT: Final = timedelta(hours=24)
"""How long it is tried to send a message."""


def destinations(alerts: Alerts) -> tuple[tuple[Destination, Severity], ...]:
    """Return where alerts go, each with the least severity that it gets."""
    found: list[Destination] = []
    for channel, to in (
        (Channel.EMAIL, alerts.email),
        (Channel.SLACK, alerts.slack),
        (Channel.TELEGRAM, alerts.telegram),
    ):
        found += [(channel, alerts.block, to)] if to else []
    for channel, block in (
        (Channel.DISCORD, alerts.discord),
        (Channel.PAGERDUTY, alerts.pagerduty),
        (Channel.WEBHOOK, alerts.webhook),
    ):
        found += [(channel, block, "")] if block else []
    return tuple((one, _least(alerts, one[0])) for one in found)


def _least(alerts: Alerts, channel: Channel) -> Severity:
    usual = "error" if channel is Channel.PAGERDUTY else "warning"
    return Severity(alerts.severity.get(channel, usual))


def messages(
    changes: Iterable[Change], recipients: Mapping[str, tuple[Alerts, ...]], now: datetime, others: Alerts | None = None
) -> tuple[Message, ...]:
    """Return what is sent: everything for one destination in one message, at PagerDuty one for each problem.

    Args:
        changes: What is told.
        recipients: Subject's key -> sections `alerts`; several for what many applications share.
        now: The time here.
        others: Destinations of what has none of its own: applications without a configuration file, and servers on
            which there are only such.
    """
    usual = (others,) if others else ()
    grouped: dict[Destination, list[Change]] = {}
    for change in changes:
        told: set[Destination] = set()
        for alerts in recipients.get(change.problem.subject.key) or usual:
            for destination, least in destinations(alerts):
                if change.severity.rank >= least.rank and destination not in told:
                    told.add(destination)
                    grouped.setdefault(destination, []).append(change)
    made: list[Message] = []
    for destination, theirs in grouped.items():
        bundles = [[one] for one in theirs] if destination[0] is Channel.PAGERDUTY else [theirs]
        made += [_message(destination, bundle, now) for bundle in bundles]
    return tuple(made)


def _message(destination: Destination, changes: list[Change], now: datetime) -> Message:
    channel, block, to = destination
    single = changes[0] if len(changes) == 1 else None
    return Message(
        channel=channel,
        block=block,
        to=to,
        title=single.title if single else _title(changes),
        body="\n\n".join(_paragraph(one) for one in changes),
        severity=max((one.severity for one in changes), key=lambda severity: severity.rank),
        problem=single.problem.id if single else "",
        is_over=all(one.kind is ChangeKind.RESOLVED for one in changes),
        made=now,
    )


def _title(changes: list[Change]) -> str:
    over = sum(one.kind is ChangeKind.RESOLVED for one in changes)
    wrong = len(changes) - over
    names = list(dict.fromkeys(one.problem.subject.title for one in changes))
    shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    counts = [counted(wrong, "problem")] if wrong else []
    counts += [f"{over} over"] if over else []
    return f"[{', '.join(counts)}] {shown}"


def _paragraph(change: Change) -> str:
    problem = change.problem
    finding = problem.finding
    lines = [f"{change.title} ({problem.id})", finding.summary]
    if change.kind is ChangeKind.RESOLVED:
        minutes = (problem.last_bad - problem.since).total_seconds() / 60
        return "\n".join([lines[0], f"It was: {finding.summary} It lasted {minutes:.0f} minutes."])
    lines += [finding.remedy] if finding.remedy else []
    lines.append(f"Since {problem.since:%Y-%m-%d %H:%M} UTC.")
    return "\n".join(lines)


def trial_messages(alerts: Alerts, name: str, now: datetime) -> tuple[Message, ...]:
    """Return a message for each destination that says that it is only a test.

    Args:
        alerts: The section.
        name: What would be told of.
        now: The time here.
    """
    body = f"This is a test: alerts about {name} arrive here."
    return tuple(
        _alone(destination, least, f"[test] {name}", body, "test", now) for destination, least in destinations(alerts)
    )


def failed_rollback_messages(
    alerts: Alerts, name: str, reason: str, remedy: str, problem: str, now: datetime
) -> tuple[Message, ...]:
    """Return a message for each destination that says that neither version is proved to work; nothing is worse.

    Args:
        alerts: The section.
        name: Application and environment, in words.
        reason: Why, and what state everything is in.
        remedy: What to do.
        problem: Identifier of the incident that it opens, where a channel has incidents.
        now: The time here.
    """
    title, body = f"[error] {name}: the rollback failed", f"{reason}\n{remedy}"
    return tuple(
        _alone(destination, Severity.ERROR, title, body, problem, now) for destination, _ in destinations(alerts)
    )


def _alone(destination: Destination, severity: Severity, title: str, body: str, problem: str, now: datetime) -> Message:
    """Return a message that tells of no change of the watch."""
    channel, block, to = destination
    return Message(
        channel=channel, block=block, to=to, title=title, body=body, severity=severity, problem=problem, made=now
    )


def still_worth_sending(undelivered: Iterable[Message], now: datetime) -> tuple[Message, ...]:
    """Return the messages that could not be sent and are not too old to be tried again."""
    return tuple(one for one in undelivered if now - one.made <= _KEPT)
