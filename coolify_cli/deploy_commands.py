"""`coolify deploy`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from coolify_cli.completing import complete_deployment
from coolify_cli.options import config_options, dry_run_option, json_option, local_option, no_input_option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coolify.api import CoolifyClient
    from coolify.api.models import Deployment, LogLine
    from coolify.config import Config

__all__ = ["logs", "start", "status"]


@click.command(epilog="Example: coolify deploy start --force")
@config_options
@click.option("--force", is_flag=True, help="Build without cache.")
@local_option
@dry_run_option
@no_input_option
@json_option
def start(
    config: str, environment: str, *, force: bool, local: bool, dry_run: bool, no_input: bool, as_json: bool
) -> int:
    """Deploy the application as it is configured in Coolify, and prove that it is healthy.

    Nothing of the configuration file is written to Coolify, and nothing is rolled back: `coolify release` does both.
    Where a Prefect server is set, its deployment `deploy and check/deploy and check` is started there and followed.
    """
    from coolify_cli.output import print_json
    from coolify_cli.remote import run_on_server, runs_on_server, target_parameters
    from coolify_cli.running import check_configuration, run_quietly

    if runs_on_server(config, local=local) and not dry_run:
        parameters = {"request": {"target": target_parameters(config, environment), "force": force}}
        return run_on_server("deploy and check/deploy and check", parameters, no_input=no_input, as_json=as_json)
    check_configuration(config, environment)
    uuid = asyncio.run(_application_uuid(config, environment))
    if dry_run:
        if as_json:
            print_json({"application_uuid": uuid, "dry_run": True})
        else:
            click.echo(f"Would deploy the application {uuid}.")
        return 0
    from flows.deploy_and_check import DeployRequest, deploy_and_check
    from tasks.session import Target

    request = DeployRequest(target=Target(config=config, environment=environment), force=force)
    result = run_quietly(lambda: deploy_and_check(request, return_state=True), quiet=as_json, no_input=no_input)
    if as_json:
        print_json(result.model_dump(mode="json"))
    else:
        click.echo(f"Serving {result.commit[:12]}." if result.healthy else f"Not healthy: {result.reason}.")
    return 0 if result.healthy else 1


@click.command(epilog="Example: coolify deploy status --limit 5")
@config_options
@click.option("--limit", type=click.IntRange(1, 100), default=10, show_default=True, help="How many to list.")
@json_option
def status(config: str, environment: str, limit: int, *, as_json: bool) -> int:
    """List the latest deployments, newest first. `finished` means built and started, not healthy."""
    from coolify_cli.output import print_json
    from coolify_cli.reaching import connection_of, find_application, load

    loaded = load(config, environment)

    async def read() -> Sequence[Deployment]:
        async with connection_of(loaded).client() as client:
            application = await find_application(client, loaded)
            return (await client.deployments.for_application(application.uuid, take=limit)).deployments

    deployments = asyncio.run(read())
    if as_json:
        print_json([one.model_dump(mode="json", exclude={"logs"}) for one in deployments])
    else:
        _print_deployments(deployments)
    return 0


@click.command(epilog="Example: coolify deploy logs --follow")
@click.argument("deployment", required=False, shell_complete=complete_deployment)
@config_options
@click.option("--follow", "-f", is_flag=True, help="Go on until the deployment has ended.")
@click.option("--all", "every", is_flag=True, help="Show hidden lines too.")
@json_option
def logs(deployment: str | None, config: str, environment: str, *, follow: bool, every: bool, as_json: bool) -> int:
    """Show the build log of a deployment, the latest one by default; exit with 1 when it failed or was cancelled."""
    from coolify_cli.reaching import load

    loaded = load(config, environment)
    return asyncio.run(_logs(loaded, deployment, follow=follow, every=every, as_json=as_json))


async def _application_uuid(config: str, environment: str) -> str:
    from coolify_cli.reaching import connection_of, find_application, load

    loaded = load(config, environment)
    async with connection_of(loaded).client() as client:
        return (await find_application(client, loaded)).uuid


async def _logs(config: Config, uuid: str | None, *, follow: bool, every: bool, as_json: bool) -> int:
    from coolify.api import DeploymentStatus, LogLines
    from coolify_cli.output import print_json
    from coolify_cli.reaching import ApplicationMissingError, connection_of, find_application

    async with connection_of(config).client() as client:
        if uuid is None:
            application = await find_application(client, config)
            page = await client.deployments.for_application(application.uuid, take=1)
            if not page.deployments:
                raise ApplicationMissingError(f"{config.application_name} was never deployed: run `coolify release`.")
            uuid = page.deployments[0].deployment_uuid
        last = await client.deployments.get(uuid)
        if follow:
            async for event in client.deployments.follow(uuid, logs=not as_json, interval=2.0, timeout=None):
                if isinstance(event, LogLines):
                    _print_lines(_visible(event.lines, every=every))
                else:
                    last = event.deployment
        if as_json:
            lines = [line.model_dump(mode="json") for line in _visible(await _read_log(client, uuid), every=every)]
            print_json({"deployment_uuid": uuid, "status": last.status.value, "lines": lines})
        elif not follow:
            _print_lines(_visible(await _read_log(client, uuid), every=every))
        if not as_json:
            click.echo(f"-- {uuid} {last.status.value}", err=True)
    unsuccessful = last.status.is_terminal and last.status is not DeploymentStatus.FINISHED
    return 1 if unsuccessful else 0


async def _read_log(client: CoolifyClient, uuid: str) -> tuple[LogLine, ...]:
    from coolify.errors import OperatorError

    lines = await client.deployments.log(uuid)
    if lines is None:
        raise OperatorError("The token may not read build logs: create one with read:sensitive.")
    return lines


def _visible(lines: tuple[LogLine, ...], *, every: bool) -> tuple[LogLine, ...]:
    return tuple(line for line in lines if every or not line.hidden)


def _print_lines(lines: tuple[LogLine, ...]) -> None:
    for line in lines:
        click.echo(line.output.rstrip("\n"))


def _print_deployments(deployments: Sequence[Deployment]) -> None:
    from coolify_cli.output import make_table, stdout_console

    if not deployments:
        click.echo("Never deployed yet.")
        return
    rows = [
        (
            one.status.value,
            f"{one.commit[:12]} {(one.commit_message or '').splitlines()[0] if one.commit_message else ''}".strip(),
            "rollback" if one.rollback else "restart" if one.restart_only else "",
            one.created_at.strftime("%Y-%m-%d %H:%M") if one.created_at else "",
            one.deployment_uuid,
        )
        for one in deployments
    ]
    stdout_console().print(make_table("Status", "Commit", "Kind", "When (UTC)", "Deployment", rows=rows))
