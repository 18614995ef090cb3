"""Coolify's own channels, agents and log drains, brought to what is declared (4.3.0 and later).

Read, compared, planned, changed and read again: a change counts when Coolify shows it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from coolify.api import Ability, CoolifyClient
from coolify.api.capabilities import Feature
from coolify.api.models import Answer
from coolify.api.server_administration import LogDrainsWrite, SentinelWrite
from coolify.api.team import Channel, ChannelSettings
from coolify.config.coolify_settings import Event
from coolify.errors import OperatorError
from coolify.locating import find_server
from coolify.monitor.setup.declared import Declared
from coolify.monitor.setup.settings import (
    Difference,
    Setting,
    channel_settings,
    compare,
    drain_settings,
    event_settings,
    refuse_incomplete,
    sentinel_settings,
)

__all__ = [
    "USUAL_EVENTS",
    "GroupChange",
    "InstancePlan",
    "SettingsNotKeptError",
    "TokenMayNotWriteError",
    "apply_instance",
    "check_token",
    "plan_instance",
]

USUAL_EVENTS: Final = (
    Event.BACKUP_FAILURE,
    Event.DEPLOYMENT_FAILURE,
    Event.DOCKER_CLEANUP_FAILURE,
    Event.SCHEDULED_TASK_FAILURE,
    Event.SERVER_DISK_USAGE,
    Event.SERVER_UNREACHABLE,
)
"""What Coolify is to tell: disks and scheduled tasks nobody else sees, the rest is a second pair of eyes."""
_SWITCHES: Final = {Channel.EMAIL: ("smtp_enabled", "resend_enabled", "use_instance_email_settings")}


class SettingsNotKeptError(OperatorError):
    """Coolify took a change and does not show it."""


class TokenMayNotWriteError(OperatorError):
    """Something is to be changed with a token that may only read."""

    is_usage = True


Read = Callable[[CoolifyClient], Awaitable[Mapping[str, Any]]]
Write = Callable[[CoolifyClient, Mapping[str, Any]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _Group:
    """Settings that Coolify reads and writes as one."""

    title: str
    """For example `notifications.slack`."""
    place: str
    """Where they are in Coolify's pages."""
    read: Read
    write: Write
    is_whole: bool = False
    """Whether all that is declared is sent, and not only what differs: what is switched on needs its keys then."""


@dataclass(frozen=True, slots=True)
class GroupChange:
    """Settings that are not as declared."""

    group: _Group
    settings: tuple[Setting, ...]
    """Everything that is declared of them."""
    differences: tuple[Difference, ...]

    @property
    def title(self) -> str:
        """Which settings, for example `notifications.slack`."""
        return self.group.title

    @property
    def texts(self) -> tuple[str, ...]:
        """What changes, one short text each, without secrets."""
        return tuple(one.text for one in self.differences)


@dataclass(frozen=True, slots=True)
class InstancePlan:
    """What is to be changed in one Coolify."""

    changes: tuple[GroupChange, ...] = ()
    unchanged: tuple[str, ...] = ()
    """What is as declared."""
    notes: tuple[str, ...] = field(default=())
    """What cannot be done, and what to do instead."""


async def plan_instance(
    client: CoolifyClient, declared: Declared, environ: Mapping[str, str], *, usual_events: bool
) -> InstancePlan:
    """Compare what is declared with what there is; changes nothing.

    Args:
        client: Of the Coolify server.
        declared: What is declared of it.
        environ: Where references to secrets are looked up.
        usual_events: Whether channels that are on and have no declared `events` are to tell the usual ones too.

    Raises:
        ConfigError: A variable is not set.
        SettingsHiddenError: The token does not see what is to be compared.
        SettingsIncompleteError: A channel would be switched on without an address.
        CoolifyError: Coolify cannot be asked.
    """
    capabilities = await client.capabilities()
    notes = []
    planned: list[GroupChange] = []
    if declared.channels or usual_events:
        if capabilities.supports(Feature.NOTIFICATIONS):
            planned += await _plan_channels(client, declared, environ, usual_events=usual_events)
        else:
            notes.append(_too_old(str(capabilities.version), Feature.NOTIFICATIONS, "Notifications"))
    if declared.sentinels or declared.drains:
        if capabilities.supports(Feature.SERVER_ADMINISTRATION):
            planned += await _plan_servers(client, declared, environ)
        else:
            place = "Servers, the server, Configuration, Sentinel and Log Drains"
            notes.append(_too_old(str(capabilities.version), Feature.SERVER_ADMINISTRATION, place))
    return InstancePlan(
        tuple(one for one in planned if one.differences),
        tuple(one.title for one in planned if not one.differences),
        tuple(notes),
    )


def _too_old(version: str, feature: Feature, place: str) -> str:
    return (
        f"Coolify {version} cannot be told by its API what monitoring.coolify declares: that needs {feature.since}. "
        f"Upgrade Coolify, or set it by hand: {place}."
    )


