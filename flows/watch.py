"""Look at everything again and again, and tell only what has changed."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed
from pydantic import BaseModel, ConfigDict, Field

from blocks import BlockWatchStore, CoolifyServer
from coolify.config.monitoring import Alerts
from coolify.monitor.alerts import messages, still_worth_sending
from coolify.monitor.changes import Change, compare
from coolify.monitor.look import DEFAULT_REQUESTS
from coolify.monitor.memory import Problem
from coolify.monitor.watch import Wanted, prepare
from coolify.wording import counted
from tasks.alerting import send_alerts
from tasks.lateness import too_late
from tasks.locks import WatchLockedError, exclusive_watch
from tasks.phases import phase
from tasks.session import Target
from tasks.watching import look_around, publish_changes

__all__ = ["WatchRequest", "Watched", "watch"]

_LATE: Final = timedelta(minutes=5)
Name = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=64)]


class WatchRequest(BaseModel):
    """What to watch."""

    model_config = ConfigDict(frozen=True)

    targets: tuple[Target, ...] = Field(
        default=(Target(),),
        title="Applications",
        description="Applications to watch; those without monitoring.enabled are left out.",
    )
    contexts: tuple[str, ...] = Field(
        default=(),
        title="Contexts",
        description="Coolify instances (see 'coolify auth status --all') of which every application is watched.",
    )
    alerts: Alerts = Field(
        default=Alerts(),
        title="Alerts",
        description="Who hears of applications without a configuration file, as in the section monitoring.alerts.",
    )
    name: Name = Field(
        default="default", title="Name", description="What this watch is remembered by: one for each deployment of it."
    )
    requests: int = Field(
        default=DEFAULT_REQUESTS,
        title="Requests",
        description="How many to send to each Coolify server in one run, of the 200 a minute that it allows a user.",
        ge=10,
        le=1000,
    )


class Watched(BaseModel):
    """What a run has seen."""

    model_config = ConfigDict(frozen=True)

    looked_at: int = 0
    active: tuple[Problem, ...] = ()
    """What is called a problem now."""
    changes: tuple[Change, ...] = ()
    """What was told."""
    undelivered: int = 0
    """Alerts that could not be sent and are tried again."""
    skipped: str = ""


@flow(name="watch", flow_run_name="watch {request.name}")
async def watch(request: WatchRequest, server: CoolifyServer | None = None) -> State[Any]:
    """Look at health, certificates, DNS, containers, deployments, backups and drift, and tell what has changed.

    What is wrong is an event (`coolify.watch.raised`) and an alert, not a failed run: it is told once, and its end too.

    Args:
        request: What to watch.
        server: Connection to Coolify instead of the ones in the configuration files.

    Returns:
        A state named Completed, or Skipped for a run that comes too late or while another is under way.
    """
    if late := too_late(_LATE):
        return Completed(name="Skipped", message=f"Not looked: {late}.", data=Watched(skipped=late))
    try:
        async with exclusive_watch(request.name), phase("watch") as handle:
            result = await _watch(request, server)
            summary = f"{counted(result.looked_at, 'look')}, {counted(len(result.active), 'problem')}"
            handle.done(summary)
    except WatchLockedError as error:
        return Completed(name="Skipped", message=str(error), data=Watched(skipped=str(error)))
    return Completed(message=f"{summary}.", data=result)


async def _watch(request: WatchRequest, server: CoolifyServer | None) -> Watched:
    wanted = Wanted(tuple((one.config, one.environment) for one in request.targets), request.contexts)
    prepared = prepare(wanted, os.environ, server.get_client if server else None, only_enabled=True)
    store = BlockWatchStore(request.name)
    before = await store.load()
    looks = await look_around(prepared, before, request.requests)
    now = datetime.now(UTC)
    after, changes = compare(before, looks, prepared.policies, await store.load_notes(), now)
    await publish_changes(request.name, after, changes)
    # Told before it is remembered: a run that dies in between tells twice, and never not at all.
    new = messages(changes, prepared.recipients, now, request.alerts)
    outgoing = (*still_worth_sending(before.undelivered, now), *new)
    undelivered = await send_alerts(outgoing) if outgoing else ()
    await store.save(after.model_copy(update={"undelivered": undelivered}))
    return Watched(looked_at=len(looks), active=after.active, changes=changes, undelivered=len(undelivered))
