"""`coolify monitor logs`."""

from __future__ import annotations

import asyncio
import json
import os
import re
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from coolify_cli.monitor_options import duration_of, prepared, watched_options
from coolify_cli.options import json_option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from coolify.api import Application, CoolifyClient
    from coolify.config import Config
    from coolify.monitor.logs import ContainerLine
    from coolify.monitor.look import Fleet
    from coolify.monitor.watch import Watch
    from coolify.redaction import Redaction

__all__ = ["logs"]

_COLOURS = ("cyan", "magenta", "green", "yellow", "blue", "bright_red")
_SECONDS_PER_REQUEST = 0.5
"""Each look at one log is a request and a connection by SSH: 120 a minute leave room for others."""
_MOST = 10_000


@dataclass
class _Source:
    """One application whose log is read."""

    name: str
    uuid: str
    client: CoolifyClient
    redact: Redaction
    timed: bool
    """Whether Coolify tells the time of each line."""
    tail: tuple[ContainerLine, ...] = ()
    trouble: str = ""
    """What was told last about not being able to read it."""


@dataclass(frozen=True)
class _Wanted:
    """Which lines are shown."""

    lines: int
    since: datetime | None = None
    grep: re.Pattern[str] | None = None
    as_json: bool = False
    follow: bool = False
    rows: list[dict[str, str | None]] = field(default_factory=list)
    """What `--json` prints at the end."""


@click.command(epilog="Example: coolify monitor logs -c shop.yml -c blog.yml --follow --grep error")
@watched_options
@click.option(
    "--lines", "-n", type=click.IntRange(1, _MOST), default=100, show_default=True, help="From each application."
)
@click.option("--follow", "-f", is_flag=True, help="Go on until Ctrl-C.")
@click.option(
    "--since", metavar="DURATION", help="Only what was printed in the last 90s, 10m, 2h or 1d (Coolify 4.2.0)."
)
@click.option("--grep", metavar="REGEX", help="Only lines in which the regular expression is found.")
@click.option(
    "--interval", type=click.FloatRange(1), default=5.0, show_default=True, help="Seconds between looks, with -f."
)
@json_option
def logs(
    configs: tuple[str, ...],
    environment: str,
    *,
    everything: bool,
    lines: int,
    follow: bool,
    since: str | None,
    grep: str | None,
    interval: float,
    as_json: bool,
) -> int:
    """Show what containers of applications print, one or many side by side; exit with 1 when none could be read.

    Coolify tells the log of running containers only. The last words of one that did not become healthy are in the log
    of its deployment, and are shown instead. With -f and --json each line is an object of its own.
    """
    wanted = _Wanted(_lines(lines, since), _moment(since), _pattern(grep), as_json, follow)
    watch = prepared(configs, environment, everything=everything)
    read = asyncio.run(_run(watch, wanted, interval))
    if as_json and not follow:
        from coolify_cli.output import print_json

        print_json(wanted.rows)
    return 0 if read else 1


def _lines(lines: int, since: str | None) -> int:
    # How many lines a time holds nobody knows.
    return _MOST if since else lines


def _moment(since: str | None) -> datetime | None:
    return None if since is None else datetime.now(UTC) - duration_of(since)


def _pattern(grep: str | None) -> re.Pattern[str] | None:
    try:
        return re.compile(grep) if grep else None
    except re.error as error:
        raise click.UsageError(f"--grep takes a regular expression: {error}.") from None


async def _run(watch: Watch, wanted: _Wanted, interval: float) -> bool:
    """Show the logs; return whether any could be read."""
    from coolify_cli.output import stdout_console

    console = stdout_console()
    async with AsyncExitStack() as stack:
        sources = [one for fleet in watch.fleets for one in await _sources(fleet, stack, wanted)]
        width = max((len(one.name) for one in sources), default=0) if len(sources) > 1 else 0
        read = await _look(sources, wanted, console, width)
        while wanted.follow and sources:
            await asyncio.sleep(max(interval, len(sources) * _SECONDS_PER_REQUEST))
            read = await _look(sources, wanted, console, width) or read
        return read


