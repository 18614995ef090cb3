"""`coolify backup dr-test`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import click

from coolify_cli.completing import complete_database, complete_environment
from coolify_cli.options import json_option

if TYPE_CHECKING:
    from coolify_cli.drill import Drill, DrillStep

__all__ = ["dr_test"]


@click.command("dr-test", epilog="Example: coolify backup dr-test")
@click.argument("database", default="", shell_complete=complete_database)
@click.option(
    "--config",
    "-c",
    default=".coolify/config.yml",
    show_default=True,
    type=click.Path(dir_okay=False),
    help="Configuration file; looked for in the directories above too.",
)
@click.option(
    "--environment",
    "-e",
    default="",
    metavar="NAME",
    shell_complete=complete_environment,
    help="Environment to work on; the file's own by default.",
)
@click.option(
    "--object",
    "key",
    default="",
    metavar="KEY",
    help="Restore this object of a bucket into DATABASE, as `backup list --bucket` shows it; the newest by default.",
)
@click.option(
    "--repository",
    default="",
    metavar="PATH",
    help="Build the application from this repository; by default from the one that holds the configuration.",
)
@click.option("--databases-only", is_flag=True, help="Leave the application out.")
@json_option
def dr_test(
    database: str, config: str, environment: str, key: str, repository: str, *, databases_only: bool, as_json: bool
) -> int:
    """Delete application and databases in a sandbox and bring them back from file and bucket; tell how long it took.

    Your Coolify is neither asked nor touched: the drill starts one of its own on this machine, with a real PostgreSQL,
    fetches the newest dumps from your buckets, restores and checks them, builds the application and proves its health.
    The application's code runs on this machine, without your secrets: a variable NAME gets the value of DRILL_NAME, or
    a stand-in. DATABASE is a key of the section `databases`; all that are backed up by default. The exit code is 1 when
    something did not come back.
    """
    from coolify_cli.drill import run_drill
    from coolify_cli.output import print_json
    from coolify_cli.reaching import load

    loaded = load(config, environment)
    if key and not database:
        raise click.UsageError("With --object the DATABASE must be named that the dump is of.")
    drill = asyncio.run(
        run_drill(
            loaded,
            database=database,
            key=key,
            repository=repository,
            with_application=not databases_only,
            told=(lambda _: None) if as_json else _print_step,
        )
    )
    if as_json:
        print_json(_json(drill))
    else:
        _print_end(drill)
    return 0 if drill.good else 1


def _print_step(step: DrillStep) -> None:
    from coolify_cli.output import stdout_console

    mark = "[green]✓[/]" if step.good else "[red]✗[/]"
    console = stdout_console()
    console.print(f"{mark} {step.seconds:6.1f} s  {step.name}", highlight=False, end="")
    console.print(f": {step.note}" if step.note else "", highlight=False, markup=False)


def _print_end(drill: Drill) -> None:
    from coolify.finding import Severity
    from coolify_cli.drill import lost_seconds
    from coolify_cli.output import print_findings, stdout_console

    console = stdout_console()
    print_findings(console, [one for one in drill.findings if one.severity is not Severity.OK])
    for one in drill.left_out:
        console.print(f"  without {one}", highlight=False, markup=False, style="dim")
    if not drill.good:
        console.print("[red]✗ not everything came back[/]", highlight=False)
        return
    lost = lost_seconds(drill)
    age = f"; what was written in the last {lost / 3600:.1f} hours would be lost" if lost is not None else ""
    console.print(f"[green]✓ back after {drill.recovery_seconds:.1f} s[/]{age}", highlight=False)


def _json(drill: Drill) -> dict[str, Any]:
    from coolify_cli.drill import lost_seconds

    lost = lost_seconds(drill)
    return {
        "good": drill.good,
        "recovery_seconds": round(drill.recovery_seconds, 3),
        "lost_seconds": None if lost is None else round(lost, 3),
        "steps": [
            {
                "name": one.name,
                "seconds": one.seconds,
                "good": one.good,
                "recovery": one.recovery,
                "note": one.note,
            }
            for one in drill.steps
        ],
        "dumps": [
            {
                "database": one.database,
                "engine": one.engine.value,
                "key": one.place,
                "made": one.made,
                "size": one.size,
                "in_sandbox": one.in_sandbox,
            }
            for one in drill.dumps
        ],
        "findings": [one.model_dump(mode="json") for one in drill.findings],
        "left_out": list(drill.left_out),
    }
