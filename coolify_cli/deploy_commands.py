"""`coolify deploy`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from coolify_cli.completing import complete_deployment
from coolify_cli.options import (
    config_options,
    confirm,
    dry_run_option,
    json_option,
    local_option,
    no_input_option,
    override_option,
    yes_options,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coolify.api import CoolifyClient
    from coolify.api.models import Deployment, LogLine
    from coolify.config import Coordinates

__all__ = ["cancel", "logs", "start", "status"]

_NOT_SHOWN = {"logs", "id", "application_id", "updated_at"}
"""Fields of a deployment that are for its watchers alone."""


@click.command(epilog="Example: coolify deploy start --force")
@config_options
@click.option("--force", is_flag=True, help="Build without cache.")
@click.option("--commit", default="", metavar="SHA", help="Deploy this commit once (full sha; Coolify 4.2.0 or later).")
@click.option("--tag", default="", metavar="TAG", help="Deploy this tag of the image from now on.")
@click.option("--pr", type=click.IntRange(1), metavar="NUMBER", help="Deploy the preview of a pull request instead.")
@click.option("--wait/--no-wait", default=True, show_default=True, help="Follow the deployment, and check health.")
@click.option("--debug", is_flag=True, help="Show the hidden lines of the build log too.")
@override_option
@local_option
@dry_run_option
@no_input_option
@json_option
def start(
    config: str,
    environment: str,
    *,
    force: bool,
    commit: str,
    tag: str,
    pr: int | None,
    wait: bool,
    debug: bool,
    override: bool,
    local: bool,
    dry_run: bool,
    no_input: bool,
    as_json: bool,
) -> int:
    """Deploy the application as it is configured in Coolify, and prove that it is healthy.

    Nothing of the configuration file is written to Coolify, and nothing is rolled back: `coolify release` does both.
    Where a Prefect server is set, its deployment `deploy and check/deploy and check` is started there and followed.
    """
    from coolify_cli.output import print_json
    from coolify_cli.remote import run_on_server, runs_on_server, target_parameters
    from coolify_cli.running import check_configuration, run_quietly

    wanted = {"force": force, "commit": _full_sha(commit), "tag": tag, "pull_request": pr or 0, "wait": wait}
    wanted |= {"override": override}
    if runs_on_server(config, local=local) and not dry_run:
        parameters = {"request": {"target": target_parameters(config, environment), **wanted}}
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

    request = DeployRequest.model_validate({"target": Target(config=config, environment=environment), **wanted})
    result = run_quietly(
        lambda: deploy_and_check(request, return_state=True), quiet=as_json, no_input=no_input, debug=debug
    )
    if as_json:
        print_json(result.model_dump(mode="json"))
    elif result.healthy is None:
        click.echo(f"Deployment {result.deployment_uuid}: {result.reason}.")
    else:
        click.echo(f"Serving {result.commit[:12]}." if result.healthy else f"Not healthy: {result.reason}.")
    return 1 if result.healthy is False else 0


def _full_sha(commit: str) -> str:
    sha = commit.lower()
    if sha and not (len(sha) == 40 and set(sha) <= set("0123456789abcdef")):
        raise click.UsageError(f"--commit needs the full sha of 40 digits (`git rev-parse {commit}`).")
    return sha


@click.command(epilog="Example: coolify deploy cancel --yes")
@click.argument("deployment", required=False, shell_complete=complete_deployment)
@config_options
@dry_run_option
@yes_options
@json_option
def cancel(
    deployment: str | None, config: str, environment: str, *, dry_run: bool, yes: bool, no_input: bool, as_json: bool
) -> int:
    """Cancel a deployment that is queued or in progress, by default the application's; what served goes on serving.

    DEPLOYMENT may be of any application of the team, as one that is dead and holds up the queue. A release that
    follows the deployment ends and restores the configuration.
    """
    from coolify_cli.reaching import coordinates

    loaded = coordinates(config, environment)
    found = asyncio.run(_to_cancel(loaded, deployment))
    if not dry_run:
        what = f"the deployment {found.deployment_uuid} of {found.application_name}, {found.status.value}"
        confirm(f"Cancel {what}", yes=yes, no_input=no_input)
    cancelled = not dry_run and asyncio.run(_cancel(loaded, found.deployment_uuid))
    if as_json:
        from coolify_cli.output import print_json

        print_json({"deployment_uuid": found.deployment_uuid, "cancelled": cancelled, "dry_run": dry_run})
    elif dry_run:
        click.echo(f"Would cancel the deployment {found.deployment_uuid} of {found.application_name}.")
    else:
        click.echo(f"{found.deployment_uuid} {'was cancelled' if cancelled else 'had ended already'}.")
    return 0 if cancelled or dry_run else 1


async def _to_cancel(config: Coordinates, uuid: str | None) -> Deployment:
    from coolify_cli.reaching import ApplicationMissingError, connection_of, find_application

    async with connection_of(config).client() as client:
        if uuid is None:
            application = await find_application(client, config)
            active = await client.deployments.active(application.uuid)
            if active is None:
                raise ApplicationMissingError(f"No deployment of {config.application_name} is queued or in progress.")
            return active
        found = await client.deployments.get(uuid)
        if found.status.is_terminal:
            raise ApplicationMissingError(f"The deployment {uuid} has ended already: {found.status.value}.")
        return found


async def _cancel(config: Coordinates, uuid: str) -> bool:
    from coolify_cli.reaching import connection_of

    async with connection_of(config).client() as client:
        return await client.deployments.cancel(uuid)


@click.command(epilog="Example: coolify deploy status --limit 5")
@config_options
@click.option("--limit", type=click.IntRange(1, 100), default=10, show_default=True, help="How many to list.")
@json_option
def status(config: str, environment: str, limit: int, *, as_json: bool) -> int:
    """List the latest deployments, newest first. `finished` means built and started, not healthy."""
    from coolify_cli.output import print_json
    from coolify_cli.reaching import connection_of, coordinates, find_application

    loaded = coordinates(config, environment)

    async def read() -> Sequence[Deployment]:
        async with connection_of(loaded).client() as client:
            application = await find_application(client, loaded)
            return (await client.deployments.for_application(application.uuid, take=limit)).deployments

    deployments = asyncio.run(read())
    if as_json:
        print_json([one.model_dump(mode="json", exclude=_NOT_SHOWN) for one in deployments])
    else:
        _print_deployments(deployments)
    return 0


@click.command(epilog="Example: coolify deploy logs --follow")
@click.argument("deployment", required=False, shell_complete=complete_deployment)
@config_options
@click.option("--follow", "-f", is_flag=True, help="Go on until the deployment has ended.")
@click.option("--debug", "every", is_flag=True, help="Show the hidden lines too: real commands and their output.")
@json_option
def logs(deployment: str | None, config: str, environment: str, *, follow: bool, every: bool, as_json: bool) -> int:
    """Show the build log of a deployment, the latest one by default; exit with 1 when it failed or was cancelled."""
    from coolify_cli.reaching import coordinates

    loaded = coordinates(config, environment)
    return asyncio.run(_logs(loaded, deployment, follow=follow, every=every, as_json=as_json))


async def _application_uuid(config: str, environment: str) -> str:
    from coolify_cli.reaching import connection_of, coordinates, find_application

    loaded = coordinates(config, environment)
    async with connection_of(loaded).client() as client:
        return (await find_application(client, loaded)).uuid


async def _logs(config: Coordinates, uuid: str | None, *, follow: bool, every: bool, as_json: bool) -> int:
    from coolify.api.models import DeploymentStatus
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
            from coolify.api.watcher import LogLines

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
