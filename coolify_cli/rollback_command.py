"""`coolify rollback`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from coolify_cli.completing import complete_release
from coolify_cli.options import config_options, confirm, json_option, local_option, yes_options

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State

__all__ = ["rollback"]


@click.command(epilog="Example: coolify rollback 12 --yes")
@click.argument("version", default="previous", shell_complete=complete_release)
@config_options
@local_option
@yes_options
@json_option
def rollback(
    version: str, config: str, environment: str, *, local: bool, yes: bool, no_input: bool, as_json: bool
) -> int:
    """Bring back an earlier release: image, settings and variables; databases are left alone.

    VERSION is `previous` (the default), the number of a release, or the beginning of a commit or an image tag.

    Where a Prefect server is set, its deployment `rollback/rollback` is started there and followed.
    """
    from coolify_cli.remote import run_on_server, runs_on_server, target_parameters

    on_server = runs_on_server(config, local=local)
    if not on_server:
        from coolify_cli.running import check_configuration

        check_configuration(config, environment)
    confirm(f"Roll back to {version}? The running version is replaced", yes=yes, no_input=no_input)
    if on_server:
        request = {"target": target_parameters(config, environment), "version": version}
        return run_on_server("rollback/rollback", {"request": request}, no_input=no_input, as_json=as_json)
    return _roll_back_here(version, config, environment, no_input=no_input, as_json=as_json)


def _roll_back_here(version: str, config: str, environment: str, *, no_input: bool, as_json: bool) -> int:
    from coolify_cli.running import run_and_report
    from flows.rollback import RollbackRequest
    from flows.rollback import rollback as rollback_flow
    from tasks.session import Target

    request = RollbackRequest(target=Target(config=config, environment=environment), version=version)

    async def run() -> State[Any]:
        return await rollback_flow(request, return_state=True)

    return run_and_report(run, as_json=as_json, no_input=no_input)
