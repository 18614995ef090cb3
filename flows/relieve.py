"""Too little disk or memory: the declared decision, and what it does about that, once."""

from __future__ import annotations

from prefect import flow
from pydantic import BaseModel, ConfigDict

from blocks import CoolifyServer
from coolify.decisions import RESOURCE_LIMIT
from coolify.exhaustion import Shortage, obstacles
from coolify.locating import find_server
from coolify.release import Step
from flows.ask_operator import answered_in_prefect
from tasks.decision_points import take_decision
from tasks.phases import phase, step_done
from tasks.room import clean_up, raise_limits, was_adjusted, why_not_clean, why_not_write
from tasks.session import Target, open_session

__all__ = ["Relief", "relieve"]


class Relief(BaseModel):
    """What was done."""

    model_config = ConfigDict(frozen=True)

    adjusted: bool
    disk_percent: int | None = None
    """How full the disk is now, where it was measured."""


@flow(name="relieve", flow_run_name="relieve {shortage} {target.label}")
async def relieve(target: Target, shortage: Shortage, evidence: str, server: CoolifyServer | None = None) -> Relief:
    """Decide what is done about too little disk or memory, and do it; at most one adjustment in a release.

    Args:
        target: The application.
        shortage: What there is too little of.
        evidence: How that is known.
        server: Connection to Coolify instead of the one in the configuration file.

    Raises:
        CleaningFailedError: Coolify could not clean up the server.
    """
    async with answered_in_prefect(), open_session(target, server) as session, phase("relieve") as handle:
        if was_adjusted(session):
            handle.skipped("one adjustment was made already")
            return Relief(adjusted=False)
        client, config = session.client, session.config
        chosen = await find_server(client, config.application.server)
        unavailable = obstacles(
            shortage,
            config.resources,
            cleaning=await why_not_clean(client, chosen) if shortage is Shortage.DISK else "",
            writing=why_not_write(session),
        )
        choice = await take_decision(RESOURCE_LIMIT, session, evidence, unavailable)
        if choice.option.id == "optimize":
            session.adjusted = True
            async with session.journal.step(Step.CLEAN_UP, chosen.name):
                use = await clean_up(client, chosen)
            handle.done(f"{chosen.name} is cleaned up")
            return Relief(adjusted=True, disk_percent=use.percent if use else None)
        if choice.option.id == "scale":
            session.adjusted = True
            async with session.journal.step(Step.RAISE_LIMITS, f"resources.memory was {config.resources.memory}"):
                await raise_limits(session)
            handle.done(f"the limit of memory is {session.config.resources.memory}")
            return Relief(adjusted=True)
        step_done("nothing is adjusted")
        handle.skipped("by decision")
        return Relief(adjusted=False)
