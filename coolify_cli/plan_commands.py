"""`coolify plan`, `coolify apply` and `coolify drift`."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any

import click

from coolify_cli.options import config_options, confirm, confirm_by_name, dry_run_option, json_option, yes_options

if TYPE_CHECKING:
    from rich.console import Console

    from coolify.plan import Action, Plan

__all__ = ["apply", "drift", "plan", "show_plan"]

_EXIT_CHANGES = 2


@click.command(epilog="Example: coolify plan --detailed-exitcode")
@config_options
@click.option("--prune", is_flag=True, help="Plan to delete variables that the file does not mention.")
@click.option("--delete-volumes", is_flag=True, help="With --prune: plan to delete volumes too, with their data.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 when something would change.")
@json_option
def plan(
    config: str, environment: str, *, prune: bool, delete_volumes: bool, detailed_exitcode: bool, as_json: bool
) -> int:
    """Show what a release would change in Coolify, in the order in which it would happen. Changes nothing."""
    made = show_plan(config, environment, prune=prune, delete_volumes=delete_volumes, as_json=as_json)
    return _EXIT_CHANGES if detailed_exitcode and made.changes else 0


@click.command(epilog="Example: coolify apply --dry-run")
@config_options
@click.option("--prune", is_flag=True, help="Delete variables that the file does not mention.")
@click.option("--delete-volumes", is_flag=True, help="With --prune: delete volumes too, with their data.")
@dry_run_option
@yes_options
@json_option
def apply(
    config: str,
    environment: str,
    *,
    prune: bool,
    delete_volumes: bool,
    dry_run: bool,
    yes: bool,
    no_input: bool,
    as_json: bool,
) -> int:
    """Bring project, databases, application, settings, variables and volumes to what the file says. Deploys nothing.

    The plan is shown first. What changes takes effect with the next deployment or restart.
    """
    from coolify.plan import Kind

    made = asyncio.run(_make(config, environment, prune=prune, delete_volumes=delete_volumes))
    if not as_json or dry_run:
        _show(made, as_json=as_json)
    if dry_run:
        return 0
    if made.changes:
        confirm(f"Apply {_count(made)} to {made.application} ({made.environment})", yes=yes, no_input=no_input)
        lost = [action.name for action in made.of(Kind.DELETE) if action.resource == "volume"]
        if lost:
            confirm_by_name(f"Deleting the data in {', '.join(lost)}", made.application, yes=yes, no_input=no_input)
        _apply(config, environment, prune=prune, delete_volumes=delete_volumes, quiet=as_json)
    if as_json:
        _print_json(made)
    return 0


@click.command(epilog="Example: coolify drift --json")
@config_options
@json_option
def drift(config: str, environment: str, *, as_json: bool) -> int:
    """Name what in Coolify differs from the configuration file; exit with 1 when something does."""
    from coolify.plan import drift_findings
    from coolify_cli.output import print_findings, print_json, stdout_console

    made = asyncio.run(_make(config, environment, prune=False))
    findings = drift_findings(made)
    if as_json:
        print_json([finding.model_dump(mode="json") for finding in findings])
    else:
        print_findings(stdout_console(), findings)
    return 1 if made.changes else 0


def show_plan(
    config: str, environment: str, *, prune: bool = False, delete_volumes: bool = False, as_json: bool
) -> Plan:
    """Print what a release would change, and return it."""
    made = asyncio.run(_make(config, environment, prune=prune, delete_volumes=delete_volumes))
    _show(made, as_json=as_json)
    return made


async def _make(config: str, environment: str, *, prune: bool, delete_volumes: bool = False) -> Plan:
    if delete_volumes and not prune:
        raise click.UsageError("--delete-volumes goes with --prune.")
    from coolify.databases import resolve_with_databases
    from coolify.plan import make_plan, read_actual
    from coolify.security import resolve_security
    from coolify_cli.reaching import connection_of, load

    loaded = load(config, environment)
    security = resolve_security(loaded, os.environ)
    async with connection_of(loaded).client() as client:
        variables = await resolve_with_databases(client, loaded, os.environ)
        actual = await read_actual(client, loaded)
    return make_plan(loaded, variables, actual, security, prune=prune, delete_volumes=delete_volumes)


def _apply(config: str, environment: str, *, prune: bool, delete_volumes: bool, quiet: bool) -> None:
    from coolify_cli.running import prepare_prefect, run_quietly

    prepare_prefect(config)
    from flows.apply import ApplyRequest
    from flows.apply import apply as apply_flow
    from tasks.session import Target

    target = Target(config=config, environment=environment)
    request = ApplyRequest(target=target, prune=prune, delete_volumes=delete_volumes)
    run_quietly(lambda: apply_flow(request, return_state=True), quiet=quiet)


def _count(made: Plan) -> str:
    from coolify.wording import counted

    return counted(len(made.changes), "change")


def _show(made: Plan, *, as_json: bool) -> None:
    if as_json:
        _print_json(made)
        return
    from coolify_cli.output import stdout_console

    _print(stdout_console(), made)


def _print_json(made: Plan) -> None:
    from coolify_cli.output import print_json

    payload: dict[str, Any] = made.model_dump(mode="json")
    print_json(payload | {"changes": len(made.changes)})


def _print(console: Console, made: Plan) -> None:
    """Print what changes line by line, and the rest as numbers."""
    from rich.markup import escape

    from coolify.plan import Kind
    from coolify_cli.output import print_findings

    console.print(
        f"[bold]{escape(made.application)}[/] ({escape(made.environment)}) in {escape(made.project)} at "
        f"{escape(made.server)}\n",
        highlight=False,
    )
    for action in made.actions:
        if action.kind is not Kind.UNCHANGED:
            console.print(f"  {_line(action)}", highlight=False)
    if made.of(Kind.UNMANAGED) or made.changes:
        console.print()
    if made.warnings:
        print_findings(console, made.warnings)
        console.print()
    counts = {kind: len(made.of(kind)) for kind in Kind}
    told = ", ".join(f"{number} {_WORDS[kind]}" for kind, number in counts.items() if number)
    console.print(f"{told}." if made.changes else f"[green]✓ Nothing to change[/]: {told}.", highlight=False)


_WORDS = {
    "create": "to create",
    "update": "to update",
    "delete": "to delete",
    "unchanged": "unchanged",
    "unmanaged": "unmanaged",
}
_MARKS = {"create": "green", "update": "yellow", "delete": "red", "unmanaged": "dim"}
_SIGNS = {"create": "+", "update": "~", "delete": "-", "unmanaged": "·"}


def _line(action: Action) -> str:
    from rich.markup import escape

    style = _MARKS[action.kind]
    text = escape(str(action))
    note = " (not in the file; stays)" if action.kind == "unmanaged" else ""
    return f"[{style}]{_SIGNS[action.kind]} {text}{note}[/]"
