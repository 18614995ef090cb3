"""Databases: looked up, created, started, healthy; their connections put into the application's variables."""

from __future__ import annotations

import asyncio
import time
from typing import Final

from coolify.api import CoolifyClient, Placement
from coolify.api.databases import Database, DatabaseSpec
from coolify.config import Config
from coolify.databases import (
    database_name,
    differing_settings,
    refuse_unconnected,
    resolve_with_databases,
    settings_of,
)
from coolify.errors import OperatorError
from tasks.phases import step_done
from tasks.session import Session
from tasks.steps import step

__all__ = ["DatabaseNotHealthyError", "connect_variables", "ensure_database", "start_database", "update_database"]

_FIRST_POLL: Final = 0.5
_LONGEST_POLL: Final = 3.0


class DatabaseNotHealthyError(OperatorError):
    """A database does not become healthy."""


@step("ensure database", run_name="ensure database {key}")
async def ensure_database(
    client: CoolifyClient, config: Config, key: str, placement: Placement, existing: Database | None
) -> Database:
    """Return the database, created (not started) if there is none; `existing` is what was found before."""
    if existing is not None:
        step_done(f"database {existing.name}")
        return existing
    environments = await client.environments.list(placement.project_uuid)
    number = next(one.id for one in environments if one.name == placement.environment_name)
    if number is None:
        raise OperatorError(f"Coolify does not tell the number of the environment {placement.environment_name}.")
    section = config.databases[key]
    spec = DatabaseSpec(
        engine=section.engine,
        name=database_name(config, key),
        placement=placement,
        settings=settings_of(section),
    )
    ensured = await client.databases.ensure(spec, number)
    step_done(f"database {spec.name}", changed=ensured.created)
    return ensured.value


@step("update database", run_name="update database {key}")
async def update_database(client: CoolifyClient, config: Config, key: str, database: Database) -> bool:
    """Change the settings that differ and return whether a restart is needed for them."""
    differing = differing_settings(config.databases[key], database)
    if differing is None:
        return False
    await client.databases.update(database, differing)
    step_done(f"database {database.name}: {', '.join(sorted(differing.model_fields_set))}", changed=True)
    return True


@step("start database", run_name="start database {key}")
async def start_database(
    client: CoolifyClient, key: str, database: Database, seconds: float, *, restart: bool
) -> Database:
    """Start a database, or restart it for new settings, and wait until it is healthy.

    Raises:
        DatabaseNotHealthyError: It is not within the time.
    """
    if restart and database.is_running:
        await client.databases.restart(database.uuid)
        step_done(f"database {database.name} restarted", changed=True)
    elif not database.is_running:
        await client.databases.start(database.uuid)
        step_done(f"database {database.name} started", changed=True)
    deadline = time.monotonic() + seconds
    pause = _FIRST_POLL
    while True:
        current = await client.databases.get(database.uuid)
        if current.is_healthy:
            step_done(f"database {database.name} is {current.status}")
            return current
        if time.monotonic() > deadline:
            raise DatabaseNotHealthyError(
                f"The database {key} is {current.status} after {seconds:.0f} s: read its log in Coolify."
            )
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, _LONGEST_POLL)


@step("connect variables")
async def connect_variables(session: Session) -> None:
    """Put the connections of databases into the variables; the server is only asked where one refers to them.

    Raises:
        DatabaseMissingError: A variable needs a database that does not exist.
    """
    session.variables = await resolve_with_databases(session.client, session.config, session.environ)
    refuse_unconnected(session.config, session.variables)
