"""`coolify backup restore-plan` and `coolify backup restore`."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from coolify_cli.backup_commands import fetch, object_option, points_of, proofs_option, survey_of
from coolify_cli.completing import complete_database
from coolify_cli.options import config_options, confirm_by_name, dry_run_option, json_option, yes_options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coolify.backup.choosing import Chosen
    from coolify.backup.engines import Connection, Restored
    from coolify.backup.proof import RestorePoint
    from coolify.backup.restore_plan import RestoreSubject, Step
    from coolify.backup.survey import Surveyed
    from coolify.config import Config
    from coolify.finding import Finding

__all__ = ["restore", "restore_plan"]

_EXECUTIONS = 200


def _backup_option(command: Any) -> Any:  # noqa: ANN401 - a decorator
    return click.option(
        "--backup",
        "execution",
        default="",
        metavar="ID",
        help="Beginning of the identifier that `backup list` shows; the newest good backup by default.",
    )(command)


@click.command("restore-plan", epilog="Example: coolify backup restore-plan main")
@click.argument("database", shell_complete=complete_database)
@config_options
@_backup_option
@object_option
@proofs_option
@json_option
def restore_plan(
    database: str, config: str, environment: str, execution: str, key: str, *, proofs: bool, as_json: bool
) -> int:
    """Print the steps and commands of a real restore, with the names of this project filled in. Does nothing.

    DATABASE is a key of the section `databases` or of `backups.volumes`. Coolify has no restore; the commands are for a
    shell with SSH access to the server. With --proofs the newest backup whose restore was seen is chosen.
    """
    from coolify.backup.restore_plan import restore_steps
    from coolify_cli.output import print_json
    from coolify_cli.reaching import load
    from coolify_cli.volume_backups import look, plan_subject

    loaded = load(config, environment)
    if execution and key:
        raise click.UsageError("Name either --backup or --object, not both.")
    if database in loaded.backups.volumes:
        if execution:
            raise click.UsageError("Archives of volumes have no identifiers: name one by --object.")
        (seen,) = asyncio.run(look(loaded, database))
        points = points_of(config, {database: seen[0].volume.uuid})[database] if proofs else ()
        subject = asyncio.run(plan_subject(loaded, seen, key, points))
    else:
        (surveyed,) = asyncio.run(survey_of(loaded, database, _EXECUTIONS if execution else 10))
        points = points_of(config, {database: surveyed.database.uuid})[database] if proofs else ()
        subject = asyncio.run(_subject(loaded, surveyed, execution, key, points))
    steps = restore_steps(subject)
    if as_json:
        print_json(_plan_json(subject, steps))
    else:
        _print_plan(subject, steps, asked=proofs)
    return 0


@click.command(epilog="Example: coolify backup restore main --to '${RESTORE_URL}'")
@click.argument("database", shell_complete=complete_database)
@config_options
@click.option(
    "--to",
    required=True,
    metavar="URL",
    help="Database to restore into, as in postgresql://user:password@host/name; '${NAME}' stands for a variable, "
    "which keeps the password out of the list of processes.",
)
@_backup_option
@object_option
@click.option(
    "--file",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Restore this dump instead of one in the bucket.",
)
@click.option("--clean", is_flag=True, help="Replace what is in the database; without, it must be empty.")
@dry_run_option
@yes_options
@json_option
def restore(
    database: str,
    config: str,
    environment: str,
    to: str,
    execution: str,
    key: str,
    file: Path | None,
    *,
    clean: bool,
    dry_run: bool,
    yes: bool,
    no_input: bool,
    as_json: bool,
) -> int:
    """Restore a dump of PostgreSQL, MySQL or MariaDB into a given database, and ask it what `backups.proofs` says.

    DATABASE is a key of the section `databases`. The name of the database that is written to has to be typed. What
    PostgreSQL refuses has changed nothing there: the restore is one transaction.
    """
    from coolify_cli.output import print_findings, print_json, stdout_console
    from coolify_cli.reaching import load

    loaded = load(config, environment)
    if database not in loaded.databases:
        raise click.UsageError(f"{loaded.path} has no database '{database}': there is {', '.join(loaded.databases)}.")
    if sum(map(bool, (file, execution, key))) > 1:
        raise click.UsageError("Name only one of --file, --backup and --object.")
    server = _server(loaded, database, to)
    chosen = None if file is not None else asyncio.run(_chosen(loaded, database, execution, key))
    place = str(file) if chosen is None else chosen.place
    told = {"database": database, "dump": place, "to": f"{server.database} at {server.host}", "clean": clean}
    if dry_run:
        if as_json:
            print_json(told | {"dry_run": True})
        else:
            click.echo(f"Would restore {place} into {told['to']}.")
        return 0
    action = "Replacing what is in" if clean else "Restoring into"
    confirm_by_name(f"{action} {server.database} at {server.host}", server.database, yes=yes, no_input=no_input)
    started = time.monotonic()
    restored, findings = asyncio.run(_restore(loaded, database, server, chosen, file, clean=clean))
    good = not any(one.is_problem for one in findings)
    if as_json:
        print_json(
            told
            | {
                "tables": list(restored.tables),
                "seconds": round(time.monotonic() - started, 3),
                "good": good,
                "findings": [one.model_dump(mode="json") for one in findings],
            }
        )
    else:
        console = stdout_console()
        print_findings(console, findings)
        console.print(f"{len(restored.tables)} tables restored into {told['to']}.", highlight=False, markup=False)
    return 0 if good else 1


def _server(config: Config, database: str, to: str) -> Connection:
    """Return the database to write to; its engine must fit, and the configuration's checks must be answerable."""
    from coolify.backup.engines import Connection, restore_into_function
    from coolify.config.interpolation import Reference
    from coolify.engines import DatabaseEngine

    engine = config.databases[database].engine
    restore_into_function(engine)
    server = Connection.parse(Reference(to).resolve(os.environ))
    schemes = {"postgres", "postgresql"} if engine is DatabaseEngine.POSTGRESQL else {"mysql", "mariadb"}
    if server.scheme not in schemes:
        raise click.UsageError(f"--to is no address of {engine.value}: it must begin with {max(schemes)}://.")
    if not server.database:
        raise click.UsageError("--to names no database: write it behind the host, as in postgresql://host/name.")
    return server


