"""`coolify history`."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING, Any

import click

from coolify.release.record import Outcome
from coolify_cli.options import config_options, json_option

if TYPE_CHECKING:
    from rich.console import Console

    from coolify.release import ReleaseRecord

__all__ = ["history", "load_history", "print_history", "show"]


@click.command(epilog="Example: coolify history list --json")
@config_options
@json_option
def history(config: str, environment: str, *, as_json: bool) -> int:
    """List the releases and rollbacks of the application, newest first."""
    from rich.console import Console

    from coolify_cli.running import check_configuration, prepare_prefect

    check_configuration(config, environment)
    prepare_prefect(config)
    records = asyncio.run(load_history(config, environment))
    if as_json:
        sys.stdout.write(json.dumps([_plain(record) for record in records], indent=2) + "\n")
    else:
        print_history(Console(), records)
    return 0


@click.command(epilog="Example: coolify history show 12")
@click.argument("number", type=click.IntRange(1))
@config_options
@json_option
def show(number: int, config: str, environment: str, *, as_json: bool) -> int:
    """Print the report of one release or rollback: outcome, who and why, decisions with their evidence, timeline."""
    from coolify_cli.output import print_json, stdout_console
    from coolify_cli.running import check_configuration, prepare_prefect

    check_configuration(config, environment)
    prepare_prefect(config)
    from tasks.history import read_release
    from tasks.session import Target

    record, markdown = asyncio.run(read_release(Target(config=config, environment=environment), number))
    if as_json:
        print_json({"record": _plain(record), "report": markdown})
        return 0
    console = stdout_console()
    if console.is_terminal:
        from rich.markdown import Markdown

        console.print(Markdown(markdown))
    else:
        click.echo(markdown)
    return 0


async def load_history(config: str, environment: str) -> tuple[ReleaseRecord, ...]:
    """Return the records of the application, newest first; none when it does not exist."""
    from tasks.history import read_history
    from tasks.session import Target

    return await read_history(Target(config=config, environment=environment))


def print_history(console: Console, records: tuple[ReleaseRecord, ...]) -> None:
    """Print records as a table."""
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    from coolify_cli.console import OUTCOME_STYLES

    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
    table.add_column("No.", justify="right")
    table.add_column("Outcome", no_wrap=True)
    table.add_column("Released", no_wrap=True, max_width=32)
    table.add_column("Serving", no_wrap=True)
    table.add_column("When (UTC)", no_wrap=True)
    for record in records:
        outcome = "open" if record.outcome is None else record.outcome.value.replace("_", " ")
        style = OUTCOME_STYLES[record.outcome] if record.outcome else "cyan"
        table.add_row(
            str(record.number),
            f"[{style}]{outcome}[/]" + (" (rollback)" if record.kind == "rollback" else ""),
            escape(f"{(record.commit or '')[:8]} {record.commit_message or ''}".strip()),
            (record.serving or "")[:8],
            record.started_at.strftime("%Y-%m-%d %H:%M"),
        )
    console.print(table if records else "No release yet.")
    # Reasons are sentences: beside the table they have room.
    for record in records:
        if record.reason and record.outcome is not Outcome.COMPLETED:
            console.print(f"[bold]{record.number}[/]  {escape(record.reason)}", highlight=False)


def _plain(record: ReleaseRecord) -> dict[str, Any]:
    """Return what may be shown of a record: no snapshot, no fingerprint."""
    shown: dict[str, Any] = record.model_dump(mode="json", exclude={"before", "proved", "fingerprint"})
    return shown
