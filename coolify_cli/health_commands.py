"""`coolify health`: what counts as healthy, and whether it is."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Final

import click

from coolify_cli.options import config_options, dry_run_option, json_option
from coolify_cli.section_edits import NONE, NumberOrNone, given_settings, write_section

if TYPE_CHECKING:
    from coolify.config import Config
    from coolify.config.writer import Plain
    from coolify.health import GateResult

__all__ = ["check", "configure"]

_PLACES: Final = {"version_path": ("version", "path"), "container": ("container", "enabled")}
"""Option -> keys below `health`, where they are not its name."""
_SECONDS: Final = NumberOrNone("seconds")
_NUMBER: Final = NumberOrNone("number")


@click.command(epilog="Example: coolify health configure --path /health --successes 3 --version-path /version")
@click.option("--path", metavar="PATH", help="Path to probe under every domain.")
@click.option(
    "--expect", type=NumberOrNone("status"), multiple=True, help="HTTP status code that counts as success; repeat it."
)
@click.option("--body", metavar="TEXT", help="Text that the body must hold.")
@click.option("--timeout", type=_SECONDS, help="How long one probe may take.")
@click.option("--interval", type=_SECONDS, help="Time between probes.")
@click.option("--successes", type=_NUMBER, help="Successes in a row that open the gate.")
@click.option("--failures-allowed", type=_NUMBER, help="Failures after which the gate closes.")
@click.option("--deadline", type=_SECONDS, help="Time after which the gate closes for good.")
@click.option("--warm-up", type=_SECONDS, help="Time after the deployment in which failures do not count.")
@click.option("--soak", type=_SECONDS, help="Time that the good answers in a row have to span at least.")
@click.option("--p95", type=_SECONDS, help="Time within which 95 of 100 of the good answers have to come.")
@click.option("--version-path", metavar="PATH", help="Path that tells the deployed commit: proof of the new version.")
@click.option("--container/--no-container", default=None, help="Let Docker check inside the server as well.")
@config_options
@dry_run_option
@json_option
def configure(
    config: str, environment: str, *, expect: tuple[Plain, ...], dry_run: bool, as_json: bool, **given: Plain
) -> int:
    """Set when a new version counts as healthy; only what is given changes, `none` removes a setting.

    More probes (TCP, TLS, commands, JSON) are written in the file: `health.probes`.
    """
    values: dict[tuple[str, ...], Plain] = {}
    for (name,), value in given_settings(given).items():
        values[_PLACES.get(name, (name,))] = value
    if given["version_path"] == NONE:
        # Without its path the rest of the proof makes no sense.
        values[("version",)] = values.pop(_PLACES["version_path"])
    if expect:
        values[("expect",)] = None if expect == (NONE,) else list(expect)
    return write_section("health", values, config, environment, dry_run=dry_run, as_json=as_json)


@click.command(epilog="Example: coolify health check --environment staging")
@config_options
@json_option
def check(config: str, environment: str, *, as_json: bool) -> int:
    """Ask every domain at every address until the health gate is decided; exit with 1 when it does not pass.

    Needs no access to Coolify: it sees what visitors see.
    """
    from coolify.health.application import has_questions
    from coolify_cli.output import print_findings, print_json, stdout_console
    from coolify_cli.reaching import load

    loaded = load(config, environment)
    if not has_questions(loaded):
        raise click.UsageError(
            f"{loaded.path} has nothing to ask in the environment {loaded.environment}: add a domain."
        )
    result = asyncio.run(_check(loaded))
    if as_json:
        findings = [finding.model_dump(mode="json") for finding in result.findings()]
        print_json({"passed": result.passed, "reason": result.reason, "findings": findings})
    else:
        console = stdout_console()
        print_findings(console, result.findings())
        style, symbol = ("green", "✓") if result.passed else ("red", "✗")
        console.print(f"[{style}]{symbol} {result.reason}[/]", highlight=False)
    return 0 if result.passed else 1


async def _check(config: Config) -> GateResult:
    from coolify.config import ConfigError, resolve_variables
    from coolify.dns import resolver_of
    from coolify.health.application import ask_application
    from coolify.redaction import Redaction, secrets_of
    from coolify.security import resolve_security

    login = resolve_security(config, os.environ).login
    try:
        variables = resolve_variables(config, os.environ)
    except ConfigError:
        # What is not set here cannot be shown either, and visitors need no variables to ask.
        variables = ()
    redact = Redaction(secrets_of(config, variables, os.environ))
    return await ask_application(config, resolver_of(config), None, login=login, redact=redact)
