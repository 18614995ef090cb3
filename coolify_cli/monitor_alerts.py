"""`coolify monitor alerts`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import click

from coolify_cli.options import config_options, dry_run_option, json_option

if TYPE_CHECKING:
    from datetime import datetime

    from coolify.monitor.memory import Notes, Problem, Silence
    from coolify.monitor.message import Message

__all__ = ["ack", "list_alerts", "silence", "test"]


def _name_option(command: Any) -> Any:  # noqa: ANN401 - decorator of click
    return click.option(
        "--name", default="default", show_default=True, help="Name of the watch, as its deployment has it."
    )(command)


@click.command("list", epilog="Example: coolify monitor alerts list")
@config_options
@_name_option
@json_option
def list_alerts(config: str, environment: str, name: str, *, as_json: bool) -> int:
    """List what the deployment `watch` calls a problem now, with silences and acknowledgements; exit with 2 for any."""
    _prepare(config)
    from tasks.alert_notes import read_alerts

    everything, notes, ended = asyncio.run(read_alerts(name))
    active = tuple(one for one in everything if not environment or one.subject.environment == environment)
    if as_json:
        from coolify_cli.output import print_json

        print_json(
            {
                "looked": ended.isoformat() if ended else None,
                "alerts": [_plain(one, notes) for one in active],
                "silences": [one.model_dump(mode="json") for one in notes.silences],
            }
        )
    else:
        _print(active, notes, ended)
    return 2 if active else 0


@click.command(epilog="Example: coolify monitor alerts ack 3f2a")
@click.argument("problems", nargs=-1, required=True, metavar="ID...")
@config_options
@_name_option
@json_option
def ack(problems: tuple[str, ...], config: str, environment: str, name: str, *, as_json: bool) -> int:  # noqa: ARG001
    """Say that somebody knows of problems: they are told no more until they are over.

    The beginning of an ID is enough.
    """
    _prepare(config)
    from tasks.alert_notes import acknowledge

    found = asyncio.run(acknowledge(name, problems))
    if as_json:
        from coolify_cli.output import print_json

        print_json({"acknowledged": [one.id for one in found]})
    else:
        for one in found:
            click.echo(f"Acknowledged {one.id}: {one.subject.title}: {one.finding.summary}")
    return 0


@click.command(epilog='Example: coolify monitor alerts silence shop --hours 2 --reason "New disks"')
@click.argument("text")
@config_options
@_name_option
@click.option("--hours", type=click.FloatRange(0, 8760), default=2.0, show_default=True, help="How long; 0 ends it.")
@click.option("--reason", default="", help="Why, for whoever reads the list.")
@json_option
def silence(
    text: str,
    config: str,
    environment: str,  # noqa: ARG001 - of `config_options`
    name: str,
    hours: float,
    reason: str,
    *,
    as_json: bool,
) -> int:
    """Tell nothing for some hours about what has TEXT in its application, finding, subject or ID; `*` for everything.

    What is still wrong afterwards is told then.
    """
    _prepare(config)
    made = asyncio.run(_silence(name, text, hours, reason))
    if as_json:
        from coolify_cli.output import print_json

        print_json({"text": text, "until": made.until.isoformat() if made else None})
    elif made:
        click.echo(f"Nothing is told about '{text}' until {made.until:%Y-%m-%d %H:%M} UTC.")
    else:
        click.echo(f"'{text}' is told of again.")
    return 0


async def _silence(name: str, text: str, hours: float, reason: str) -> Silence | None:
    from tasks.alert_notes import silence as begin
    from tasks.alert_notes import unsilence

    if hours:
        return await begin(name, text, hours, reason)
    await unsilence(name, text)
    return None


@click.command(epilog="Example: coolify monitor alerts test --environment staging")
@config_options
@dry_run_option
@json_option
def test(config: str, environment: str, *, dry_run: bool, as_json: bool) -> int:
    """Send a test message to every destination of `monitoring.alerts`; exit with 1 when one did not take it."""
    from datetime import UTC, datetime

    from coolify.monitor.alerts import trial_messages
    from coolify_cli.reaching import load

    loaded = load(config, environment)
    name = f"{loaded.application_name} ({loaded.environment})"
    messages = trial_messages(loaded.monitoring.alerts, name, datetime.now(UTC))
    if not messages:
        raise click.UsageError(f"{loaded.path} names nobody to tell: add `monitoring.alerts`.")
    outcomes: list[str] = [""] * len(messages)
    if not dry_run:
        _prepare(config)
        outcomes = asyncio.run(_send(messages))
    if as_json:
        from coolify_cli.output import print_json

        rows = [
            {"channel": one.channel.value, "to": one.to, "block": one.block, "error": problem}
            for one, problem in zip(messages, outcomes, strict=True)
        ]
        print_json({"sent": rows, "dry_run": dry_run})
    else:
        for one, problem in zip(messages, outcomes, strict=True):
            where = f"{one.channel.value} {one.to or one.block}"
            click.echo(f"Would send to {where}." if dry_run else f"✗ {problem}" if problem else f"✓ Sent to {where}.")
    return 1 if any(outcomes) else 0


async def _send(messages: tuple[Message, ...]) -> list[str]:
    from tasks.alerting import AlertError, send_alert

    async def send(message: Message) -> str:
        try:
            await send_alert(message)
        except AlertError as error:
            return str(error)
        return ""

    return list(await asyncio.gather(*(send(one) for one in messages)))


def _prepare(config: str) -> None:
    from coolify_cli.running import prepare_prefect

    prepare_prefect(config)


def _plain(problem: Problem, notes: Notes) -> dict[str, Any]:
    from datetime import UTC, datetime

    return {
        "id": problem.id,
        "application": problem.subject.application,
        "environment": problem.subject.environment,
        "coolify": problem.subject.coolify,
        "aspect": problem.aspect.value,
        "since": problem.since.isoformat(),
        "flapping": problem.flapping,
        "muted": notes.mutes(problem, datetime.now(UTC)),
        "finding": problem.finding.model_dump(mode="json"),
    }


def _print(active: tuple[Problem, ...], notes: Notes, ended: datetime | None) -> None:
    from datetime import UTC, datetime

    from coolify_cli.output import make_table, stdout_console

    rows = [
        (
            one.id,
            one.finding.severity.value,
            one.subject.title,
            one.finding.summary,
            f"{one.since:%m-%d %H:%M}",
            notes.mutes(one, datetime.now(UTC)) or ("comes and goes" if one.flapping else ""),
        )
        for one in active
    ]
    if rows:
        stdout_console().print(make_table("ID", "Severity", "Application", "What", "Since (UTC)", "", rows=rows))
    else:
        click.echo("Nothing is wrong." if ended else "Nobody has looked yet: start the deployment `watch/watch`.")
    for one in notes.silences:
        because = f": {one.reason}" if one.reason else ""
        click.echo(f"Silence of '{one.text}' until {one.until:%Y-%m-%d %H:%M} UTC by {one.by}{because}")
    if ended:
        click.echo(f"Looked at {ended:%Y-%m-%d %H:%M:%S} UTC.")
