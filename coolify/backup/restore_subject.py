"""What a restore is about, asked from Coolify: the names that `restore_plan` fills in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from urllib.parse import urlsplit

from coolify import locating
from coolify.api import CoolifyClient
from coolify.api.models import Server
from coolify.backup.choosing import Chosen
from coolify.backup.proof import RestorePoint
from coolify.backup.restore_plan import RestoreSubject
from coolify.backup.survey import Surveyed
from coolify.backup.volumes import FoundVolume
from coolify.config import Config
from coolify.databases import connection_parts

__all__ = ["restore_subject", "server_of", "volume_subject"]


async def restore_subject(
    client: CoolifyClient, config: Config, surveyed: Surveyed, chosen: Chosen, points: Sequence[RestorePoint] = ()
) -> RestoreSubject:
    """Return what the steps of a restore need to know.

    Args:
        client: The server.
        config: The configuration.
        surveyed: The backups of the database.
        chosen: The dump to restore.
        points: Restore points of the database that are on record.

    Raises:
        CoolifyError: The server cannot be read.
    """
    database = await client.databases.get(surveyed.database.uuid)
    # A restore must be possible with a token that may not read connections: the usual names then.
    hidden = database.internal_db_url is None
    parts: Mapping[str, str] = {} if hidden else connection_parts(surveyed.key, database)
    section = config.databases[surveyed.key]
    return replace(
        await _subject(client, config, surveyed.key, chosen, points),
        database_uuid=database.uuid,
        engine=database.engine,
        name=parts.get("name") or section.database or "postgres",
        user=parts.get("user") or section.user or "postgres",
        tables=config.backups.proof_of(surveyed.key).tables,
    )


async def volume_subject(
    client: CoolifyClient, config: Config, found: FoundVolume, chosen: Chosen, points: Sequence[RestorePoint] = ()
) -> RestoreSubject:
    """Return what the steps of a volume's restore need to know.

    Args:
        client: The server.
        config: The configuration.
        found: The volume.
        chosen: The archive to restore.
        points: Restore points of the volume that are on record.

    Raises:
        CoolifyError: The server cannot be read.
    """
    subject = await _subject(client, config, found.key, chosen, points)
    owner = found.owner_uuid if found.section.database is not None else ""
    return replace(subject, database_uuid=owner, volume=found.volume.host_path or found.volume.name)


async def _subject(
    client: CoolifyClient, config: Config, key: str, chosen: Chosen, points: Sequence[RestorePoint]
) -> RestoreSubject:
    """Return what is the same for databases and volumes."""
    application = await locating.find_application(client, config)
    server = await server_of(client, config)
    storage = config.backups.storages[chosen.storage] if chosen.storage is not None else None
    proof = max(
        (one for one in points if one.proved and one.place == chosen.place), key=lambda one: one.proved_at, default=None
    )
    return RestoreSubject(
        application=config.application_name,
        application_uuid=application.uuid if application else None,
        database=key,
        database_uuid="",
        engine=None,
        name="",
        user="",
        server=config.server.rstrip("/"),
        ssh=_ssh(config, server),
        key=chosen.place if storage is not None else None,
        path=chosen.place,
        bucket=storage.bucket if storage else "",
        endpoint=storage.endpoint if storage else "",
        region=storage.region if storage else "",
        key_variable=storage.key.variables[0] if storage else "",
        secret_variable=storage.secret.variables[0] if storage else "",
        sha256=proof.sha256 if proof else "",
        made=chosen.made,
        proved=proof.proved_at if proof else None,
        seconds=proof.seconds if proof else None,
        dump_all=chosen.dump_all,
        config=str(config.path),
    )


async def server_of(client: CoolifyClient, config: Config) -> Server | None:
    """Return the server that an application lives on, None where that cannot be told."""
    wanted = config.application.server
    fitting = [one for one in await client.servers.list() if wanted is None or wanted in {one.name, one.uuid}]
    return fitting[0] if len(fitting) == 1 else None


def _ssh(config: Config, server: Server | None) -> str:
    if server is None:
        return "USER@SERVER"
    # Coolify knows the machine that it runs on by a name that nobody else can resolve.
    is_here = server.is_coolify_host or server.ip in {"host.docker.internal", "localhost"}
    host = (urlsplit(config.server).hostname or server.ip) if is_here else server.ip
    return f"{server.user}@{host}"
