"""What the configuration files of one Coolify declare of it, joined: settings of the team, and of its servers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from coolify.api.team import Channel
from coolify.config.coolify_settings import LogDrains, Notifications, Sentinel
from coolify.errors import OperatorError
from coolify.monitor.watched import Watched

__all__ = ["Declared", "SettingsConflictError", "declared_settings"]

Section = TypeVar("Section")


class SettingsConflictError(OperatorError):
    """Two files declare the same of one Coolify, and not the same way."""

    is_usage = True


@dataclass(frozen=True, slots=True)
class Declared:
    """What is declared of one Coolify."""

    notifications: Notifications
    sentinels: Mapping[str | None, Sentinel]
    """Server, by name or UUID, None for the only one -> its agent."""
    drains: Mapping[str | None, LogDrains]
    """Server -> its log drains."""

    @property
    def channels(self) -> tuple[Channel, ...]:
        """Channels of which something is declared."""
        return tuple(one for one in Channel if getattr(self.notifications, one.value) is not None)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is declared."""
        return not (self.channels or self.sentinels or self.drains)


def declared_settings(watched: Iterable[Watched]) -> Declared:
    """Join the sections `monitoring.coolify` of all files.

    Args:
        watched: Applications of one Coolify server.

    Raises:
        SettingsConflictError: Two files disagree.
    """
    there = tuple(watched)
    channels = {
        channel.value: _agreed(
            there,
            f"notifications.{channel.value}",
            lambda one, name=channel.value: getattr(one.config.monitoring.coolify.notifications, name),  # type: ignore[misc]
        )
        for channel in Channel
    }
    by_server: dict[str | None, list[Watched]] = {}
    for one in there:
        by_server.setdefault(one.config.application.server, []).append(one)
    sentinels = {
        server: _agreed(group, "sentinel", lambda one: one.config.monitoring.coolify.sentinel)
        for server, group in by_server.items()
    }
    drains = {
        server: _agreed(group, "log_drains", lambda one: one.config.monitoring.coolify.log_drains)
        for server, group in by_server.items()
    }
    return Declared(
        Notifications.model_construct(**channels),
        {server: one for server, one in sentinels.items() if one is not None},
        {server: one for server, one in drains.items() if one is not None},
    )


def _agreed(watched: Iterable[Watched], key: str, section: Callable[[Watched], Section | None]) -> Section | None:
    """Return the section that all files which have it agree on."""
    found: Section | None = None
    first: Path | None = None
    for one in watched:
        mine = section(one)
        if mine is None:
            continue
        if found is not None and mine != found:
            raise SettingsConflictError(
                f"{first} and {one.config.path} declare monitoring.coolify.{key} differently, and it is the same thing "
                "in Coolify: keep it in one of them, or write the same in both."
            )
        found, first = mine, first or one.config.path
    return found