async def check_token(client: CoolifyClient, changes: Iterable[GroupChange]) -> None:
    """Refuse, before anything is changed, a token that may not make the changes.

    Raises:
        TokenMayNotWriteError: It may only read.
        CoolifyError: Coolify cannot be asked.
    """
    titles = [one.title for one in changes]
    if titles and (await client.access()).lacks(Ability.WRITE):
        raise TokenMayNotWriteError(
            f"The token lacks the ability write: {', '.join(titles)} cannot be changed. Create one with read, "
            "read:sensitive and write in Coolify: Keys & Tokens."
        )


async def apply_instance(client: CoolifyClient, changes: Iterable[GroupChange]) -> None:
    """Make the changes and read them again; doing it twice changes nothing.

    Raises:
        SettingsNotKeptError: Coolify shows something else afterwards.
        CoolifyError: Coolify refuses, or cannot be asked; what was changed before stays.
    """
    for change in changes:
        differing = tuple(one.setting for one in change.differences)
        sent = change.settings if change.group.is_whole else differing
        await change.group.write(client, {one.name: one.value for one in sent})
        if left := compare(change.title, change.settings, await change.group.read(client)):
            raise SettingsNotKeptError(
                f"Coolify took {change.title} and shows something else for "
                f"{', '.join(one.setting.key for one in left)}: look at it in Coolify, {change.group.place}."
            )


async def _plan_channels(
    client: CoolifyClient, declared: Declared, environ: Mapping[str, str], *, usual_events: bool
) -> list[GroupChange]:
    planned = []
    for channel in Channel if usual_events else declared.channels:
        group = _channel_group(channel)
        there = await group.read(client)
        settings = channel_settings(channel, declared.notifications, environ)
        section = getattr(declared.notifications, channel.value)
        if usual_events and (section is None or section.events is None) and _is_on(channel, there, settings):
            settings += tuple(event_settings(channel, dict.fromkeys(USUAL_EVENTS, True)))
        if settings:
            planned.append(_compared(group, settings, there))
    return planned


async def _plan_servers(client: CoolifyClient, declared: Declared, environ: Mapping[str, str]) -> list[GroupChange]:
    planned = []
    for wanted in dict.fromkeys((*declared.sentinels, *declared.drains)):
        server = await find_server(client, wanted)
        if sentinel := declared.sentinels.get(wanted):
            group = _sentinel_group(server.uuid, server.name)
            planned.append(_compared(group, sentinel_settings(sentinel), await group.read(client)))
        if drains := declared.drains.get(wanted):
            group = _drain_group(server.uuid, server.name)
            planned.append(_compared(group, drain_settings(drains, environ), await group.read(client)))
    return planned


def _compared(group: _Group, settings: tuple[Setting, ...], there: Mapping[str, Any]) -> GroupChange:
    refuse_incomplete(group.title, settings, there)
    return GroupChange(group, settings, compare(group.title, settings, there))


def _is_on(channel: Channel, there: Mapping[str, Any], settings: Iterable[Setting]) -> bool:
    """Return whether a channel is used, once what is declared is so."""
    then = dict(there) | {one.name: one.value for one in settings}
    return any(then.get(one) for one in _SWITCHES.get(channel, (f"{channel.value}_enabled",)))


def _channel_group(channel: Channel) -> _Group:
    async def read(client: CoolifyClient) -> Mapping[str, Any]:
        found: ChannelSettings = await client.notifications.get(channel)
        return found.settings

    async def write(client: CoolifyClient, body: Mapping[str, Any]) -> None:
        await client.notifications.set(channel, body, {})

    return _Group(f"notifications.{channel.value}", f"Notifications, {channel.value.title()}", read, write)


def _sentinel_group(uuid: str, name: str) -> _Group:
    async def read(client: CoolifyClient) -> Mapping[str, Any]:
        return _shown(await client.server_administration.sentinel(uuid))

    async def write(client: CoolifyClient, body: Mapping[str, Any]) -> None:
        await client.server_administration.set_sentinel(uuid, SentinelWrite.model_validate(dict(body)))

    return _Group(f"sentinel of {name}", f"Servers, {name}, Configuration, Sentinel", read, write)


def _drain_group(uuid: str, name: str) -> _Group:
    async def read(client: CoolifyClient) -> Mapping[str, Any]:
        return _shown(await client.server_administration.log_drains(uuid))

    async def write(client: CoolifyClient, body: Mapping[str, Any]) -> None:
        await client.server_administration.set_log_drains(uuid, LogDrainsWrite.model_validate(dict(body)))

    place = f"Servers, {name}, Configuration, Log Drains"
    return _Group(f"log_drains of {name}", place, read, write, is_whole=True)


def _shown(answer: Answer) -> Mapping[str, Any]:
    """Return what Coolify has shown: what it hides is not there, which is not the same as empty."""
    return {name: getattr(answer, name) for name in answer.model_fields_set}
