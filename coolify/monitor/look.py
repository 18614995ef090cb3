"""One look at every application of a Coolify server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from coolify.api import Application, CoolifyClient
from coolify.backup.record import RestorePointStore
from coolify.config import Config
from coolify.config.monitoring import Aspect
from coolify.dns import Resolver, ServerAddresses, resolver_of
from coolify.dns.application import dns_settings
from coolify.dns.check import DomainStatus, check_each
from coolify.errors import OperatorError
from coolify.locating import names_of
from coolify.monitor.inside import (
    observe_backups,
    observe_container,
    observe_deployment,
    observe_drift,
    observe_missing,
    observe_servers,
    observe_unreachable,
    restarts_of,
)
from coolify.monitor.instance import Instance, read_instance
from coolify.monitor.memory import Memory
from coolify.monitor.model import Look, Measure, Metric, Observation, Subject
from coolify.monitor.outcomes import HistorySource
from coolify.monitor.outside import observe_certificates, observe_dns, observe_health
from coolify.monitor.rota import choose
from coolify.monitor.watched import Watched, discovered

if TYPE_CHECKING:
    from coolify.release.record import History

__all__ = ["DEFAULT_REQUESTS", "NOTHING_ON_RECORD", "Fleet", "OnRecord", "look_at_fleet"]

DEFAULT_REQUESTS: Final = 120
"""Requests that a run sends to a server at most, of 200 a minute and user (reference 0.4): releases need theirs."""
_AT_ONCE: Final = 48
"""Applications that are looked at side by side."""


@dataclass(frozen=True, slots=True)
class OnRecord:
    """Where it is read what Coolify does not know; what nobody can read is neither judged nor measured."""

    proofs: RestorePointStore | None = None
    """Restore points of databases."""
    releases: HistorySource | None = None
    """Releases of applications."""


NOTHING_ON_RECORD: Final = OnRecord()


@dataclass(frozen=True, slots=True)
class Fleet:
    """The applications of one Coolify server."""

    coolify: str
    """Its address."""
    connect: Callable[[], CoolifyClient]
    """Makes a client for it.

    Raises OperatorError where nobody knows how to get in.
    """
    watched: tuple[Watched, ...] = ()
    everything: bool = False
    """Whether applications are watched too that have no configuration file."""


@dataclass
class _Seen:
    """What was found out about one application until now."""

    watched: Watched
    application: Application | None = None
    observations: list[Observation] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)

    @property
    def wanted(self) -> frozenset[Aspect]:
        return frozenset(Aspect) - frozenset(self.watched.config.monitoring.ignore)


async def look_at_fleet(
    fleet: Fleet,
    memories: Mapping[str, Memory],
    environ: Mapping[str, str],
    *,
    requests: int = DEFAULT_REQUESTS,
    on_record: OnRecord = NOTHING_ON_RECORD,
) -> tuple[Look, ...]:
    """Look at the server itself and at every application once; ends in time whatever the network does.

    Where Coolify cannot be asked, applications are still looked at from the outside, and what Coolify would tell is not
    observed: it is neither good nor bad.

    Args:
        fleet: The applications.
        memories: What earlier looks have told.
        environ: Where secrets are looked up.
        requests: How many requests to send to Coolify at most.
        on_record: What is known besides what Coolify tells.

    Returns:
        The look at the server, then those at the applications.
    """
    try:
        client = fleet.connect()
    except OperatorError as error:
        return await _look(fleet, None, str(error), memories, environ, on_record)
    async with client:
        try:
            instance = await read_instance(client, requests)
        except OperatorError as error:
            return await _look(fleet, None, str(error), memories, environ, on_record)
        return await _look(fleet, instance, "", memories, environ, on_record)


async def _look(
    fleet: Fleet,
    instance: Instance | None,
    trouble: str,
    memories: Mapping[str, Memory],
    environ: Mapping[str, str],
    on_record: OnRecord,
) -> tuple[Look, ...]:
    now = datetime.now(UTC)
    seen = await _found(fleet, instance, memories)
    resolvers: dict[object, Resolver] = {}
    for one in seen:
        resolvers.setdefault(one.watched.config.network.resolvers, resolver_of(one.watched.config))
    observed = await _of_coolify(fleet, instance, trouble, seen)
    if instance is not None:
        asked = [one.watched for one in seen if one.application is not None]
        turns = choose(asked, memories, instance.allowance, now)
        await _look_at_names(instance, seen, resolvers)
    else:
        turns = {}
    room = asyncio.Semaphore(_AT_ONCE)

    async def look(one: _Seen) -> None:
        async with room:
            resolver = resolvers[one.watched.config.network.resolvers]
            await _look_at(one, instance, resolver, turns, memories, environ, on_record)

    await asyncio.gather(*(look(one) for one in seen))
    return (_with_budget(observed, instance), *(_finished(one, instance) for one in seen))


async def _found(fleet: Fleet, instance: Instance | None, memories: Mapping[str, Memory]) -> list[_Seen]:
    """Return the applications of the fleet beside what Coolify has of them."""
    seen = [_Seen(one) for one in fleet.watched]
    if instance is None:
        return seen

    async def find(one: _Seen) -> None:
        memory = memories.get(one.watched.subject.key, Memory())
        now = datetime.now(UTC)
        try:
            one.application = await instance.find(one.watched.config, memory.uuid)
        except OperatorError as error:
            one.unseen.append(str(error))
            return
        if one.application is None and Aspect.CONTAINER in one.wanted:
            one.observations.append(observe_missing(one.watched.config, now))

    await asyncio.gather(*(find(one) for one in seen))
    if fleet.everything:
        seen += await _others(fleet, instance, {one.application.uuid for one in seen if one.application})
    return seen


async def _others(fleet: Fleet, instance: Instance, known: set[str]) -> list[_Seen]:
    base = fleet.watched[0].config if fleet.watched else Config.model_validate(_least(fleet.coolify))
    try:
        places = await instance.places()
    except OperatorError:
        places = {}
    seen = []
    for application in instance.applications:
        if application.uuid in known:
            continue
        watched = discovered(application, fleet.coolify, places.get(application.environment_id or -1), base)
        if watched is not None:
            seen.append(_Seen(watched, application))
    return seen


def _least(server: str) -> dict[str, object]:
    return {"server": server, "project": {"name": "unknown"}}


async def _look_at_names(instance: Instance, seen: Sequence[_Seen], resolvers: Mapping[object, Resolver]) -> None:
    """Check the names of all applications, those of a server together: what they share is asked once."""
    groups: dict[tuple[object, str], list[_Seen]] = {}
    for one in seen:
        server = instance.server_of(one.application) if one.application else None
        if server is not None and one.watched.config.domains and Aspect.DNS in one.wanted:
            groups.setdefault((one.watched.config.network.resolvers, server.uuid), []).append(one)

    async def check(resolver: Resolver, uuid: str, group: list[_Seen]) -> None:
        server = next(one for one in instance.servers if one.uuid == uuid)
        addresses = await resolver.server_addresses(*names_of(server, instance.client.base_url))
        await _check_names(group, addresses, resolver)

    await asyncio.gather(*(check(resolvers[network], uuid, group) for (network, uuid), group in groups.items()))


async def _check_names(group: Sequence[_Seen], addresses: ServerAddresses, resolver: Resolver) -> None:
    wanted = []
    for one in group:
        secure = {domain.host for domain in one.watched.config.domains if domain.ssl}
        for host in dict.fromkeys(domain.host for domain in one.watched.config.domains):
            settings = replace(dns_settings(one.watched.config, https=host in secure), ports=None)
            wanted.append((one, host, settings))
    checked = await check_each(((host, settings) for _, host, settings in wanted), addresses, resolver)
    statuses: dict[int, list[DomainStatus]] = {}
    for (one, _, _), status in zip(wanted, checked, strict=True):
        statuses.setdefault(id(one), []).append(status)
    for one in group:
        one.observations.append(observe_dns(statuses[id(one)]))


async def _look_at(
    seen: _Seen,
    instance: Instance | None,
    resolver: Resolver,
    turns: Mapping[str, frozenset[Aspect]],
    memories: Mapping[str, Memory],
    environ: Mapping[str, str],
    on_record: OnRecord,
) -> None:
    watched, key = seen.watched, seen.watched.subject.key
    if Aspect.HEALTH in seen.wanted:
        await _try(seen, observe_health(watched, resolver, environ))
    if Aspect.CERTIFICATE in seen.wanted:
        await _try(seen, observe_certificates(watched, resolver))
    application = seen.application
    if instance is None or application is None:
        return
    config, client = watched.config, instance.client
    if Aspect.CONTAINER in seen.wanted:
        memory, most = memories.get(key, Memory()), config.monitoring.thresholds.restarts
        seen.observations.append(observe_container(application, memory, most, datetime.now(UTC)))
    mine = turns.get(key, frozenset())
    if Aspect.DEPLOYMENT in mine:
        history = await _history(seen, on_record, application.uuid)
        await _try(seen, observe_deployment(client, application, config, history))
    if Aspect.BACKUP in mine:
        await _try(seen, observe_backups(client, config, environ, on_record.proofs))
    if Aspect.DRIFT in mine:
        await _try(seen, observe_drift(client, config, environ))


async def _history(seen: _Seen, on_record: OnRecord, uuid: str) -> History | None:
    if on_record.releases is None:
        return None
    try:
        return await on_record.releases.history(uuid)
    except OperatorError as error:
        seen.unseen.append(str(error))
        return None


async def _try(seen: _Seen, observing: Awaitable[Observation | None]) -> None:
    try:
        observation = await observing
    except OperatorError as error:
        seen.unseen.append(str(error))
    else:
        seen.observations += [observation] if observation is not None else []


def _finished(seen: _Seen, instance: Instance | None) -> Look:
    application = seen.application
    return Look(
        subject=seen.watched.subject,
        observations=tuple(seen.observations),
        deploying=bool(instance and application and instance.is_deploying(application)),
        uuid=application.uuid if application else None,
        restarts=restarts_of(application) if application else None,
        unseen=tuple(dict.fromkeys(seen.unseen)),
    )


async def _of_coolify(fleet: Fleet, instance: Instance | None, trouble: str, seen: Iterable[_Seen]) -> Look:
    """Look at the Coolify server itself, before its requests are used up by applications."""
    subject = Subject(key=fleet.coolify, coolify=fleet.coolify)
    if instance is None:
        return Look(subject=subject, observations=(observe_unreachable(fleet.coolify, trouble, datetime.now(UTC)),))
    base = fleet.watched[0].config if fleet.watched else Config.model_validate(_least(fleet.coolify))
    used = {one.application.server_uuid for one in seen if one.application}
    return Look(subject=subject, observations=(await observe_servers(instance, base, lambda uuid: uuid in used),))


def _with_budget(look: Look, instance: Instance | None) -> Look:
    """Return the look at the Coolify server with the number of requests that all of it took."""
    if instance is None:
        return look
    budget = instance.client.budget
    measures = [Measure(metric=Metric.API_REQUESTS, value=float(budget.sent))]
    if budget.remaining is not None:
        measures.append(Measure(metric=Metric.API_REMAINING, value=float(budget.remaining)))
    (observed,) = look.observations
    observed = observed.model_copy(update={"measures": (*observed.measures, *measures)})
    return look.model_copy(update={"observations": (observed,)})
