"""`coolify monitor setup`."""

from __future__ import annotations

import asyncio
import os
import re
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import click

from coolify_cli.monitor_options import prepared, watched_options
from coolify_cli.options import confirm, dry_run_option, json_option, yes_options

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from coolify.monitor.setup.files import FileChange
    from coolify.monitor.setup.instance import InstancePlan
    from coolify.monitor.watch import Watch

__all__ = ["setup"]

_SIGNS = {"create": "+", "update": "~", "unchanged": "="}


def _host_and_port(_: click.Context, __: click.Parameter, value: str) -> str:
    """Refuse a URL: Prometheus would take it, and never reach anybody."""
    if value and not re.fullmatch(r"([^/\s:]+|\[[0-9a-fA-F:]+\]):\d{1,5}", value):
        raise click.BadParameter("write host and port, as in localhost:9115.")
    return value


@click.command(epilog="Example: coolify monitor setup --directory /etc/prometheus --target localhost:9456")
@watched_options
@click.option(
    "--directory", default="monitoring", show_default=True, metavar="PATH", help="Where the files are written."
)
@click.option("--target", default="localhost:9456", show_default=True, help="`coolify monitor serve`, from Prometheus.")
@click.option("--alertmanager", default="localhost:9093", show_default=True, help="Alertmanager, from Prometheus.")
@click.option(
    "--blackbox",
    default="",
    metavar="HOST:PORT",
    callback=_host_and_port,
    help="A blackbox exporter, from Prometheus, that probes every domain; none when left out.",
)
@click.option(
    "--secrets",
    default="/etc/alertmanager/secrets",
    show_default=True,
    metavar="PATH",
    help="Directory with the credentials of channels and probes, as Alertmanager and the blackbox exporter see it; "
    "nothing is written there.",
)
@click.option("--smarthost", default="localhost:25", show_default=True, help="Mail server of Alertmanager, host:port.")
@click.option("--mail-from", default="alertmanager@localhost", show_default=True, help="Sender of its mails.")
@click.option("--mail-user", default="", help="Its user name there; the password is the file smtp-password.")
@click.option("--mail-tls/--no-mail-tls", default=True, show_default=True, help="Whether it demands TLS there.")
@click.option(
    "--interval", type=click.FloatRange(1), default=60.0, show_default=True, help="Seconds between looks of `serve`."
)
@click.option(
    "--coolify/--no-coolify",
    "in_coolify",
    default=None,
    help="Also let channels of Coolify's own, whose events are not declared, tell the usual ones; or leave out what "
    "monitoring.coolify declares.",
)
@dry_run_option
@yes_options
@json_option
def setup(
    configs: tuple[str, ...],
    environment: str,
    *,
    everything: bool,
    directory: str,
    target: str,
    alertmanager: str,
    blackbox: str,
    secrets: str,
    smarthost: str,
    mail_from: str,
    mail_user: str,
    mail_tls: bool,
    interval: float,
    in_coolify: bool | None,
    dry_run: bool,
    yes: bool,
    no_input: bool,
    as_json: bool,
) -> int:
    """Write configuration for Prometheus and its companions, and settings of Coolify's own.

    Run again, it changes only what differs. Alertmanager gets the destinations of `monitoring.alerts` of every file;
    its credentials are files of its own. What `monitoring.coolify` declares (4.3.0) is brought about in Coolify:
    channels, agents and log drains of servers.
    """
    from coolify.monitor.setup.alertmanager import Mail, secret_files
    from coolify.monitor.setup.blackbox import password_files
    from coolify.monitor.setup.files import Places, apply_changes, plan_files, wanted_files

    watch = prepared(configs, environment, everything=everything)
    watched = [one for fleet in watch.fleets for one in fleet.watched]
    mail = Mail(smarthost, mail_from, mail_user, mail_tls)
    places = Places(target, alertmanager, PurePosixPath(secrets), interval, mail, blackbox)
    files = plan_files(Path(directory), wanted_files(watched, places))
    plans = asyncio.run(_plan_coolify(watch, usual_events=bool(in_coolify))) if in_coolify is not False else {}
    needed = {
        "Alertmanager": secret_files(watched, mail),
        "The blackbox exporter": password_files(watched) if blackbox else (),
    }
    if not as_json:
        _show(files, plans)
        for reader, names in needed.items():
            if names:
                click.echo(f"{reader} reads its credentials from {', '.join(f'{secrets}/{one}' for one in names)}.")
    number = sum(one.is_change for one in files) + sum(len(one.changes) for one in plans.values())
    if number and not dry_run:
        asyncio.run(_check_tokens(watch, plans))
        confirm("Write this", yes=yes, no_input=no_input)
        apply_changes(files)
        asyncio.run(_apply_coolify(watch, plans))
    if as_json:
        from coolify_cli.output import print_json

        print_json(_plain(files, plans, [one for names in needed.values() for one in names], dry_run=dry_run))
    return 0


async def _plan_coolify(watch: Watch, *, usual_events: bool) -> dict[str, InstancePlan]:
    from coolify.monitor.setup.declared import declared_settings
    from coolify.monitor.setup.instance import plan_instance

    # All that files say against each other is told before anything is asked.
    declared = [(fleet, declared_settings(fleet.watched)) for fleet in watch.fleets]
    planned = {}
    for fleet, settings in declared:
        if usual_events or not settings.is_empty:
            async with fleet.connect() as client:
                planned[fleet.coolify] = await plan_instance(client, settings, os.environ, usual_events=usual_events)
    return planned


async def _check_tokens(watch: Watch, plans: Mapping[str, InstancePlan]) -> None:
    from coolify.monitor.setup.instance import check_token

    for fleet in watch.fleets:
        if (plan := plans.get(fleet.coolify)) and plan.changes:
            async with fleet.connect() as client:
                await check_token(client, plan.changes)


async def _apply_coolify(watch: Watch, plans: Mapping[str, InstancePlan]) -> None:
    from coolify.monitor.setup.instance import apply_instance

    for fleet in watch.fleets:
        if (plan := plans.get(fleet.coolify)) and plan.changes:
            async with fleet.connect() as client:
                await apply_instance(client, plan.changes)


def _show(files: Sequence[FileChange], plans: Mapping[str, InstancePlan]) -> None:
    for one in files:
        click.echo(f"{_SIGNS[one.kind.value]} {one.path}")
    for server, plan in plans.items():
        for change in plan.changes:
            click.echo(f"~ {server}: {change.title}")
            for text in change.texts:
                click.echo(f"    {text}")
        for title in plan.unchanged:
            click.echo(f"= {server}: {title}")
        for note in plan.notes:
            click.echo(f"! {server}: {note}")


def _plain(
    files: Sequence[FileChange], plans: Mapping[str, InstancePlan], secrets: Sequence[str], *, dry_run: bool
) -> dict[str, Any]:
    return {
        "files": [{"path": str(one.path), "change": one.kind.value} for one in files],
        "settings": [
            {"coolify": server, "settings": change.title, "changes": list(change.texts)}
            for server, plan in plans.items()
            for change in plan.changes
        ],
        "notes": [{"coolify": server, "note": note} for server, plan in plans.items() for note in plan.notes],
        "secrets": list(secrets),
        "dry_run": dry_run,
    }
