"""`coolify backup`, all but restores."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from coolify_cli.backup_output import (
    configuration_json,
    object_json,
    point_json,
    print_objects,
    print_point,
    print_schedules,
    print_surveyed,
    survey_json,
)
from coolify_cli.completing import complete_database
from coolify_cli.options import (
    config_options,
    confirm,
    dry_run_option,
    json_option,
    local_option,
    no_input_option,
    yes_options,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from coolify.backup.choosing import Chosen
    from coolify.backup.configuring import SchedulesPlan
    from coolify.backup.objects import Fetched
    from coolify.backup.proof import RestorePoint
    from coolify.backup.survey import Surveyed
    from coolify.config import Config

__all__ = [
    "configure",
    "fetch",
    "list_backups",
    "object_option",
    "points_of",
    "proofs_option",
    "run",
    "survey_of",
    "verify",
]


def proofs_option(command: Any) -> Any:  # noqa: ANN401 - a decorator
    """Add `--proofs`."""
    return click.option(
        "--proofs", is_flag=True, help="Ask Prefect which restores were seen; takes some seconds more."
    )(command)


def object_option(command: Any) -> Any:  # noqa: ANN401 - a decorator
    """Add `--object`."""
    return click.option(
        "--object",
        "key",
        default="",
        metavar="KEY",
        help="Take this object of a bucket, as `backup list --bucket` shows it; Coolify need not know it.",
    )(command)


@click.command(epilog="Example: coolify backup configure --dry-run")
@config_options
@dry_run_option
@yes_options
@json_option
def configure(config: str, environment: str, *, dry_run: bool, yes: bool, no_input: bool, as_json: bool) -> int:
    """Bring buckets and schedules in Coolify to what the section `backups` says.

    What differs is shown first. Schedules that the file does not mention stay. A retention that would delete the only
    backup whose restore was seen is refused.
    """
    from coolify_cli.output import print_json
    from coolify_cli.reaching import load
    from coolify_cli.running import check_configuration, prepare_prefect, run_quietly

    loaded = load(config, environment)
    if not loaded.backups.has_schedules:
        raise click.UsageError(f"{loaded.path} has no schedules in `backups`: describe one there first.")
    check_configuration(config, environment)
    prepare_prefect(config)
    planned, zone, new = asyncio.run(_plan(config, environment))
    if not as_json:
        print_schedules(planned, zone, new, loaded)
    if planned.is_refused or dry_run:
        if as_json:
            print_json(configuration_json(planned, zone, new, loaded))
        return 1 if planned.is_refused else 0
    from flows.configure_backups import configure_backups
    from tasks.session import Target

    confirm("Bring buckets and schedules in line", yes=yes, no_input=no_input)
    target = Target(config=config, environment=environment)
    done = run_quietly(lambda: configure_backups(target, return_state=True), quiet=as_json)
    if as_json:
        print_json(configuration_json(planned, zone, new, loaded) | {"created": done.created, "updated": done.updated})
    return 0


@click.command(epilog="Example: coolify backup run main")
@click.argument("database", default="", shell_complete=complete_database)
@config_options
@local_option
@no_input_option
@json_option
def run(database: str, config: str, environment: str, *, local: bool, no_input: bool, as_json: bool) -> int:
    """Back up now, follow the execution, and judge it by what lies in the bucket; exit with 1 when it is no backup.

    DATABASE is a key of the section `databases` or of `backups.volumes`; all that have schedules by default. Where a
    Prefect server is set, its deployment `back up/back up` is started there and followed.
    """
    from coolify_cli.output import print_json
    from coolify_cli.remote import run_on_server, runs_on_server, target_parameters
    from coolify_cli.running import check_configuration, run_quietly

    if runs_on_server(config, local=local):
        request = {"target": target_parameters(config, environment), "database": database}
        return run_on_server("back up/back up", {"request": request}, no_input=no_input, as_json=as_json)
    check_configuration(config, environment)
    from flows.back_up import BackUpRequest, back_up
    from tasks.session import Target

    wanted = BackUpRequest(target=Target(config=config, environment=environment), database=database)
    result = run_quietly(lambda: back_up(wanted, return_state=True), quiet=as_json, no_input=no_input)
    if as_json:
        print_json(result.model_dump(mode="json"))
    return 0 if result.good else 1


@click.command("list", epilog="Example: coolify backup list main --proofs")
@click.argument("database", default="", shell_complete=complete_database)
@config_options
@click.option("--limit", type=click.IntRange(1, 200), default=10, show_default=True, help="How many of each schedule.")
@click.option(
    "--bucket",
    "in_bucket",
    is_flag=True,
    help="List what lies in the buckets, also of databases that were deleted; Coolify is not asked.",
)
@proofs_option
@json_option
def list_backups(
    database: str, config: str, environment: str, limit: int, *, in_bucket: bool, proofs: bool, as_json: bool
) -> int:
    """List backups with what they are worth, newest first; exit with 1 when the newest of a schedule is none.

    DATABASE is a key of the section `databases` or of `backups.volumes`; all that are backed up by default. A backup
    counts when its object is in the bucket with the right size, whatever Coolify says of it.
    """
    from coolify_cli.output import print_json
    from coolify_cli.reaching import load
    from coolify_cli.volume_backups import look, print_volumes, volume_findings, volume_json

    loaded = load(config, environment)
    if in_bucket:
        return _list_objects(loaded, database, limit, as_json=as_json)
    surveyed = asyncio.run(survey_of(loaded, database, limit))
    volumes = asyncio.run(look(loaded, database))
    uuids = {one.key: one.database.uuid for one in surveyed} | {one.key: one.volume.uuid for one, _ in volumes}
    points = points_of(config, uuids) if proofs else {}
    if as_json:
        print_json(
            [survey_json(one, points.get(one.key)) for one in surveyed]
            + [volume_json(one, limit, points.get(one[0].key)) for one in volumes]
        )
    else:
        if surveyed:
            print_surveyed(surveyed, points if proofs else None)
        if volumes:
            print_volumes(volumes, limit, points if proofs else None)
    findings = [finding for one in surveyed for finding in one.problems]
    findings += [finding for one in volumes for finding in volume_findings(one)]
    return 1 if any(one.is_problem for one in findings) else 0


def _list_objects(config: Config, database: str, limit: int, *, as_json: bool) -> int:
    import os

    from coolify.backup.choosing import objects_of
    from coolify.backup.survey import chosen_databases
    from coolify.backup.volumes import chosen_volumes
    from coolify_cli.output import print_json
    from coolify_cli.volume_backups import archives_in_buckets

    async def read() -> list[tuple[str, Chosen]]:
        found = {key: await objects_of(config, os.environ, key) for key in chosen_databases(config, database)}
        archives = {key: await archives_in_buckets(config, key) for key in chosen_volumes(config, database)}
        return [(key, one) for key, objects in (found | archives).items() for one in objects[:limit]]

    found = asyncio.run(read())
    if as_json:
        print_json([object_json(key, one) for key, one in found])
    else:
        print_objects(found)
    return 0


@click.command(epilog="Example: coolify backup verify main --file ./main.dmp")
@click.argument("database", default="", shell_complete=complete_database)
@config_options
@click.option(
    "--file",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Prove this dump instead of the newest in the bucket; nothing is asked and nothing is kept on record.",
)
@object_option
@local_option
@no_input_option
@json_option
def verify(
    database: str,
    config: str,
    environment: str,
    file: Path | None,
    key: str,
    *,
    local: bool,
    no_input: bool,
    as_json: bool,
) -> int:
    """Fetch the newest dump of each database, restore it into a scratch server, and ask it; exit with 1 if unproved.

    DATABASE is a key of the section `databases`, or of `backups.volumes`, whose archives are read to the last byte; all
    that are backed up by default. What is asked stands in `backups`. Where a Prefect server is set, its deployment
    `verify backups/verify backups` is started there and followed.
    """
    from coolify_cli.output import print_json
    from coolify_cli.remote import run_on_server, runs_on_server, target_parameters
    from coolify_cli.running import check_configuration, run_quietly

    if file is not None or key:
        return _verify_one(file, key, database, config, environment, as_json=as_json)
    if runs_on_server(config, local=local):
        request = {"target": target_parameters(config, environment), "database": database}
        return run_on_server("verify backups/verify backups", {"request": request}, no_input=no_input, as_json=as_json)
    check_configuration(config, environment)
    from flows.verify_backups import VerifyRequest, verify_backups
    from tasks.session import Target

    wanted = VerifyRequest(target=Target(config=config, environment=environment), database=database)
    result = run_quietly(lambda: verify_backups(wanted, return_state=True), quiet=as_json, no_input=no_input)
    if as_json:
        print_json(result.model_dump(mode="json") | {"points": [point_json(one) for one in result.points]})
    return 0 if result.proved else 1


def _verify_one(file: Path | None, key: str, database: str, config: str, environment: str, *, as_json: bool) -> int:
    from coolify_cli.output import print_json
    from coolify_cli.reaching import load
    from coolify_cli.volume_backups import prove_one_archive

    loaded = load(config, environment)
    if file is not None and key:
        raise click.UsageError("Name either --file or --object, not both.")
    is_volume = database in loaded.backups.volumes
    if database not in loaded.databases and not is_volume:
        known = ", ".join((*loaded.databases, *loaded.backups.volumes)) or "none"
        raise click.UsageError(
            f"With --file or --object the DATABASE must be named that the dump is of; there is {known}."
        )
    prove_it = prove_one_archive if is_volume else _prove_one
    point = asyncio.run(prove_it(loaded, database, file, key))
    if as_json:
        print_json(point_json(point))
    else:
        print_point(point)
    return 0 if point.proved else 1


async def _prove_one(config: Config, database: str, file: Path | None, key: str) -> RestorePoint:
    import os
    import tempfile

    from coolify.backup.choosing import choose_object
    from coolify.backup.engines import Connection
    from coolify.backup.proof import Origin, digest, prove

    proof = config.backups.proof_of(database)
    engine = config.databases[database].engine
    server = Connection.parse(proof.server.resolve(os.environ)) if proof.server else None
    if file is not None:
        checksum = await asyncio.to_thread(digest, file)
        return await prove(file, Origin(database, engine, str(file), checksum), proof, server)
    chosen = await choose_object(config, os.environ, key)
    with tempfile.TemporaryDirectory(prefix="coolify-dump-") as folder:
        path = Path(folder) / "dump"
        fetched = await fetch(config, chosen, path, proof.timeout)
        origin = Origin(
            database,
            engine,
            chosen.place,
            fetched.sha256,
            made=chosen.made,
            fetch_seconds=fetched.seconds,
            checksum=fetched.checksum,
        )
        return await prove(path, origin, proof, server)


async def fetch(config: Config, chosen: Chosen, path: Path, seconds: float) -> Fetched:
    """Write a chosen dump to a file."""
    import os
    import time

    from coolify.backup.survey import bucket_of

    if chosen.storage is None:
        raise TypeError("a dump that lies in no bucket was chosen to be fetched")
    bucket = bucket_of(config, config.backups.storages[chosen.storage], os.environ)
    return await asyncio.to_thread(bucket.fetch, chosen.place, path, deadline=time.monotonic() + seconds)


async def _plan(config: str, environment: str) -> tuple[SchedulesPlan, str, tuple[str, ...]]:
    """Return what differs, the time zone of the schedules, and the buckets that Coolify does not know yet."""
    from coolify.backup.configuring import NEW_STORAGE, known_storages
    from coolify.backup.restore_subject import server_of
    from coolify.backup.volumes import require_volumes
    from flows.configure_backups import plan_backups
    from tasks.session import Target, open_session

    async with open_session(Target(config=config, environment=environment)) as session:
        await require_volumes(session.client, session.config)
        storages = await known_storages(session.client, session.config)
        planned = await plan_backups(session, storages)
        server = await server_of(session.client, session.config)
    zone = (server.settings.server_timezone if server else None) or ""
    return planned, zone, tuple(key for key, uuid in storages.items() if uuid == NEW_STORAGE)


async def survey_of(config: Config, database: str, limit: int) -> tuple[Surveyed, ...]:
    """Look at the backups of one database, or of all that are backed up."""
    import os
    from datetime import UTC, datetime

    from coolify.backup.survey import survey
    from coolify_cli.reaching import connection_of

    if database in config.backups.volumes:
        return ()
    async with connection_of(config).client() as client:
        return await survey(client, config, os.environ, datetime.now(UTC), only=database, limit=limit)


def points_of(config: str, uuids: Mapping[str, str]) -> Mapping[str, tuple[RestorePoint, ...]]:
    """Return key -> restore points on record, which are kept by Prefect.

    Args:
        config: Path of the configuration.
        uuids: Key of a database or a volume -> its identifier.
    """
    from coolify_cli.running import prepare_prefect

    prepare_prefect(config)
    from tasks.backups import restore_points

    async def load() -> dict[str, tuple[RestorePoint, ...]]:
        return {key: await restore_points(uuid) for key, uuid in uuids.items()}

    return asyncio.run(load())
