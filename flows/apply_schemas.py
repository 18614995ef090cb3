"""The tables of databases are there: commands that have to run once have run."""

from __future__ import annotations

from prefect import flow

from blocks import CoolifyServer
from coolify.config import Config
from coolify.wording import counted
from tasks.phases import phase
from tasks.schemas import apply_schema
from tasks.session import Target, open_session

__all__ = ["apply_schemas", "has_schemas"]


def has_schemas(config: Config) -> bool:
    """Whether any database has commands that make its tables."""
    return any(section.schema_ for section in config.databases.values())


@flow(name="apply schemas", flow_run_name="apply schemas {target.label}")
async def apply_schemas(target: Target, application_uuid: str, server: CoolifyServer | None = None) -> int:
    """Run the commands of each `schema` once, in the application's running container; return how many ran now.

    Args:
        target: The application.
        application_uuid: Its UUID in Coolify.
        server: Connection to Coolify instead of the one in the configuration file.

    Raises:
        SchemaFailedError: A command failed.
    """
    async with open_session(target, server) as session, phase("apply schemas") as handle:
        applied = 0
        for key, section in session.config.databases.items():
            if section.schema_ is not None:
                applied += await apply_schema(session.client, application_uuid, key, section.schema_)
        handle.done(f"{counted(applied, 'schema')} applied" if applied else "unchanged")
        return applied