async def _sources(fleet: Fleet, stack: AsyncExitStack, wanted: _Wanted) -> list[_Source]:
    from coolify.api import Feature
    from coolify.errors import OperatorError
    from coolify.monitor.instance import read_instance
    from coolify.monitor.look import DEFAULT_REQUESTS

    client = await stack.enter_async_context(fleet.connect())
    capabilities = await client.capabilities()
    timed = capabilities.supports(Feature.LOG_TIMES)
    if wanted.since is not None and not timed:
        raise OperatorError(f"--since needs Coolify 4.2.0: {fleet.coolify} is {capabilities.version}.")
    instance = await read_instance(client, DEFAULT_REQUESTS)
    sources: list[_Source] = []
    for one in fleet.watched:
        application = await instance.find(one.config, None)
        if application is None:
            click.echo(f"{one.subject.title}: there is no such application yet.", err=True)
        else:
            sources.append(_Source(one.subject.title, application.uuid, client, _redaction(one.config), timed))
    known = {one.uuid for one in sources}
    others: Sequence[Application] = instance.applications if fleet.everything else ()
    from coolify.redaction import Redaction

    sources += [_Source(one.name, one.uuid, client, Redaction(()), timed) for one in others if one.uuid not in known]
    return sources


def _redaction(config: Config) -> Redaction:
    from coolify.config import ConfigError, resolve_variables
    from coolify.redaction import Redaction, secrets_of

    try:
        variables = resolve_variables(config, os.environ)
    except ConfigError:
        # What is not set here cannot be recognised; everything else is.
        variables = ()
    return Redaction(secrets_of(config, variables, os.environ))


async def _look(sources: Sequence[_Source], wanted: _Wanted, console: Console, width: int) -> bool:
    """Read all logs once, show what is new, and return whether any could be read."""
    tails = await asyncio.gather(*(_read(one, wanted) for one in sources))
    for place, (source, tail) in enumerate(zip(sources, tails, strict=True)):
        for line in tail or ():
            _show(source, line, wanted, console, width, _COLOURS[place % len(_COLOURS)])
    return any(tail is not None for tail in tails)


async def _read(source: _Source, wanted: _Wanted) -> tuple[ContainerLine, ...] | None:
    """Return what is new in a log, None where it cannot be read."""
    from coolify.errors import OperatorError
    from coolify.monitor.logs import new_lines, read_lines, since

    try:
        text = await source.client.applications.logs(source.uuid, wanted.lines, times=True)
    except OperatorError as error:
        return await _instead(source, str(error))
    lines = read_lines(text, timed=source.timed)
    fresh = new_lines(source.tail, lines)
    source.tail, source.trouble = lines, ""
    return since(fresh, wanted.since) if wanted.since else fresh


async def _instead(source: _Source, trouble: str) -> tuple[ContainerLine, ...] | None:
    """Say once why a log cannot be read, and return the last words of a container that did not become healthy."""
    from coolify.errors import OperatorError
    from coolify.monitor.logs import crashed_lines

    if source.trouble == trouble:
        return None
    source.trouble = trouble
    click.echo(f"{source.name}: {trouble}", err=True)
    try:
        newest = await source.client.deployments.newest(source.uuid)
        log = await source.client.deployments.log(newest.deployment_uuid) if newest else None
    except OperatorError:
        return None
    found = crashed_lines(log or ())
    if found:
        click.echo(f"{source.name}: from the log of its latest deployment:", err=True)
    return found or None


def _show(source: _Source, line: ContainerLine, wanted: _Wanted, console: Console, width: int, colour: str) -> None:
    from rich.text import Text

    from coolify.commands import plain_line

    text = plain_line(source.redact(line.text))
    if wanted.grep is not None and not wanted.grep.search(text):
        return
    if wanted.as_json:
        row = {"application": source.name, "at": line.at.isoformat() if line.at else None, "line": text}
        if wanted.follow:
            click.echo(json.dumps(row, ensure_ascii=False))
        else:
            wanted.rows.append(row)
        return
    shown = Text(f"{source.name:<{width}} | ", style=colour) if width else Text()
    console.print(shown.append(Text(text)), highlight=False, soft_wrap=True)
