"""`coolify health`."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

import click

from coolify_cli.options import config_options, json_option

if TYPE_CHECKING:
    from coolify.config import Config
    from coolify.health import GateResult

__all__ = ["check"]


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
