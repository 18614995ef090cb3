"""`coolify rollback`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import click

from coolify.whoami import this_operator
from coolify_cli.completing import complete_release
from coolify_cli.options import config_options, confirm, dry_run_option, json_option, local_option, yes_options
from coolify_cli.sets import refuse_single, refuse_without_all, roll_back_set, set_options

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State

__all__ = ["rollback"]


@click.command(epilog="Example: coolify rollback 12 --yes")
@click.argument("version", default="previous", shell_complete=complete_release)
@config_options
@click.option("--why", default="", metavar="TEXT", help="Why, for report and history.")
@set_options
@local_option
@dry_run_option
@yes_options
@json_option
def rollback(
    version: str,
    config: str,
    environment: str,
    *,
    why: str,
    every: bool,
    set_file: str,
    local: bool,
    dry_run: bool,
    yes: bool,
    no_input: bool,
    as_json: bool,
) -> int:
    """Bring back an earlier release: image, settings and variables; databases are left alone.

    VERSION is `previous` (the default), the number of a release, the beginning of a commit or an image tag, or a tag of
    the Git repository. What comes back, and what does not, is shown first.

    Where a Prefect server is set, its deployment `rollback/rollback` is started there and followed.

    With --all everything is brought back that the last run over a set has released, in reverse order.
    """
    if every:
        refuse_single(config, VERSION=version if version != "previous" else None, **{"--dry-run": dry_run})
        asked = {"environment": environment, "by": this_operator(), "why": why}
        return roll_back_set(set_file, asked, local=local, yes=yes, no_input=no_input, as_json=as_json)
    refuse_without_all(set_file)
    from coolify_cli.remote import run_on_server, runs_on_server, target_parameters

    on_server = runs_on_server(config, local=local)
    if dry_run or not on_server:
        from coolify_cli.running import check_configuration

        check_configuration(config, environment)
    if dry_run or not (yes or as_json):
        problems = _show(version, config, environment, on_server=on_server and not dry_run, as_json=as_json)
        if dry_run or problems:
            return 1 if problems else 0
    confirm(f"Roll back to {version}? The running version is replaced", yes=yes, no_input=no_input)
    wanted = {"version": version, "by": this_operator(), "why": why}
    if on_server:
        request = {"target": target_parameters(config, environment), **wanted}
        return run_on_server("rollback/rollback", {"request": request}, no_input=no_input, as_json=as_json)
    return _roll_back_here(config, environment, wanted, no_input=no_input, as_json=as_json)


def _show(version: str, config: str, environment: str, *, on_server: bool, as_json: bool) -> bool:
    """Print what a rollback would mean, and return whether there is no way back.

    Where another machine runs it, this one may have no token: then the run tells it before it begins.
    """
    from coolify.errors import OperatorError
    from coolify_cli.output import print_findings, print_json, stdout_console
    from tasks.session import Target
    from tasks.way_back import survey_way_back

    try:
        findings = asyncio.run(survey_way_back(Target(config=config, environment=environment), version))
    except OperatorError as error:
        if not on_server or error.is_usage:
            raise
        click.echo(f"What would come back cannot be told from here: {error}", err=True)
        return False
    if as_json:
        print_json([finding.model_dump(mode="json") for finding in findings])
    else:
        print_findings(stdout_console(), findings)
    return any(finding.is_problem for finding in findings)


def _roll_back_here(config: str, environment: str, wanted: dict[str, str], *, no_input: bool, as_json: bool) -> int:
    from coolify_cli.running import run_and_report
    from flows.rollback import RollbackRequest
    from flows.rollback import rollback as rollback_flow
    from tasks.session import Target

    request = RollbackRequest.model_validate({"target": Target(config=config, environment=environment), **wanted})

    async def run() -> State[Any]:
        return await rollback_flow(request, return_state=True)

    return run_and_report(run, as_json=as_json, no_input=no_input)
