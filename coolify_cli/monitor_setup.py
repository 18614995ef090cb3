"""`coolify monitor setup`."""

from __future__ import annotations

import asyncio
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import click

from coolify_cli.monitor_options import prepared, watched_options
from coolify_cli.options import confirm, dry_run_option, json_option, yes_options

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from coolify.monitor.setup.files import FileChange
    from coolify.monitor.setup.notifications import ChannelChange
    from coolify.monitor.watch import Watch

__all__ = ["setup"]

_SIGNS = {"create": "+", "update": "~", "unchanged": "="}


@click.command(epilog="Example: coolify monitor setup --directory /etc/prometheus --target localhost:9456")
@watched_options
@click.option(
    "--directory", default="monitoring", show_default=True, metavar="PATH", help="Where the files are written."
)
@click.option("--target", default="localhost:9456", show_default=True, help="`coolify monitor serve`, from Prometheus.")
@click.option("--alertmanager", default="localhost:9093", show_default=True, help="Alertmanager, from Prometheus.")
@click.option(
    "--secrets",
    default="/etc/alertmanager/secrets",
    show_default=True,
    metavar="PATH",
    help="Directory with the credentials of the channels, as Alertmanager sees it; nothing is written there.",
)
@click.option("--smarthost", default="localhost:25", show_default=True, help="Mail server of Alertmanager, host:port.")
@click.option("--mail-from", default="alertmanager@localhost", show_default=True, help="Sender of its mails.")
@click.option("--mail-user", default="", help="Its user name there; the password is the file smtp-password.")
@click.option("--mail-tls/--no-mail-tls", default=True, show_default=True, help="Whether it demands TLS there.")
@click.option(
    "--interval", type=click.FloatRange(1), default=60.0, show_default=True, help="Seconds between looks of `serve`."
)
@click.option(
    "--coolify/--no-coolify", "in_coolify", default=False, help="Switch events of Coolify's own channels on too."
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
    secrets: str,
    smarthost: str,
    mail_from: str,
    mail_user: str,
    mail_tls: bool,
    interval: float,
    in_coolify: bool,
    dry_run: bool,
    yes: bool,
    no_input: bool,
    as_json: bool,
) -> int:
    """Write configuration for Prometheus, Alertmanager and Grafana; run again, it writes only what has changed.

    Alertmanager gets the destinations of `monitoring.alerts` of every file; its credentials are files of its own. With
    --coolify the channels that Coolify itself tells by get the events that only Coolify can see (4.3.0).
    """
    from coolify.monitor.setup.alertmanager import Mail, secret_files
    from coolify.monitor.setup.files import Places, apply_changes, plan_files, wanted_files

    watch = prepared(configs, environment, everything=everything)
    watched = [one for fleet in watch.fleets for one in fleet.watched]
    mail = Mail(smarthost, mail_from, mail_user, mail_tls)
    places = Places(target, alertmanager, PurePosixPath(secrets), interval, mail)
    files = plan_files(Path(directory), wanted_files(watched, places))
    channels = asyncio.run(_plan_channels(watch)) if in_coolify else {}
    needed = secret_files(watched, mail)
    if not as_json:
        _show(files, channels, [f"{secrets}/{one}" for one in needed])
    number = sum(one.is_change for one in files) + sum(len(one) for one in channels.values())
    if number and not dry_run:
        confirm("Write this", yes=yes, no_input=no_input)
        apply_changes(files)
        asyncio.run(_apply_channels(watch, channels))
    if as_json:
        from coolify_cli.output import print_json

        print_json(_plain(files, channels, needed, dry_run=dry_run))
    return 0


async def _plan_channels(watch: Watch) -> dict[str, tuple[ChannelChange, ...]]:
    from coolify.monitor.setup.notifications import plan_notifications, read_channels

    planned = {}
    for fleet in watch.fleets:
        async with fleet.connect() as client:
            planned[fleet.coolify] = plan_notifications(await read_channels(client))
    return planned


async def _apply_channels(watch: Watch, planned: Mapping[str, Sequence[ChannelChange]]) -> None:
    from coolify.monitor.setup.notifications import apply_notifications

    for fleet in watch.fleets:
        if changes := planned.get(fleet.coolify):
            async with fleet.connect() as client:
                await apply_notifications(client, changes)


def _show(files: Sequence[FileChange], channels: Mapping[str, Sequence[ChannelChange]], secrets: list[str]) -> None:
    for one in files:
        click.echo(f"{_SIGNS[one.kind.value]} {one.path}")
    for server, changes in channels.items():
        for change in changes:
            click.echo(f"~ {server}: {change.channel.value} tells {', '.join(change.events)}")
        if not changes:
            click.echo(f"= {server}: every channel that is on tells what it should")
    if secrets:
        click.echo(f"Alertmanager reads its credentials from {', '.join(secrets)}.")


def _plain(
    files: Sequence[FileChange],
    channels: Mapping[str, Sequence[ChannelChange]],
    secrets: tuple[str, ...],
    *,
    dry_run: bool,
) -> dict[str, Any]:
    return {
        "files": [{"path": str(one.path), "change": one.kind.value} for one in files],
        "channels": [
            {"coolify": server, "channel": change.channel.value, "events": list(change.events)}
            for server, changes in channels.items()
            for change in changes
        ],
        "secrets": list(secrets),
        "dry_run": dry_run,
    }