async def _chosen(config: Config, database: str, execution: str, key: str) -> Chosen:
    from coolify.backup.choosing import choose_dump, choose_object

    if key:
        return await choose_object(config, os.environ, key)
    (surveyed,) = await survey_of(config, database, _EXECUTIONS if execution else 10)
    return await choose_dump(config, os.environ, surveyed, execution=execution)


async def _subject(
    config: Config, surveyed: Surveyed, execution: str, key: str, points: Sequence[RestorePoint]
) -> RestoreSubject:
    from coolify.backup.choosing import choose_dump, choose_object
    from coolify.backup.restore_subject import restore_subject
    from coolify_cli.reaching import connection_of

    proved = {one.execution for one in points if one.proved and one.execution}
    if key:
        chosen = await choose_object(config, os.environ, key)
    else:
        chosen = await choose_dump(config, os.environ, surveyed, execution=execution, proved=proved, in_bucket=False)
    async with connection_of(config).client() as client:
        return await restore_subject(client, config, surveyed, chosen, points)


async def _restore(
    config: Config, database: str, server: Connection, chosen: Chosen | None, file: Path | None, *, clean: bool
) -> tuple[Restored, tuple[Finding, ...]]:
    from coolify.backup.checks import run_checks
    from coolify.backup.decrypting import decrypted
    from coolify.backup.dumps import recognise
    from coolify.backup.engines import restore_into_function

    proof = config.backups.proof_of(database)
    with tempfile.TemporaryDirectory(prefix="coolify-dump-") as folder:
        path = file or Path(folder) / "dump"
        if chosen is not None:
            await fetch(config, chosen, path, proof.timeout)
        async with decrypted(path, proof.decrypt) as plain:
            dump = await asyncio.to_thread(recognise, plain)
            restored = await restore_into_function(config.databases[database].engine)(dump, server, clean=clean)
    made = chosen.made if chosen else None
    return restored, await run_checks(database, proof, restored.questions, made)


def _plan_json(subject: RestoreSubject, steps: Sequence[Step]) -> dict[str, Any]:
    return {
        "database": subject.database,
        "engine": subject.engine.value if subject.engine else None,
        "dump": subject.path,
        "bucket": subject.bucket or None,
        "made": subject.made,
        "proved": subject.proved,
        "seconds": subject.seconds,
        "steps": [asdict(step) for step in steps],
    }


def _print_plan(subject: RestoreSubject, steps: Sequence[Step], *, asked: bool) -> None:
    from coolify_cli.output import stdout_console

    console = stdout_console()

    def say(text: str = "", style: str = "") -> None:
        # Commands are to be pasted: they are never wrapped.
        console.print(text, style=style, highlight=False, markup=False, soft_wrap=True)

    made = f"{subject.made:%Y-%m-%d %H:%M} UTC" if subject.made else "at an unknown time"
    kind = subject.engine.value if subject.engine else "volume"
    say(f"Restore of {subject.database} ({kind}) from {subject.path}, made {made}.", "bold")
    if subject.proved is not None:
        say(f"Its restore was seen on {subject.proved:%Y-%m-%d}; fetching and restoring took {subject.seconds:.0f} s.")
    elif asked:
        say("Its restore was never seen: prove it before you rely on it (coolify backup verify).", "yellow")
    else:
        say("Whether its restore was ever seen is told with --proofs.")
    for number, step in enumerate(steps, start=1):
        say()
        say(f"{number}. {step.title}", "bold")
        for command in step.commands:
            say(f"   {command}")
        if step.note:
            say(f"   # {step.note}", "dim")
