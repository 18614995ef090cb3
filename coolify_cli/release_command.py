"""`coolify release`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from coolify_cli.options import config_options, json_option

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State

__all__ = ["release"]


@click.command(epilog="Example: coolify release --environment staging")
@config_options
@click.option("--force", is_flag=True, help="Deploy without cache even if nothing has changed.")
@json_option
def release(config: str, environment: str, *, force: bool, as_json: bool) -> int:
    """Release the application through every phase.

    Brings project, application, variables and domains to what the configuration file says, deploys, proves health
    and certificates from the outside, and rolls back when that fails. Running it twice changes nothing.
    """
    from coolify_cli.running import check_configuration, quiet_prefect, run_and_report

    check_configuration(config, environment)
    quiet_prefect()
    from flows.release import ReleaseRequest
    from flows.release import release as release_flow
    from tasks.session import Target

    request = ReleaseRequest(target=Target(config=config, environment=environment), force=force)

    async def run() -> State[Any]:
        return await release_flow(request, return_state=True)

    return run_and_report(run, as_json=as_json)
