"""Coolify's own notifications: what it alone can see is told by every channel that is switched on (4.3.0 and later)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from coolify.api import CoolifyClient
from coolify.api.team import Channel, ChannelSettings

__all__ = ["WANTED_EVENTS", "ChannelChange", "apply_notifications", "plan_notifications", "read_channels"]

WANTED_EVENTS: Final = (
    "backup_failure",
    "deployment_failure",
    "docker_cleanup_failure",
    "scheduled_task_failure",
    "server_disk_usage",
    "server_unreachable",
)
"""What Coolify is to tell: disks and scheduled tasks nobody else sees, the rest is a second pair of eyes."""
_SWITCHES: Final = {Channel.EMAIL: ("smtp_enabled", "resend_enabled", "use_instance_email_settings")}


@dataclass(frozen=True, slots=True)
class ChannelChange:
    """Events that are to be switched on for a channel."""

    channel: Channel
    events: tuple[str, ...]


def is_on(settings: ChannelSettings) -> bool:
    """Return whether a channel is used at all."""
    channel = settings.channel
    return any(settings.settings.get(one) for one in _SWITCHES.get(channel, (f"{channel.value}_enabled",)))


async def read_channels(client: CoolifyClient) -> tuple[ChannelSettings, ...]:
    """Return the settings of all channels, one request each.

    Raises:
        UnsupportedVersionError: The server cannot tell them (before 4.3.0).
    """
    return tuple([await client.notifications.get(channel) for channel in Channel])


def plan_notifications(channels: Iterable[ChannelSettings]) -> tuple[ChannelChange, ...]:
    """Return what is to be switched on; a channel that nobody uses stays as it is, and nothing is switched off."""
    changes = []
    for one in channels:
        missing = tuple(event for event in WANTED_EVENTS if event not in one.events)
        if is_on(one) and missing:
            changes.append(ChannelChange(one.channel, missing))
    return tuple(changes)


async def apply_notifications(client: CoolifyClient, changes: Iterable[ChannelChange]) -> None:
    """Switch events on; doing it twice changes nothing."""
    for change in changes:
        await client.notifications.set(change.channel, {}, dict.fromkeys(change.events, True))
