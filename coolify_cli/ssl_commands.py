"""`coolify ssl`."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from coolify_cli.options import config_options, confirm, dry_run_option, json_option, yes_options

if TYPE_CHECKING:
    from coolify.config import Config
    from coolify.tls import CertificateRow, HostCertificates, HostStatus, Renewals

__all__ = ["enable", "renew", "status"]


def _host_names(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    """Check the hosts of a call; each counts once."""
    from pydantic import TypeAdapter, ValidationError

    from coolify.config.fields import HostName

    names = []
    for value in values:
        try:
            names.append(TypeAdapter(HostName).validate_python(value))
        except ValidationError as error:
            reason = error.errors()[0]["msg"].removeprefix("Value error, ")
            raise click.BadParameter(f"{value}: {reason}", context, parameter) from None
    return tuple(dict.fromkeys(names))


_hosts_argument = click.argument("hosts", nargs=-1, metavar="[HOST]...", callback=_host_names)


@click.command(epilog="Example: coolify ssl status --json")
@_hosts_argument
@config_options
@click.option("--strict", is_flag=True, help="Exit with 1 for warnings as well.")
@json_option
def status(hosts: tuple[str, ...], config: str, environment: str, *, strict: bool, as_json: bool) -> int:
    """Show what every address of every HTTPS domain serves; exit with 1 when something is wrong.

    Any other HOST can be named as well. Needs no access to Coolify: it sees what visitors see.
    """
    from coolify.tls import TlsPolicy, host_status, hosts_of
    from coolify_cli.output import print_json

    loaded = _configuration(config, environment, hosts)
    seen = asyncio.run(_look(loaded, hosts or hosts_of(loaded)))
    now = datetime.now(UTC)
    statuses = [host_status(one, TlsPolicy(), now) for one in seen]
    if as_json:
        print_json([one.model_dump(mode="json") for one in statuses])
    else:
        _print_statuses(statuses)
    told = [finding for one in statuses for finding in one.problems]
    return 1 if any(strict or one.is_problem for one in told) else 0


@click.command(epilog="Example: coolify ssl enable app.example.com")
@_hosts_argument
@config_options
@dry_run_option
@yes_options
@json_option
def enable(
    hosts: tuple[str, ...], config: str, environment: str, *, dry_run: bool, yes: bool, no_input: bool, as_json: bool
) -> int:
    """Serve domains over HTTPS: in the configuration file, in Coolify, and as visitors see it.

    Restarts the application with its new routes, waits for real certificates, and tells meanwhile what may keep the
    authority from issuing them. Without HOST, all domains of the environment.
    """
    from coolify.config import ConfigDocument, edit_config
    from coolify.plan import https_edits
    from coolify.tls import hosts_of
    from coolify_cli.output import print_json
    from coolify_cli.reaching import load

    loaded = load(config, environment)
    chosen = hosts_of(loaded, hosts, only_secure=False)
    if not chosen:
        raise click.UsageError(f"{loaded.path} has no domain in the environment {loaded.environment}.")
    edits = edit_config(
        loaded.path,
        https_edits(loaded, ConfigDocument.open(loaded.path), chosen),
        environment=environment or None,
        dry_run=True,
    )
    if not as_json:
        for edit in edits:
            click.echo(f"{loaded.path}: {edit.path}: false -> true")
    if dry_run:
        if as_json:
            print_json({"hosts": chosen, "edits": [edit.path for edit in edits], "dry_run": True})
        else:
            click.echo(f"Would serve {', '.join(chosen)} over HTTPS and restart {loaded.application_name}.")
        return 0
    confirm(
        f"Serve {', '.join(chosen)} over HTTPS, restarting {loaded.application_name} ({loaded.environment}) if needed",
        yes=yes,
        no_input=no_input,
    )
    result = _enable(config, environment, chosen, quiet=as_json, no_input=no_input)
    if as_json:
        print_json(result.model_dump(mode="json"))
    else:
        click.echo(f"{', '.join(result.hosts)}: {result.summary}")
    return 0 if result.valid else 1


@click.command(epilog="Example: coolify ssl renew --dry-run")
@_hosts_argument
@config_options
@click.option("--proxy", is_flag=True, help="Restart the proxy as well where the application's restart does not help.")
@click.option("--force", is_flag=True, help="Try it also where nothing is due, or where something seems to hinder it.")
@click.option(
    "--wait", type=click.FloatRange(0, 3600), default=90.0, show_default=True, help="Seconds to wait for each means."
)
@dry_run_option
@yes_options
@json_option
def renew(
    hosts: tuple[str, ...],
    config: str,
    environment: str,
    *,
    proxy: bool,
    force: bool,
    wait: float,
    dry_run: bool,
    yes: bool,
    no_input: bool,
    as_json: bool,
) -> int:
    """Renew the certificates that are due, and prove it by their serial numbers.

    A proxy renews by itself. A certificate is due when it did not: less than a quarter of the lifetime is left, there
    is none, or the time that the authority suggested is over. What can be triggered is a restart of the application
    and, with --proxy, of the proxy; each is told with its consequence first.
    """
    from coolify.tls import Renewal, hosts_of
    from coolify_cli.output import print_json
    from coolify_cli.reaching import load

    loaded = load(config, environment)
    chosen = hosts_of(loaded, hosts)
    judged = _judge_renewals(loaded, chosen, force=force)
    due = [one for one in judged.hosts if one.result is Renewal.DUE]
    if not as_json:
        for line in [f"{one.subject}: {one.reason}" for one in judged.hosts] or [judged.summary]:
            click.echo(line)
    if dry_run or not due:
        if as_json:
            print_json(judged.model_dump(mode="json") | ({"dry_run": True} if dry_run else {}))
        return 1 if len(judged.open) > len(due) else 0
    _confirm_consequences(loaded, [one.subject for one in due], proxy=proxy, yes=yes, no_input=no_input)
    result = _renew(config, environment, chosen, proxy=proxy, force=force, wait=wait, quiet=as_json)
    if as_json:
        print_json(result.model_dump(mode="json"))
    else:
        _print_renewals(result)
    return 1 if result.open else 0


def _judge_renewals(config: Config, hosts: tuple[str, ...], *, force: bool) -> Renewals:
    """Return which hosts are due, and what is to be said about the others."""
    from coolify.tls import Renewal, Renewals, TlsPolicy, host_renewal, undue_renewal, why_due

    now, policy, name = datetime.now(UTC), TlsPolicy(), config.application_name
    rows = []
    for one in asyncio.run(_look(config, hosts)):
        why = why_due(one, policy, now) or ("Renewal was asked for." if force else None)
        rows.append(
            host_renewal(one, one, name, Renewal.DUE, why, now) if why else undue_renewal(one, name, policy, now)
        )
    return Renewals(hosts=tuple(rows))


def _configuration(config: str, environment: str, hosts: tuple[str, ...]) -> Config:
    """Return the configuration; where there is none, one that only says how the named hosts are reached."""
    from coolify.config import DEFAULT_PATH, Config, ConfigError, Project, find_config
    from coolify_cli.reaching import load

    try:
        find_config(Path(config))
    except ConfigError:
        if not hosts or Path(config) != DEFAULT_PATH:
            raise
        return Config(server="https://unknown.invalid", project=Project(name="none"))
    return load(config, environment)


async def _look(config: Config, hosts: tuple[str, ...]) -> tuple[HostCertificates, ...]:
    from coolify.dns import resolver_of
    from coolify.tls import inspect_hosts

    return await inspect_hosts(config, resolver_of(config), hosts, detailed=True)


def _confirm_consequences(config: Config, due: list[str], *, proxy: bool, yes: bool, no_input: bool) -> None:
    """Ask for each means with what it does to visitors."""
    name = f"{config.application_name} ({config.environment})"
    confirm(
        f"Restart {name} for {', '.join(due)}: its containers are replaced, one after the other where Coolify can",
        yes=yes,
        no_input=no_input,
    )
    if proxy:
        neighbours = asyncio.run(_neighbours(config))
        confirm(
            f"Restart the proxy if that does not help: {', '.join(neighbours)} lose their connections for some seconds",
            yes=yes,
            no_input=no_input,
        )


async def _neighbours(config: Config) -> tuple[str, ...]:
    """Return the names of what the server's proxy serves.

    Raises:
        UnsupportedVersionError: Coolify cannot restart a proxy.
    """
    from coolify.api import Feature
    from coolify_cli.reaching import connection_of, find_application

    async with connection_of(config).client() as client:
        (await client.capabilities()).require(Feature.SERVER_ADMINISTRATION)
        application = await find_application(client, config)
        if application.server_uuid is None:
            return (application.name,)
        return tuple(sorted(one.name for one in await client.servers.resources(application.server_uuid)))


def _enable(config: str, environment: str, hosts: tuple[str, ...], *, quiet: bool, no_input: bool) -> Any:  # noqa: ANN401 - what the flow returns
    from coolify_cli.running import check_configuration, run_quietly

    check_configuration(config, environment)
    from flows.enable_certificates import EnableRequest, enable_certificates
    from tasks.session import Target

    request = EnableRequest(target=Target(config=config, environment=environment), hosts=hosts)
    return run_quietly(lambda: enable_certificates(request, return_state=True), quiet=quiet, no_input=no_input)


def _renew(
    config: str, environment: str, hosts: tuple[str, ...], *, proxy: bool, force: bool, wait: float, quiet: bool
) -> Renewals:
    from coolify_cli.running import check_configuration, run_quietly

    check_configuration(config, environment)
    from flows.renew_certificates import RenewRequest, renew_certificates
    from tasks.session import Target

    target = Target(config=config, environment=environment)
    request = RenewRequest(targets=(target,), hosts=hosts, force=force, restart_proxy=proxy, wait_seconds=wait)
    result: Renewals = run_quietly(lambda: renew_certificates(request, return_state=True), quiet=quiet)
    return result


def _print_statuses(statuses: list[HostStatus]) -> None:
    from coolify_cli.output import make_table, print_findings, stdout_console

    console = stdout_console()
    if not statuses:
        console.print("No domain is served over HTTPS.")
        return
    rows = [(one.host, *_cells(row), _names(one)) for one in statuses for row in one.addresses]
    rows += [(one.host, "none", "", "", "", _names(one)) for one in statuses if not one.addresses]
    console.print(make_table("Host", "Address", "Issuer", "Days left", "Protocol", "Problems", rows=rows))
    for one in statuses:
        print_findings(console, one.problems)


def _cells(row: CertificateRow) -> tuple[str, str, str, str]:
    left = "" if row.days_left is None else f"{row.days_left} ({row.life_left:.0%})"
    return row.address, row.issuer or "", left, " ".join(part for part in (row.protocol, row.alpn) if part)


def _names(status: HostStatus) -> str:
    return "\n".join(dict.fromkeys(one.name for one in status.problems)) or "none"


def _print_renewals(renewals: Renewals) -> None:
    from coolify_cli.output import make_table, stdout_console

    rows = [
        (
            one.subject,
            one.result.value,
            "" if one.days_left is None else str(one.days_left),
            one.serial_before or "",
            one.serial_after or "",
            one.reason,
        )
        for one in renewals.hosts
    ]
    console = stdout_console()
    console.print(make_table("Host", "Result", "Days left", "Serial before", "Serial after", "Reason", rows=rows))
