"""The databases of an application exist, run, and are healthy."""

from __future__ import annotations

from prefect import flow
from pydantic import BaseModel, ConfigDict

from blocks import CoolifyServer
from coolify.api import Placement
from coolify.databases import find_databases, public_port_findings
from coolify.wording import counted
from flows.set_up_project import set_up_project
from tasks.databases import ensure_database, start_database, update_database
from tasks.locks import exclusive_release
from tasks.phases import phase, report_findings
from tasks.session import Session, Target, open_session

__all__ = ["DatabaseReady", "set_up_databases"]


class DatabaseReady(BaseModel):
    """A database as it is now."""

    model_config = ConfigDict(frozen=True)

    key: str
    name: str
    uuid: str
    status: str


@flow(name="set up databases", flow_run_name="set up databases {target.label}")
async def set_up_databases(
    target: Target, placement: Placement | None = None, server: CoolifyServer | None = None
) -> tuple[DatabaseReady, ...]:
    """Create what is missing, bring settings in line, start, and wait for health; nothing is ever deleted.

    Args:
        target: The application.
        placement: Where it lives; looked up, and made, when left out.
        server: Connection to Coolify instead of the one in the configuration file.
    """
    async with open_session(target, server) as session, phase("set up databases") as handle:
        config, client = session.config, session.client
        if not config.databases:
            handle.skipped("no section `databases`")
            return ()
        report_findings(public_port_findings(config))
        if placement is not None:
            ready = await _set_up(session, placement)
        else:
            # A release has placed it, and holds the lock: two first runs would make two of each.
            identity = (client.base_url, config.project.name, config.environment, config.application_name)
            async with exclusive_release(*identity):
                ready = await _set_up(session, await set_up_project(target))
        handle.done(f"{counted(len(ready), 'database')} healthy")
        return ready


async def _set_up(session: Session, where: Placement) -> tuple[DatabaseReady, ...]:
    config, client = session.config, session.client
    found = await find_databases(client, config)
    ready = []
    for key, section in config.databases.items():
        database = await ensure_database(client, config, key, where, found.get(key))
        restart = await update_database(client, config, key, database)
        healthy = await start_database(client, key, database, section.start_timeout, restart=restart)
        ready.append(DatabaseReady(key=key, name=healthy.name, uuid=healthy.uuid, status=healthy.status))
    return tuple(ready)
