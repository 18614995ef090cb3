"""`coolify domain list` and `coolify domain verify`; both only look."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from coolify_cli.options import config_options, json_option

if TYPE_CHECKING:
    from coolify.config import Config
    from coolify.dns import DomainStatus, HostAddresses
    from coolify.plan import ListedDomain

__all__ = ["list_domains", "verify"]


@click.command("list", epilog="Example: coolify domain list --json")
@config_options
@json_option
def list_domains(config: str, environment: str, *, as_json: bool) -> int:
    """List the domains of the file and those that Coolify has, and where each leads now."""
    from coolify_cli.output import make_table, print_json, stdout_console
    from coolify_cli.reaching import load

    listed, found = asyncio.run(_listed(load(config, environment)))
    if as_json:
        print_json(
            [
                one.model_dump(mode="json") | {"addresses": found[one.host].all, "problem": found[one.host].failure}
                for one in listed
            ]
        )
    elif not listed:
        click.echo("There is no domain: neither in the file nor in Coolify.")
    else:
        rows = [
            (one.url, one.entry or "", _yes(one.in_file), _yes(one.in_coolify), _leads_to(found[one.host]))
            for one in listed
        ]
        stdout_console().print(make_table("URL", "Entry", "In the file", "In Coolify", "Leads to", rows=rows))
    return 0


@click.command(epilog="Example: coolify domain verify app.example.com --server 203.0.113.10")
@click.argument("hosts", nargs=-1, metavar="[HOST]...")
@config_options
@click.option(
    "--server",
    "servers",
    multiple=True,
    metavar="ADDRESS",
    help="Address or name that the domains should lead to; may be repeated. Asked from Coolify by default.",
)
@click.option("--ownership", is_flag=True, help="Demand the TXT record that proves that a domain is yours.")
@click.option("--no-ports", is_flag=True, help="Ask name servers only, and connect to no port.")
@click.option("--all", "show_all", is_flag=True, help="Show what is good as well.")
@click.option("--strict", is_flag=True, help="Exit with 1 for warnings as well.")
@json_option
def verify(
    hosts: tuple[str, ...],
    config: str,
    environment: str,
    *,
    servers: tuple[str, ...],
    ownership: bool,
    no_ports: bool,
    show_all: bool,
    strict: bool,
    as_json: bool,
) -> int:
    """Check whether domains lead to the server and can get certificates; exit with 1 when one cannot.

    Looks at addresses, aliases, delegation, every name server of the zone, public resolvers, CAA, DNSSEC, ownership,
    ports and redirects. Without HOST, all domains of the environment; any other can be named as well. With --server,
    Coolify is not asked.
    """
    from coolify.finding import Severity
    from coolify_cli.output import print_json
    from coolify_cli.reaching import load

    loaded = load(config, environment)
    chosen = tuple(dict.fromkeys(hosts or (domain.host for domain in loaded.domains)))
    if not chosen:
        raise click.UsageError(f"{loaded.path} has no domain in the environment {loaded.environment}: name one.")
    statuses = asyncio.run(_verified(loaded, chosen, servers, ports=not no_ports, ownership=ownership))
    if as_json:
        print_json([one.model_dump(mode="json") | {"ready": one.is_ready} for one in statuses])
    else:
        _print(statuses, show_all=show_all)
    limit = Severity.WARNING if strict else Severity.ERROR
    return 1 if any(finding.severity.rank >= limit.rank for one in statuses for finding in one.findings) else 0


async def _listed(config: Config) -> tuple[tuple[ListedDomain, ...], dict[str, HostAddresses]]:
    from coolify.dns import resolver_of
    from coolify.locating import find_application
    from coolify.plan import list_domains as domains_of
    from coolify.plan import stored_domains
    from coolify_cli.reaching import connection_of

    async with connection_of(config).client() as client:
        application = await find_application(client, config)
    listed = domains_of(config, stored_domains(application))
    resolver = resolver_of(config)
    hosts = tuple({one.host for one in listed})
    found = await asyncio.gather(*(resolver.addresses(host) for host in hosts))
    return listed, dict(zip(hosts, found, strict=True))


async def _verified(
    config: Config, hosts: tuple[str, ...], servers: tuple[str, ...], *, ports: bool, ownership: bool
) -> tuple[DomainStatus, ...]:
    from coolify.dns import check_hosts, resolver_of
    from coolify_cli.reaching import server_names

    resolver = resolver_of(config)
    server = await resolver.server_addresses(*(servers or await server_names(config)))
    return await check_hosts(config, hosts, server, resolver, ports=ports, require_ownership=ownership)


def _print(statuses: tuple[DomainStatus, ...], *, show_all: bool) -> None:
    from coolify.finding import Severity
    from coolify_cli.output import make_table, print_findings, stdout_console

    shown = {
        one.host: [finding for finding in one.findings if show_all or finding.severity.rank >= Severity.WARNING.rank]
        for one in statuses
    }
    console = stdout_console()
    rows = [
        (
            one.host,
            "\n".join(one.addresses) or "no address",
            "ready" if one.is_ready else "not ready",
            "\n".join(finding.name for finding in one.findings if finding.severity.rank >= Severity.WARNING.rank),
        )
        for one in statuses
    ]
    console.print(make_table("Host", "Leads to", "State", "Found", rows=rows))
    for findings in shown.values():
        print_findings(console, findings)


def _leads_to(found: HostAddresses) -> str:
    return ", ".join(found.all) or (str(found.failure) if found.failure else "no address")


def _yes(value: object) -> str:
    return "yes" if value else "no"
