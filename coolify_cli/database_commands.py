"""`coolify database`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import click

from coolify_cli.completing import complete_database
from coolify_cli.options import config_options, confirm, dry_run_option, json_option, yes_options

if TYPE_CHECKING:
    from collections.abc import Mapping

    from coolify.api.databases import Database
    from coolify.config import Config
    from coolify.databases import DatabaseChange

__all__ = ["init", "list_databases", "status"]


@click.command(epilog="Example: coolify database init --dry-run")
@config_options
@dry_run_option
@yes_options
@json_option
def init(config: str, environment: str, *, dry_run: bool, yes: bool, no_input: bool, as_json: bool) -> int:
    """Create the databases of the section `databases`, bring their settings in line, and start them.

    Coolify makes the passwords; they are handed to the application as variables and never printed. What differs is
    shown first; a changed setting restarts its database. Nothing is ever deleted.
    """
    from coolify.databases import plan_databases
    from coolify_cli.output import print_json
    from coolify_cli.reaching import load

    loaded = _with_databases(load(config, environment))
    changes = plan_databases(loaded, asyncio.run(_found(loaded)))
    if not as_json:
        _print_changes(loaded, changes)
    needed = [one for one in changes if one.kind != "unchanged"]
    if needed and not dry_run:
        confirm(f"Bring {len(needed)} of {len(changes)} databases in line", yes=yes, no_input=no_input)
        _set_up(config, environment, quiet=as_json)
    if as_json:
        now_there = {one.key: one.database for one in changes}
        if needed and not dry_run:
            now_there |= asyncio.run(_found(loaded))
        print_json([_row(one, now_there[one.key]) for one in changes])
    return 0


@click.command("list", epilog="Example: coolify database list --json")
@config_options
@json_option
def list_databases(config: str, environment: str, *, as_json: bool) -> int:
    """List the databases of the configuration beside what is there in Coolify."""
    from coolify.databases import plan_databases
    from coolify_cli.output import make_table, print_json, stdout_console
    from coolify_cli.reaching import load

    loaded = load(config, environment)
    changes = plan_databases(loaded, asyncio.run(_found(loaded)))
    if as_json:
        print_json([_row(one, one.database) for one in changes])
    elif not changes:
        click.echo(f"{loaded.path} has no section `databases`.")
    else:
        rows = [
            (
                one.key,
                one.name,
                one.engine.value,
                one.database.status if one.database else "does not exist",
                one.database.uuid if one.database else "",
            )
            for one in changes
        ]
        stdout_console().print(make_table("Key", "Name", "Engine", "Status", "UUID", rows=rows))
    return 0


@click.command(epilog="Example: coolify database status main")
@click.argument("database", required=False, shell_complete=complete_database)
@config_options
@json_option
def status(database: str | None, config: str, environment: str, *, as_json: bool) -> int:
    """Say whether databases are there and healthy, and what of them is not as configured; exit with 1 otherwise.

    DATABASE is a key of the section `databases`, all of them by default.
    """
    from coolify.databases import difference_findings, plan_databases, public_port_findings, status_findings
    from coolify_cli.output import print_findings, print_json, stdout_console
    from coolify_cli.reaching import load

    loaded = _with_databases(load(config, environment), database)
    found = asyncio.run(_found(loaded))
    wanted = [database] if database else list(loaded.databases)
    findings = [
        *status_findings(loaded, found),
        *difference_findings(plan_databases(loaded, found)),
        *public_port_findings(loaded),
    ]
    shown = [one for key in wanted for one in findings if one.subject == key]
    if as_json:
        print_json([one.model_dump(mode="json") for one in shown])
    else:
        print_findings(stdout_console(), shown)
    return 1 if any(one.is_problem for one in shown) else 0


def _with_databases(config: Config, key: str | None = None) -> Config:
    """Return the configuration, which has databases, the named one among them."""
    if not config.databases:
        raise click.UsageError(f"{config.path} has no section `databases`: describe a database there first.")
    if key is not None and key not in config.databases:
        raise click.UsageError(f"{config.path} has no database '{key}': there is {', '.join(config.databases)}.")
    return config


async def _found(config: Config) -> Mapping[str, Database]:
    from coolify.databases import find_databases
    from coolify_cli.reaching import connection_of

    async with connection_of(config).client() as client:
        return await find_databases(client, config)


def _set_up(config: str, environment: str, *, quiet: bool) -> None:
    from coolify_cli.running import prepare_prefect, run_quietly

    prepare_prefect(config)
    from flows.set_up_databases import set_up_databases
    from tasks.session import Target

    target = Target(config=config, environment=environment)
    run_quietly(lambda: set_up_databases(target, return_state=True), quiet=quiet)


def _print_changes(config: Config, changes: tuple[DatabaseChange, ...]) -> None:
    from coolify.databases import public_port_findings
    from coolify_cli.output import print_findings, stdout_console

    console = stdout_console()
    for one in changes:
        console.print(f"{one.kind:<10} {one}", highlight=False, markup=False)
    print_findings(console, public_port_findings(config))


def _row(change: DatabaseChange, database: Database | None) -> dict[str, Any]:
    return {
        "key": change.key,
        "name": change.name,
        "engine": change.engine.value,
        "change": change.kind,
        "fields": sorted(change.settings.model_fields_set) if change.settings else [],
        "exists": database is not None,
        "uuid": database.uuid if database else None,
        "status": database.status if database else None,
        "image": database.image if database else None,
        "public_port": database.public_port if database and database.is_public else None,
    }
