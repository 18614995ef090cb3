"""Databases of a configuration on the server: found, described, and their connections handed to variables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

from coolify.api import CoolifyClient
from coolify.api.databases import Database, DatabaseSettings
from coolify.config import Config, ResolvedVariable, resolve_variables
from coolify.config.databases import DatabaseSection
from coolify.engines import DatabaseEngine
from coolify.errors import OperatorError
from coolify.finding import Finding, Severity

__all__ = [
    "DatabaseChange",
    "DatabaseMissingError",
    "connection_parts",
    "database_name",
    "difference_findings",
    "differing_settings",
    "find_databases",
    "plan_databases",
    "public_port_findings",
    "refuse_unconnected",
    "resolve_with_databases",
    "settings_of",
    "status_findings",
]

_NOT_READABLE: Final = frozenset({"conf", "user", "database"})
"""Set at the creation; the first is stored in another form, the others change nothing in a volume that exists."""


class DatabaseMissingError(OperatorError):
    """A database that the configuration needs does not exist yet."""


def database_name(config: Config, key: str) -> str:
    """Return the name of a database in Coolify."""
    return config.databases[key].name or f"{config.project.name}-{key}"


def settings_of(section: DatabaseSection) -> DatabaseSettings:
    """Return what the configuration mentions, in the words of the API; passwords are made by Coolify."""
    limits = section.resources
    wanted = {
        "image": section.whole_image,
        "user": section.user,
        "database": section.database,
        "conf": section.conf,
        "is_public": section.public_port is not None,
        "public_port": section.public_port,
        "limits_cpus": limits.docker_cpus if limits.cpu else None,
        "limits_memory": limits.docker_memory if limits.memory else None,
        "limits_memory_swap": limits.docker_memory_swap if limits.memory_swap else None,
    }
    return DatabaseSettings.model_validate({name: value for name, value in wanted.items() if value is not None})


async def find_databases(client: CoolifyClient, config: Config) -> dict[str, Database]:
    """Return key -> database for those of the configuration that exist, with what a single look tells of them.

    Raises:
        CoolifyError: The server cannot be read, or a name is not unique.
        OperatorError: A database of that name runs another engine.
    """
    if not config.databases:
        return {}
    project = await client.projects.locate(config.project.name, config.project.uuid)
    numbers = [one.id for one in project.environments if one.name == config.environment] if project else []
    if not numbers or numbers[0] is None:
        return {}
    found: dict[str, Database] = {}
    there = await client.databases.find_all(numbers[0], [database_name(config, key) for key in config.databases])
    for key, section in config.databases.items():
        database = there.get(database_name(config, key))
        if database is None:
            continue
        if database.engine is not section.engine:
            raise OperatorError(
                f"The database {database.name} runs {database.engine.value}, and {config.path} wants "
                f"{section.engine.value}: give the new one another name; nothing moves data between engines."
            )
        found[key] = database
    return found


@dataclass(frozen=True, slots=True)
class DatabaseChange:
    """What has to happen to one database."""

    key: str
    name: str
    engine: DatabaseEngine
    database: Database | None
    """What is there, None where it is to be created."""
    settings: DatabaseSettings | None
    """What is to be changed in it; a restart makes it effective."""

    @property
    def kind(self) -> str:
        """`create`, `update`, `start` or `unchanged`."""
        if self.database is None:
            return "create"
        if self.settings is not None:
            return "update"
        return "unchanged" if self.database.is_running else "start"

    def __str__(self) -> str:
        fields = sorted(self.settings.model_fields_set) if self.settings else []
        return f"database {self.name} ({self.engine.value})" + (f": {', '.join(fields)}" if fields else "")


def plan_databases(config: Config, found: Mapping[str, Database]) -> tuple[DatabaseChange, ...]:
    """Compare the databases of a configuration with those that exist, in the order of the file."""
    return tuple(
        DatabaseChange(
            key=key,
            name=database_name(config, key),
            engine=section.engine,
            database=found.get(key),
            settings=differing_settings(section, found[key]) if key in found else None,
        )
        for key, section in config.databases.items()
    )


def differing_settings(section: DatabaseSection, database: Database) -> DatabaseSettings | None:
    """Return the settings that are not as the configuration says, None where all are."""
    wanted = settings_of(section)
    differing = {
        name: getattr(wanted, name)
        for name in sorted(wanted.model_fields_set - _NOT_READABLE)
        if getattr(database, name) != getattr(wanted, name)
    }
    if wanted.conf is not None and not database.has_conf(wanted.conf):
        differing["conf"] = wanted.conf
    return DatabaseSettings.model_validate(differing) if differing else None


def connection_parts(key: str, database: Database) -> dict[str, str]:
    """Return the internal connection string of a database and its parts; secret, to be sent and never shown.

    Raises:
        OperatorError: The token may not read it.
    """
    if database.internal_db_url is None:
        raise OperatorError(
            f"The connection of the database {key} is hidden from this token: create one with read:sensitive."
        )
    url = database.internal_db_url.get_secret_value()
    parts = urlsplit(url)
    return {
        "url": url,
        "host": parts.hostname or "",
        "port": str(parts.port or ""),
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "name": unquote(parts.path.lstrip("/")),
    }


async def resolve_with_databases(
    client: CoolifyClient, config: Config, environ: Mapping[str, str]
) -> tuple[ResolvedVariable, ...]:
    """Return the variables with the connections of all databases that exist.

    The server is only asked where a variable refers to a database.

    Raises:
        ConfigError: A variable of the machine is not set.
        OperatorError: The token may not read a connection.
    """
    wanted = {name for one in config.env.values() if one.value for name in one.value.databases}
    if not wanted:
        return resolve_variables(config, environ)
    found = await find_databases(client, config)
    connections = {}
    for key in wanted & found.keys():
        # The list leaves out what only one database by itself tells on some versions.
        database = found[key]
        if database.internal_db_url is None:
            database = await client.databases.get(database.uuid)
        connections[key] = connection_parts(key, database)
    return resolve_variables(config, environ, connections)


def refuse_unconnected(config: Config, variables: tuple[ResolvedVariable, ...]) -> None:
    """Refuse variables whose database does not exist: a placeholder must never reach the application.

    Raises:
        DatabaseMissingError: One is missing.
    """
    for variable in variables:
        if variable.awaits:
            raise DatabaseMissingError(
                f"{config.path}: env.{variable.key} needs the database {variable.awaits[0]}, which does not exist yet: "
                "run `coolify database init`, or a whole `coolify release`."
            )


def status_findings(config: Config, found: Mapping[str, Database]) -> tuple[Finding, ...]:
    """Say of each database of a configuration whether it is there and healthy."""
    return tuple(_status(key, database_name(config, key), found.get(key)) for key in config.databases)


def _status(key: str, name: str, database: Database | None) -> Finding:
    if database is None:
        return Finding(
            name="database-missing",
            severity=Severity.ERROR,
            subject=key,
            summary=f"The database {name} does not exist.",
            remedy="Run `coolify database init`, or a whole `coolify release`.",
        )
    evidence = (f"status: {database.status}", f"identifier: {database.uuid}")
    if database.is_healthy:
        return Finding(
            name="database-healthy",
            severity=Severity.OK,
            subject=key,
            summary=f"The database {name} is {database.status}.",
            evidence=evidence,
        )
    return Finding(
        name="database-not-healthy",
        severity=Severity.ERROR,
        subject=key,
        summary=f"The database {name} is {database.status}.",
        evidence=evidence,
        remedy="Read its log in Coolify; `coolify database init` starts it.",
    )


def difference_findings(changes: Sequence[DatabaseChange]) -> tuple[Finding, ...]:
    """Tell of the databases whose settings are not as the configuration says."""
    return tuple(
        Finding(
            name="database-differs",
            severity=Severity.WARNING,
            subject=one.key,
            summary=f"The database {one.name} is not as the configuration says: "
            f"{', '.join(sorted(one.settings.model_fields_set))}.",
            remedy="Run `coolify database init`: it changes the settings and restarts the database.",
        )
        for one in changes
        if one.settings is not None
    )


def public_port_findings(config: Config) -> tuple[Finding, ...]:
    """Warn of databases that the whole world can reach."""
    return tuple(
        Finding(
            name="database-public-port",
            severity=Severity.WARNING,
            subject=key,
            summary=f"The database {key} can be reached from everywhere at port {section.public_port}, without TLS "
            "unless you have set it up in Coolify.",
            remedy="Remove `public_port`; for a look from outside use an SSH tunnel.",
        )
        for key, section in config.databases.items()
        if section.public_port is not None
    )
