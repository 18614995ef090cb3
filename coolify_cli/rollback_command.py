"""`coolify rollback`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from coolify_cli.options import config_options, json_option

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State

__all__ = ["rollback"]


@click.command(epilog="Example: coolify rollback 12 --yes")
@click.argument("version", default="previous")
@config_options
@click.option("--yes", "-y", is_flag=True, help="Do not ask for confirmation.")
@json_option
def rollback(version: str, config: str, environment: str, *, yes: bool, as_json: bool) -> int:
    """Bring back an earlier release: image, settings and variables; databases are left alone.

    VERSION is `previous` (the default), the number of a release, or the beginning of a commit or an image tag.
    """
    from coolify_cli.running import check_configuration, quiet_prefect, run_and_report

    check_configuration(config, environment)
    if not yes:
        click.confirm(f"Roll back to {version}? The running version is replaced", abort=True)
    quiet_prefect()
    from flows.rollback import RollbackRequest
    from flows.rollback import rollback as rollback_flow
    from tasks.session import Target

    request = RollbackRequest(target=Target(config=config, environment=environment), version=version)

    async def run() -> State[Any]:
        return await rollback_flow(request, return_state=True)

    return run_and_report(run, as_json=as_json)
