"""`coolify security`: headers, limits and access, set in the configuration file and seen from the outside."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any, Final

import click

from coolify_cli.options import config_options, dry_run_option, json_option
from coolify_cli.section_edits import NONE, write_section

if TYPE_CHECKING:
    from coolify.config import Config
    from coolify.finding import Finding

__all__ = ["check", "configure"]

_PLACES: Final = {
    "csp": ("headers", "content_security_policy"),
    "frame_options": ("headers", "frame_options"),
    "referrer_policy": ("headers", "referrer_policy"),
    "permissions_policy": ("headers", "permissions_policy"),
    "hsts_max_age": ("headers", "hsts", "max_age"),
    "hsts_subdomains": ("headers", "hsts", "subdomains"),
    "hsts_preload": ("headers", "hsts", "preload"),
    "nosniff": ("headers", "nosniff"),
    "cors_credentials": ("cors", "credentials"),
    "rate_limit": ("rate_limit", "average"),
    "burst": ("rate_limit", "burst"),
    "period": ("rate_limit", "period"),
    "max_body": ("max_body",),
    "required": ("required",),
}
"""Option -> key below `security`."""
_WHOLE: Final = {"rate_limit": ("rate_limit",), "cors_origin": ("cors",), "hsts_max_age": ("headers", "hsts")}
"""Option that removes more than its own key, which the rest would make no sense without."""
_LISTS: Final = {"cors_origin": ("cors", "origins"), "cors_method": ("cors", "methods"), "allow": ("allow_list",)}


@click.command(epilog="Example: coolify security configure --preset moderate --rate-limit 100 --dry-run")
@click.option("--preset", type=click.Choice(["moderate", "strict"]), help="Headers to start from.")
@click.option("--csp", metavar="POLICY", help="Content-Security-Policy.")
@click.option("--frame-options", type=click.Choice(["deny", "sameorigin", NONE]), help="Who may frame the pages.")
@click.option("--referrer-policy", metavar="POLICY", help="What other sites learn about where visitors come from.")
@click.option("--permissions-policy", metavar="POLICY", help="Features of the browser, as in 'camera=()'.")
@click.option("--hsts-max-age", metavar="SECONDS", help="How long browsers insist on HTTPS.")
@click.option("--hsts-subdomains/--no-hsts-subdomains", default=None, help="Insist for all subdomains too.")
@click.option("--hsts-preload/--no-hsts-preload", default=None, help="Let browsers build the host into their lists.")
@click.option("--nosniff/--no-nosniff", default=None, help="Take content types as they are told.")
@click.option("--header", multiple=True, metavar="NAME=VALUE", help="Another header; an empty value removes one.")
@click.option("--cors-origin", multiple=True, metavar="ORIGIN", help="Site whose scripts may read answers; repeat it.")
@click.option("--cors-method", multiple=True, metavar="METHOD", help="Method that they may use; repeat it.")
@click.option("--cors-credentials/--no-cors-credentials", default=None, help="Let them send cookies and logins.")
@click.option("--rate-limit", metavar="REQUESTS", help="Requests a period from one address.")
@click.option("--burst", metavar="REQUESTS", help="Requests that may come at once.")
@click.option("--period", metavar="SECONDS", help="Length of the period, 1 by default.")
@click.option("--allow", multiple=True, metavar="CIDR", help="Address or network that is let in; repeat it.")
@click.option("--max-body", metavar="SIZE", help="Largest body of a request, as in 10Mi.")
@click.option("--basic-auth", metavar="NAME=VARIABLE", help="User, and the variable that holds the password.")
@click.option("--ports", metavar="PORTS", help="Ports that the server is to have open, as in 22,80,443.")
@click.option("--required/--not-required", default=None, help="Fail a release whose headers do not arrive.")
@config_options
@dry_run_option
@json_option
def configure(config: str, environment: str, *, dry_run: bool, as_json: bool, **given: object) -> int:
    """Set headers, limits and access in the file; only what is given changes, `none` removes a setting.

    Options go before the preset. Nothing happens in Coolify until `coolify release` or `coolify apply`.
    """
    return write_section("security", _values(given), config, environment, dry_run=dry_run, as_json=as_json)


@click.command(epilog="Example: coolify security check --probe-limits --ports 1-1024")
@config_options
@click.option("--probe-limits", is_flag=True, help="Also exceed the rate limit and the body size, once each.")
@click.option("--ports", metavar="PORTS", help="Ports of the server to try, as in 1-1024,5432; the usual ones else.")
@click.option("--no-ports", is_flag=True, help="Do not look for open ports.")
@json_option
def check(
    config: str, environment: str, *, probe_limits: bool, ports: str | None, no_ports: bool, as_json: bool
) -> int:
    """Compare what visitors get with the section `security`; exit with 1 when something is wrong.

    With `security.ports`, or --ports, the server's own addresses are tried for open ports as well. Coolify is asked
    for that, and where a proxy without the application seems to answer. --probe-limits is felt by the application:
    it sends a burst of requests and one large body.
    """
    from coolify.finding import Severity, worst
    from coolify_cli.output import print_findings, print_json, stdout_console
    from coolify_cli.reaching import load

    loaded = load(config, environment)
    scan = not no_ports and bool(ports or loaded.security.ports)
    if not loaded.domains and not scan:
        raise click.UsageError(f"{loaded.path} has no domain to ask in the environment {loaded.environment}.")
    findings = asyncio.run(_check(loaded, probe_limits=probe_limits, asked=_ports(ports), scan=scan))
    passed = worst(findings) is not Severity.ERROR
    if as_json:
        print_json({"passed": passed, "findings": [finding.model_dump(mode="json") for finding in findings]})
    else:
        print_findings(stdout_console(), findings)
    return 0 if passed else 1


async def _check(
    config: Config, *, probe_limits: bool, asked: tuple[int, ...] | None, scan: bool
) -> tuple[Finding, ...]:
    from coolify.dns import resolver_of
    from coolify.errors import OperatorError
    from coolify.security import resolve_security
    from coolify.security.absence import Standing, standing_of
    from coolify.security.check import LimitProbes, check_security
    from coolify.security.ports import WELL_KNOWN_PORTS, check_ports
    from coolify_cli.reaching import connection_of, server_names

    async def standing() -> Standing:
        try:
            async with connection_of(config).client() as client:
                return await standing_of(client, config)
        except OperatorError as error:
            return Standing.unknown(error)

    resolver = resolver_of(config)
    wanted = resolve_security(config, os.environ)
    probes = LimitProbes(rate=probe_limits, body=probe_limits)
    findings = await check_security(config, wanted, resolver, probes, standing)
    if scan:
        addresses = (await resolver.server_addresses(*await server_names(config))).addresses
        if not addresses:
            raise click.ClickException("The server's name leads to no address: enter its public one in Coolify.")
        findings += await check_ports(addresses, config.security.ports, asked or WELL_KNOWN_PORTS)
    return findings


def _ports(text: str | None) -> tuple[int, ...] | None:
    from coolify.security.ports import parse_ports

    if text is None:
        return None
    try:
        return parse_ports(text)
    except ValueError as error:
        raise click.UsageError(f"--ports: {error}.") from None


def _values(given: dict[str, Any]) -> dict[tuple[str, ...], Any]:
    """Return keys below `security` and their values, None to remove one."""
    from coolify.security.presets import PRESETS

    values: dict[tuple[str, ...], Any] = dict(PRESETS[given["preset"]]) if given["preset"] else {}
    for option, keys in (_PLACES | _LISTS).items():
        value = given[option]
        if value in {NONE, (NONE,)}:
            values[_WHOLE.get(option, keys)] = None
        elif value is not None and value != ():
            values[keys] = _plain(value)
    for header in given["header"]:
        name, separator, value = header.partition("=")
        if not separator:
            raise click.UsageError(f"--header {header}: write NAME=VALUE.")
        values["headers", "custom", name.strip()] = None if value == NONE else value.strip()
    if given["basic_auth"]:
        values["basic_auth",] = _login(given["basic_auth"])
    if given["ports"]:
        values["ports",] = None if given["ports"] == NONE else list(_ports(given["ports"]) or ())
    return values


def _plain(value: str | bool | tuple[str, ...]) -> str | int | bool | list[str]:
    if isinstance(value, tuple):
        return list(value)
    return int(value) if isinstance(value, str) and value.isdigit() else value


def _login(text: str) -> dict[str, Any] | None:
    if text == NONE:
        return None
    name, _, variable = text.partition("=")
    if not (variable.isidentifier() and variable.isascii()):
        raise click.UsageError("--basic-auth: write NAME=VARIABLE, with the variable that holds the password.")
    return {"users": [{"name": name, "password": f"${{{variable}}}"}]}
