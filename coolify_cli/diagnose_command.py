"""`coolify build diagnose`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from coolify_cli.completing import complete_deployment
from coolify_cli.options import config_options, json_option

if TYPE_CHECKING:
    from coolify.api import CoolifyClient
    from coolify.config import Config
    from coolify.finding import Finding

__all__ = ["diagnose"]


@click.command(epilog="Example: coolify build diagnose --json")
@click.argument("deployment", required=False, shell_complete=complete_deployment)
@config_options
@json_option
def diagnose(deployment: str | None, config: str, environment: str, *, as_json: bool) -> int:
    """Tell why a deployment failed, by default the latest one that did; changes nothing.

    Exits with 1 when no known cause fits its log.
    """
    from coolify_cli.output import print_findings, print_json, stdout_console
    from coolify_cli.reaching import load

    uuid, findings = asyncio.run(_diagnose(load(config, environment), deployment))
    if as_json:
        print_json({"deployment_uuid": uuid, "findings": [one.model_dump(mode="json") for one in findings]})
    elif findings:
        print_findings(stdout_console(), findings)
    else:
        click.echo(f"The log of {uuid} shows no known cause: read it with `coolify deploy logs {uuid}`.")
    return 0 if findings else 1


async def _diagnose(config: Config, uuid: str | None) -> tuple[str, tuple[Finding, ...]]:
    from coolify.build import diagnose as find_causes
    from coolify.errors import OperatorError
    from coolify_cli.reaching import connection_of

    async with connection_of(config).client() as client:
        uuid = uuid or await _latest_failed(client, config)
        lines = await client.deployments.log(uuid)
        if lines is None:
            raise OperatorError("The token may not read build logs: create one with read:sensitive.")
        causes = find_causes(line.output for line in lines if not line.hidden)
        return uuid, tuple(cause.finding(config.application_name) for cause in causes)


async def _latest_failed(client: CoolifyClient, config: Config) -> str:
    from coolify.api import DeploymentStatus
    from coolify.errors import OperatorError
    from coolify_cli.reaching import find_application

    application = await find_application(client, config)
    page = await client.deployments.for_application(application.uuid)
    for one in page.deployments:
        if one.status is DeploymentStatus.FAILED:
            return one.deployment_uuid
    raise OperatorError(f"None of the latest deployments of {config.application_name} failed.")
