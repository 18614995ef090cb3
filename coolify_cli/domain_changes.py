"""`coolify domain add` and `coolify domain remove`."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import click

from coolify_cli.options import config_options, confirm, dry_run_option, json_option, yes_options

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from coolify_cli.domain_preview import Preview

__all__ = ["add", "remove"]


@click.command(epilog="Example: coolify domain add api.example.com --dry-run")
@click.argument("host")
@click.option("--http", is_flag=True, help="Serve it without HTTPS and certificate.")
@click.option("--path", default="/", show_default=True, metavar="PATH", help="Path below which the application serves.")
@click.option("--service", metavar="NAME", help="Service of the compose file that serves it.")
@click.option("--name", default="", metavar="NAME", help="Name of the entry in the file; chosen by default.")
@click.option("--adopt", is_flag=True, help="Take over DNS records of the host that are not ours.")
@click.option("--no-wait", is_flag=True, help="Do not wait until all name servers lead to the server.")
@config_options
@dry_run_option
@yes_options
@json_option
def add(
    host: str,
    config: str,
    environment: str,
    *,
    http: bool,
    path: str,
    service: str | None,
    name: str,
    adopt: bool,
    no_wait: bool,
    dry_run: bool,
    yes: bool,
    no_input: bool,
    as_json: bool,
) -> int:
    """Lead a domain to the application: DNS records, configuration file and Coolify.

    Where dns.records says who keeps the zone, records are written there and marked as ours; others are never touched
    without --adopt. Elsewhere they are shown, to be entered by hand, and waited for. What changes is shown first.
    Running it again is the recovery from anything; the proxy knows the domain from the next deployment on.
    """
    from coolify.config import NewDomain, add_domain
    from coolify_cli.domain_preview import preview_addition
    from coolify_cli.reaching import load

    host = _checked(host)
    new = NewDomain(host, not http, path, service, name)
    edit = add_domain(load(config, environment).path, environment, new)
    found = asyncio.run(preview_addition(edit, host, adopt=adopt))
    if dry_run or not _confirmed(found, "Add", config, environment, yes=yes, no_input=no_input, as_json=as_json):
        return _told(found, as_json=as_json, dry_run=dry_run)

    from flows.change_domains import AddDomainRequest, add_domain_flow
    from tasks.session import Target

    request = AddDomainRequest(
        target=Target(config=config, environment=environment),
        host=host,
        ssl=not http,
        path=path,
        service=service,
        name=name,
        adopt=adopt,
        wait=not no_wait,
        plan=found.records,
    )
    return _run(lambda: add_domain_flow(request, return_state=True), found, as_json=as_json, no_input=no_input)


@click.command(epilog="Example: coolify domain remove api.example.com")
@click.argument("host")
@config_options
@dry_run_option
@yes_options
@json_option
def remove(host: str, config: str, environment: str, *, dry_run: bool, yes: bool, no_input: bool, as_json: bool) -> int:
    """Take a domain away from the application: configuration file, Coolify, and the DNS records that are ours.

    Records without our mark, and those that somebody has led elsewhere since, stay. The proxy forgets the domain with
    the next deployment.
    """
    from coolify.config import remove_domain
    from coolify_cli.domain_preview import preview_removal
    from coolify_cli.reaching import load

    host = _checked(host)
    edit = remove_domain(load(config, environment).path, environment, host)
    found = asyncio.run(preview_removal(edit, host))
    if dry_run or not _confirmed(found, "Remove", config, environment, yes=yes, no_input=no_input, as_json=as_json):
        return _told(found, as_json=as_json, dry_run=dry_run)

    from flows.change_domains import RemoveDomainRequest, remove_domain_flow
    from tasks.session import Target

    target = Target(config=config, environment=environment)
    request = RemoveDomainRequest(target=target, host=host, plan=found.records)
    return _run(lambda: remove_domain_flow(request, return_state=True), found, as_json=as_json, no_input=no_input)


def _checked(host: str) -> str:
    """Return a host name in the form of the DNS."""
    from coolify.hostnames import HostNameError, check_host_name

    try:
        return check_host_name(host)
    except HostNameError as error:
        raise click.UsageError(f"'{host}' {error}") from None


def _confirmed(
    found: Preview, verb: str, config: str, environment: str, *, yes: bool, no_input: bool, as_json: bool
) -> bool:
    """Show what would change and ask; return whether there is anything to do."""
    from coolify_cli.running import check_configuration, prepare_prefect

    check_configuration(config, environment)
    if not found.has_work:
        return False
    if not as_json:
        _show(found)
    confirm(f"{verb} {found.host}", yes=yes, no_input=no_input)
    prepare_prefect(config)
    return True


def _run(flow: Callable[[], Awaitable[Any]], found: Preview, *, as_json: bool, no_input: bool) -> int:
    from coolify_cli.output import print_json
    from coolify_cli.running import run_quietly

    changed = run_quietly(flow, quiet=as_json, no_input=no_input)
    if as_json:
        print_json(found.as_json(dry_run=False) | {"by_hand": list(found.by_hand) if changed.by_hand else []})
    elif changed.in_coolify:
        click.echo("The proxy follows with the next deployment: run `coolify deploy` or `coolify release`.")
    return 0


def _told(found: Preview, *, as_json: bool, dry_run: bool) -> int:
    from coolify_cli.output import print_json

    if as_json:
        print_json(found.as_json(dry_run=dry_run))
        return 0
    _show(found)
    if dry_run and found.has_work:
        click.echo("\nNothing was changed: --dry-run.")
    return 0


def _show(found: Preview) -> None:
    if not found.has_work:
        click.echo("Nothing to change: it is so already.")
    for one in found.edit.edits:
        click.echo(f"{found.edit.path}\n  {_sign(one.before, one.after)} {one.path}: {_values(one.before, one.after)}")
    for change in found.coolify.changes if found.coolify else ():
        click.echo(f"Coolify\n  ~ {change}")
    if found.coolify is None:
        click.echo("Coolify\n  · the application is not there yet: its first release sets the domains")
    if found.records:
        click.echo(f"DNS records at {found.records.provider}, zone {found.records.zone}")
        for record in found.records.changes:
            click.echo(f"  {_sign(record.before, record.after)} {record}")
        for text in (*found.records.kept, *found.records.refusals):
            click.echo(f"  · {text}")
        if not (found.records.changes or found.records.kept or found.records.refusals):
            click.echo("  · they are as they should be")
    if found.by_hand:
        click.echo(f"DNS records to {found.hand_verb} where the zone of {found.host} is kept")
        for line in found.by_hand:
            click.echo(f"  {line}")


def _sign(before: object, after: object) -> str:
    if before is None:
        return "+"
    return "-" if after is None else "~"


def _values(before: object, after: object) -> str:
    return " -> ".join(json.dumps(one) for one in (before, after) if one is not None)
