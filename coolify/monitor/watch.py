"""One look at everything that is to be watched, whatever Coolify server it is on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from coolify.api import CoolifyClient
from coolify.config import Config, ConfigError
from coolify.config.monitoring import Alerts, Aspect, Monitoring
from coolify.contexts import Connection, ContextStore, connection_for, token_source
from coolify.finding import Finding, Severity
from coolify.monitor.look import DEFAULT_REQUESTS, NOTHING_ON_RECORD, Fleet, OnRecord, look_at_fleet
from coolify.monitor.memory import Memory
from coolify.monitor.model import Look, Observation, Subject
from coolify.monitor.watched import Watched, declared

__all__ = ["Broken", "Wanted", "Watch", "look_at_everything", "prepare"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to watch."""

    files: tuple[tuple[str, str], ...] = ()
    """Configuration files, each with an environment; empty for the file's own."""
    contexts: tuple[str, ...] = ()
    """Contexts of which every application is watched."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A configuration file that cannot be watched."""

    path: str
    environment: str
    why: str

    @property
    def look(self) -> Look:
        """What is wrong, as a look shows it."""
        finding = Finding(
            name="watch-configuration-broken",
            severity=Severity.ERROR,
            subject=self.path,
            summary=f"The application of {self.path} is not watched: {self.why}",
            remedy="Check the file with `coolify project config validate`.",
        )
        subject = Subject(
            key=f"{self.path}|{self.environment}", coolify="", application=self.path, environment=self.environment
        )
        seen = Observation(aspect=Aspect.SERVER, at=datetime.now(UTC), findings=(finding,))
        return Look(subject=subject, observations=(seen,))


@dataclass(frozen=True, slots=True)
class Watch:
    """What is watched, sorted by the Coolify server it is on."""

    fleets: tuple[Fleet, ...]
    broken: tuple[Broken, ...] = ()

    @property
    def policies(self) -> Mapping[str, Monitoring]:
        """Subject's key -> its section `monitoring`; a Coolify server has that of its first application."""
        found = {fleet.coolify: fleet.watched[0].config.monitoring for fleet in self.fleets if fleet.watched}
        return found | {one.subject.key: one.config.monitoring for fleet in self.fleets for one in fleet.watched}

    @property
    def recipients(self) -> Mapping[str, tuple[Alerts, ...]]:
        """Subject's key -> whom to tell; of a server all whose applications are on it, of a broken file everybody."""
        found: dict[str, tuple[Alerts, ...]] = {}
        everybody: list[Alerts] = []
        for fleet in self.fleets:
            theirs = [one.config.monitoring.alerts for one in fleet.watched]
            everybody += theirs
            found[fleet.coolify] = tuple(theirs)
            found |= {one.subject.key: (one.config.monitoring.alerts,) for one in fleet.watched}
        return found | {one.look.subject.key: tuple(everybody) for one in self.broken}


def prepare(
    wanted: Wanted,
    environ: Mapping[str, str],
    connect: Callable[[], CoolifyClient] | None = None,
    *,
    only_enabled: bool = False,
) -> Watch:
    """Read the configuration files and find out how their servers are reached.

    One file that is wrong keeps nobody else's application from being watched.

    Args:
        wanted: What to watch.
        environ: Names contexts and holds tokens.
        connect: Connection to use instead of those of files and contexts.
        only_enabled: Whether files without `monitoring.enabled` are left out.

    Raises:
        ContextError: A context does not exist.
    """
    store = ContextStore.open(environ)
    servers: dict[str, list[Watched]] = {}
    broken: list[Broken] = []
    for path, environment in dict.fromkeys(wanted.files):
        try:
            watched = declared(path, environment)
        except ConfigError as error:
            broken.append(Broken(path, environment, str(error)))
            continue
        if only_enabled and not watched.config.monitoring.enabled:
            continue
        there = servers.setdefault(watched.config.server, [])
        if all(one.subject.key != watched.subject.key for one in there):
            there.append(watched)
    connections = {}
    for name in wanted.contexts:
        context = store.get(name)
        ca_file = Path(context.ca_file) if context.ca_file else None
        source = token_source(context, store.directory)
        connections[context.server] = Connection(context.server, source, ca_file, context.expires, context)
        servers.setdefault(context.server, [])
    fleets = []
    for server, group in servers.items():
        connection = connections.get(server)
        reach = connection.client if connection else partial(_connect, group[0].config, store, environ)
        fleets.append(Fleet(server, connect or reach, tuple(group), everything=connection is not None))
    return Watch(tuple(fleets), tuple(broken))


def _connect(config: Config, store: ContextStore, environ: Mapping[str, str]) -> CoolifyClient:
    return connection_for(config, store, environ).client()


async def look_at_everything(
    watch: Watch,
    memories: Mapping[str, Memory],
    environ: Mapping[str, str],
    *,
    requests: int = DEFAULT_REQUESTS,
    on_record: OnRecord = NOTHING_ON_RECORD,
) -> tuple[Look, ...]:
    """Look at all fleets side by side; see `look_at_fleet`."""
    looks: Iterable[tuple[Look, ...]] = await asyncio.gather(
        *(look_at_fleet(fleet, memories, environ, requests=requests, on_record=on_record) for fleet in watch.fleets)
    )
    return (*(one.look for one in watch.broken), *(look for of_fleet in looks for look in of_fleet))
