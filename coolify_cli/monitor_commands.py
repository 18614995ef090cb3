"""`coolify monitor status`."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any

import click

from coolify_cli.monitor_options import prepared, watched_options
from coolify_cli.options import json_option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from coolify.monitor.model import Look
    from coolify.monitor.watch import Watch

__all__ = ["status"]

EXIT_WRONG = 2


@click.command(epilog="Example: coolify monitor status --all --watch")
@watched_options
@click.option("--watch", "live", is_flag=True, help="Look again and again until Ctrl-C.")
@click.option(
    "--interval", type=click.FloatRange(1), default=30.0, show_default=True, help="Seconds between looks, with --watch."
)
@json_option
def status(
    configs: tuple[str, ...], environment: str, *, everything: bool, live: bool, interval: float, as_json: bool
) -> int:
    """Look at everything once and show it in one table, what is wrong first; exit with 2 when something is.

    Health, certificates, DNS, container, latest deployment, backups and drift of each application, and the servers.
    """
    from coolify_cli.output import print_json, stdout_console

    if live and as_json:
        raise click.UsageError("--watch shows a table: it does not go with --json.")
    watch = prepared(configs, environment, everything=everything)
    if live:
        asyncio.run(_live(watch, interval))
        return 0
    looks = asyncio.run(_look(watch))
    if as_json:
        print_json([_plain(look) for look in looks])
    else:
        stdout_console().print(_view(looks))
    return EXIT_WRONG if any(look.problems for look in looks) else 0


async def _look(watch: Watch) -> tuple[Look, ...]:
    from coolify.monitor.model import wrong_first
    from coolify.monitor.watch import look_at_everything

    return wrong_first(await look_at_everything(watch, {}, os.environ))


async def _live(watch: Watch, interval: float) -> None:
    from rich.live import Live

    from coolify.monitor.keeper import Keeper
    from coolify.monitor.model import wrong_first
    from coolify_cli.output import stdout_console

    keeper = Keeper(lambda: watch, os.environ)
    with Live(console=stdout_console(), auto_refresh=False) as shown:
        await keeper.run(interval, lambda seen: shown.update(_view(wrong_first(seen.looks)), refresh=True))


def _plain(look: Look) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "application": look.subject.application,
        "environment": look.subject.environment,
        "project": look.subject.project,
        "coolify": look.subject.coolify,
        "severity": look.severity.value,
        "deploying": look.deploying,
        "aspects": {one.aspect.value: one.severity.value for one in look.observations},
        "findings": [one.model_dump(mode="json") for one in look.problems],
        "unseen": list(look.unseen),
    }
    return shown


def _view(looks: Sequence[Look]) -> RenderableType:
    from rich.console import Group
    from rich.text import Text

    from coolify.wording import counted

    wrong = [look for look in looks if look.problems]
    lines: list[RenderableType] = [_table(looks)]
    for look in wrong:
        lines += _problems(look)
    lines += [Text(f"? {look.subject.title}: {one}", style="dim") for look in looks for one in look.unseen]
    applications = counted(sum(bool(look.subject.application) for look in looks), "application")
    told = f"{len(wrong)} of {len(looks)} with problems." if wrong else f"✓ Nothing is wrong with {applications}."
    lines.append(Text(told, style="red" if wrong else "green"))
    return Group(*lines)


def _table(looks: Sequence[Look]) -> RenderableType:
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    from coolify.config.monitoring import Aspect
    from coolify_cli.console import SEVERITY_STYLES

    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
    table.add_column("Application", overflow="fold")
    for aspect in Aspect:
        table.add_column(_HEADINGS.get(aspect, aspect.value), justify="center", no_wrap=True)
    for look in looks:
        cells = []
        for aspect in Aspect:
            seen = look.of(aspect)
            style, symbol = SEVERITY_STYLES[seen.severity] if seen else ("dim", "·")
            cells.append(f"[{style}]{symbol}[/]")
        name = escape(look.subject.title) + (" [cyan](deploying)[/]" if look.deploying else "")
        table.add_row(name, *cells)
    return table


_HEADINGS = {"certificate": "cert", "container": "runs", "deployment": "deploy"}


def _problems(look: Look) -> list[RenderableType]:
    from rich.text import Text

    from coolify_cli.console import SEVERITY_STYLES

    lines: list[RenderableType] = []
    for finding in look.problems:
        style, symbol = SEVERITY_STYLES[finding.severity]
        lines.append(Text(f"{symbol} {look.subject.title}: {finding.summary}", style=style))
        lines += [Text(f"    {one}", style="dim") for one in finding.evidence]
        lines += [Text(f"    {finding.remedy}")] if finding.remedy else []
    return lines
