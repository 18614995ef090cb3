"""`coolify server`: what an operator needs on a Prefect server."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from coolify_cli.options import confirm, context_option, dry_run_option, json_option, yes_options

if TYPE_CHECKING:
    from rich.console import Console

    from deployments.apply import Applied

__all__ = ["apply"]


@click.command(epilog="Example: coolify server apply --dry-run")
@context_option
@dry_run_option
@yes_options
@json_option
def apply(*, dry_run: bool, yes: bool, no_input: bool, as_json: bool) -> int:
    """Register blocks, deployments and automations on the Prefect server; what is there is brought up to date.

    The plan is shown first. Parameters, schedules and pauses that were set on the server stay as they are. The server
    is the one of PREFECT_API_URL, or of the context.
    """
    from coolify_cli.running import prepare_prefect, require_prefect_server

    prepare_prefect(".coolify/config.yml")
    require_prefect_server()
    from coolify.wording import counted
    from coolify_cli.output import stdout_console
    from deployments.apply import apply as apply_declarations

    console = stdout_console()
    found = asyncio.run(apply_declarations(dry_run=True))
    if not as_json:
        show_applied(console, found)
    if found.changes and not dry_run:
        confirm(f"Make {counted(len(found.changes), 'change')} at {found.prefect}", yes=yes, no_input=no_input)
        found = asyncio.run(apply_declarations())
        if not as_json:
            console.print(f"[green]✓[/] {counted(len(found.changes), 'change')} made.", highlight=False)
    if as_json:
        _print_json(found, dry_run=dry_run)
    return 0


def show_applied(console: Console, applied: Applied) -> None:
    """Print what differs, what is as it should be, and what only an operator can give."""
    from rich.markup import escape

    from coolify.wording import counted

    console.print(f"[bold]{escape(applied.prefect)}[/]\n", highlight=False)
    for action in applied.changes:
        style, sign = ("green", "+") if action.kind == "create" else ("yellow", "~")
        fields = f" ({action.after})" if action.after else ""
        console.print(f"  [{style}]{sign} {escape(f'{action.resource} {action.name}{fields}')}[/]", highlight=False)
    same = counted(len(applied.actions) - len(applied.changes), "thing")
    console.print(f"  [dim]{same} unchanged[/]", highlight=False)
    for note in applied.notes:
        console.print(f"  [yellow]![/] {escape(note)}", highlight=False)


def _print_json(applied: Applied, *, dry_run: bool) -> None:
    from coolify_cli.output import print_json

    print_json(applied.model_dump(mode="json") | {"changes": len(applied.changes), "dry_run": dry_run})
