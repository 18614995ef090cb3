"""`coolify server`: what an operator needs on a Prefect server."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from coolify_cli.options import confirm, context_option, dry_run_option, json_option, yes_options

if TYPE_CHECKING:
    from rich.console import Console

    from deployments.apply import Applied

__all__ = ["apply", "up"]

_NO_WEBHOOKS: Final = (
    "Webhooks are not received: set COOLIFY_WEBHOOK_SECRET and start again, or run `coolify webhooks serve` with a "
    "file of sources."
)


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


@click.command(epilog="Example: coolify server up --port 4200")
@click.option("--host", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="Address to listen on.")
@click.option("--port", default=4200, show_default=True, type=click.IntRange(0, 65535), help="Port; 0 for a free one.")
@click.option(
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where database and logs live; PREFECT_HOME or ~/.prefect by default.",
)
@click.option(
    "--webhook-port",
    default=8087,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="Port for webhooks, received where COOLIFY_WEBHOOK_SECRET is set; 0 for a free one.",
)
@json_option
def up(host: str, port: int, directory: Path | None, webhook_port: int, *, as_json: bool) -> int:
    """Run everything on this machine until Ctrl-C: Prefect server, worker and webhook receiver.

    For one machine, on SQLite. Deployments and automations are registered at each start. deployments/ has a compose
    file for more.
    """
    home = directory or Path(os.environ.get("PREFECT_HOME") or "~/.prefect")
    try:
        asyncio.run(_up(home.expanduser().resolve(), host, port, webhook_port, as_json=as_json))
    except asyncio.CancelledError:
        click.echo("Everything has ended.", err=True)
    return 0


async def _up(directory: Path, host: str, port: int, webhook_port: int, *, as_json: bool) -> None:
    from coolify_cli.output import print_json
    from coolify_cli.running import quiet_prefect
    from coolify_cli.server_up import end_on_signals, receives_webhooks, run_installation, run_parts

    end_on_signals()
    click.echo("Starting the Prefect server ...", err=True)
    async with run_installation(directory, host, port) as server:
        # Before Prefect is imported: it reads its settings once.
        os.environ.update(server.environment)
        quiet_prefect()
        from deployments.apply import apply as apply_declarations

        applied = await apply_declarations()
        if not receives_webhooks():
            applied = applied.model_copy(update={"notes": (*applied.notes, _NO_WEBHOOKS)})
        async with run_parts(server, host, webhook_port) as installation:
            facts = {"url": server.url, "directory": str(directory), "changes": len(applied.changes)}
            facts |= {"parts": ["server", *installation.parts], "notes": list(applied.notes)}
            if as_json:
                print_json(facts)
            else:
                _print_up(server.url, directory, applied)
            sys.stdout.flush()
            await installation.until_one_ends()


def _print_up(url: str, directory: Path, applied: Applied) -> None:
    from coolify_cli.output import stdout_console

    show_applied(stdout_console(), applied)
    click.echo(f"\nPrefect UI   {url}\nDirectory    {directory}\nFor other commands: export PREFECT_API_URL={url}/api")
    click.echo("Ctrl-C ends everything.")
