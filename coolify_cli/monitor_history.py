"""`coolify monitor metrics` where a Prometheus has kept what was measured."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import RenderableType

    from coolify.monitor.model import Subject
    from coolify.monitor.prometheus import Range, Series
    from coolify.monitor.watch import Watch
    from coolify.monitor.watched import Watched

__all__ = ["show_history", "sources_of"]

_TOKEN = "COOLIFY_PROMETHEUS_TOKEN"  # noqa: S105 - the name of a variable
_WIDTH = 32
_BARS = "▁▂▃▄▅▆▇█"
_STATES = ("coolify_app_last_release_outcome", "coolify_app_recent_deployments", "coolify_decisions_", "_total")
"""Metrics with a series for each thing that may happen: those that never did are left out of the table."""


@dataclass(frozen=True, slots=True)
class Source:
    """A Prometheus, and what is asked of it."""

    url: str
    watched: tuple[Watched, ...]
    servers: tuple[str, ...] = ()
    """Coolify servers all of whose applications are wanted."""


def sources_of(watch: Watch, url: str | None) -> tuple[Source, ...]:
    """Return whom to ask: the one that is named, else those of the configuration files; none where there is none.

    Raises:
        click.UsageError: Some files name a Prometheus and others do not, or the name is no address.
    """
    watched = [one for fleet in watch.fleets for one in fleet.watched]
    servers = tuple(fleet.coolify for fleet in watch.fleets if fleet.everything)
    if url is not None:
        if not url.startswith(("http://", "https://")):
            raise click.UsageError(f"--prometheus takes an address as in http://localhost:9090, not '{url}'.")
        return (Source(url, tuple(watched), servers),)
    named: dict[str | None, list[Watched]] = {}
    for one in watched:
        named.setdefault(one.config.monitoring.prometheus, []).append(one)
    silent = named.pop(None, [])
    if not named:
        return ()
    if silent:
        names = ", ".join(one.subject.title for one in silent)
        raise click.UsageError(f"No `monitoring.prometheus` is named for {names}: give --prometheus, or --now.")
    return tuple(Source(address, tuple(there), servers) for address, there in named.items() if address)


def show_history(sources: Sequence[Source], since: timedelta, only: str, *, as_json: bool) -> None:
    """Print what Prometheus has kept.

    Raises:
        PrometheusError: One of them cannot be read, or has nothing.
    """
    from coolify.monitor.prometheus import range_of
    from coolify_cli.output import print_json, stdout_console

    everything = any(one.servers for one in sources)
    time = range_of(since, datetime.now(UTC), few=everything)
    found = asyncio.run(_read(sources, time, only))
    if as_json:
        print_json([_plain(one, time) for one in found])
    else:
        stdout_console().print(_view(found, time, only=only))


async def _read(sources: Iterable[Source], time: Range, only: str) -> tuple[Series, ...]:
    from pydantic import SecretStr

    from coolify.monitor.prometheus import Prometheus

    token = SecretStr(value) if (value := os.environ.get(_TOKEN)) else None
    found: list[Series] = []
    for source in sources:
        ca_file = next((one.config.network.ca_file for one in source.watched if one.config.network.ca_file), None)
        server = Prometheus(source.url, token, Path(ca_file) if ca_file else None)
        subjects = [one.subject for one in source.watched]
        # What belongs to no application is in the answer of each.
        answer = await server.history(subjects, time, everything=source.servers, only=only)
        found += [one for one in answer if one.subject.application or one not in found]
    return tuple(found)


def _plain(one: Series, time: Range) -> Mapping[str, Any]:
    samples = [
        [datetime.fromtimestamp(moment, UTC).isoformat(), value]
        for moment, value in zip(time.moments, one.values, strict=True)
        if value is not None
    ]
    return {
        "metric": one.metric,
        "value": one.now,
        "detail": one.detail,
        "application": one.subject.application,
        "environment": one.subject.environment,
        "project": one.subject.project,
        "coolify": one.subject.coolify,
        "min": min(one.known),
        "max": max(one.known),
        "step_seconds": time.step,
        "samples": samples,
    }


def _view(found: Sequence[Series], time: Range, *, only: str) -> RenderableType:
    from rich.console import Group
    from rich.text import Text

    parts: list[RenderableType] = []
    groups: dict[tuple[str, str], list[Series]] = {}
    for one in found:
        if only or not _never_happened(one):
            groups.setdefault(_heading(one.subject), []).append(one)
    for (title, place), series in groups.items():
        parts += [Text.assemble((title, "bold"), (f"  {place}" if place else "", "dim")), _table(series)]
    if not parts:
        return Text("Nothing has happened.")
    hours = (time.end - time.start).total_seconds()
    parts.append(Text(f"The last {_seconds(hours)}, until {time.end:%Y-%m-%d %H:%M} UTC.", style="dim"))
    return Group(*parts)


def _heading(subject: Subject) -> tuple[str, str]:
    if subject.application:
        return subject.title, subject.coolify
    return (subject.coolify, "") if subject.coolify else ("the watch", "")


def _never_happened(one: Series) -> bool:
    # Moments in time say nothing as a line.
    if one.metric.endswith("_timestamp_seconds"):
        return True
    return not any(one.known) and any(mark in one.metric for mark in _STATES)


def _table(series: Iterable[Series]) -> RenderableType:
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
    table.add_column("Metric", overflow="fold")
    table.add_column("Course", no_wrap=True, min_width=_WIDTH)
    for name in ("Min", "Max", "Now"):
        table.add_column(name, justify="right", no_wrap=True)
    for one in series:
        name = one.metric.removeprefix("coolify_").removeprefix("app_")
        numbers = [_shown(one.metric, value) for value in (min(one.known), max(one.known), one.now)]
        table.add_row(escape(f"{name} {one.detail}".strip()), sparkline(one.values), *numbers)
    return table


def sparkline(values: Sequence[float | None], width: int = _WIDTH) -> str:
    """Return a line of bars, each the mean of its part, between the least and the greatest value; gaps are blank.

    >>> sparkline([0, 1, 2, 3, None, None, 7, 7], 4)
    '▁▃ █'
    """
    known = [one for one in values if one is not None]
    if not known:
        return " " * width
    least, span = min(known), max(known) - min(known)
    line = ""
    for place in range(width):
        part = values[place * len(values) // width : max(1, (place + 1) * len(values) // width)]
        there = [one for one in part if one is not None]
        if not there:
            line += " "
            continue
        share = (sum(there) / len(there) - least) / span if span else 0.5
        line += _BARS[min(len(_BARS) - 1, int(share * len(_BARS)))]
    return line


def _shown(metric: str, value: float | None) -> str:
    if value is None:
        return "-"
    if "_seconds" in metric and not metric.endswith("_count"):
        return _seconds(value)
    return _bytes(value) if metric.endswith("_bytes") else f"{value:.6g}"


def _seconds(value: float) -> str:
    for size, unit in ((86400.0, "d"), (3600.0, "h"), (60.0, "min")):
        if abs(value) >= 2 * size:
            return f"{value / size:.1f}".removesuffix(".0") + f" {unit}"
    return f"{value:.3g} s" if abs(value) < 10 else f"{value:.0f} s"


def _bytes(value: float) -> str:
    size = value
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.4g} {unit}"
        size /= 1024
    return f"{size:.4g} TiB"
