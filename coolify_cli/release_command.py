"""`coolify release`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from coolify.whoami import this_operator
from coolify_cli.options import (
    config_options,
    dry_run_option,
    json_option,
    local_option,
    no_input_option,
    override_option,
)
from coolify_cli.sets import refuse_single, refuse_without_all, release_set, set_options, show_stages

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State

__all__ = ["release"]


@click.command(epilog="Example: coolify release --environment staging")
@config_options
@click.option("--force", is_flag=True, help="Deploy without cache even if nothing has changed.")
@click.option("--resume", is_flag=True, help="Take up a release that did not end; what running it again does anyway.")
@click.option("--why", default="", metavar="TEXT", help="Why, for report and history.")
@set_options
@click.option("--tag", multiple=True, metavar="TAG", help="Only applications of the set with this tag; for --all.")
@click.option("--strategy", type=click.Choice(["stages", "canary"]), help="With --all: instead of the set file's.")
@click.option(
    "--on-failure",
    type=click.Choice(["stop", "continue", "rollback", "ask"]),
    help="With --all, when an application fails: keep what was released and stop, go on with the rest, roll back "
    "all that was released, or ask. Instead of the set file's, whose default is stop.",
)
@click.option("--continue", "on_failure", flag_value="continue", help="Short for --on-failure continue.")
@click.option("--parallel", type=click.IntRange(1, 20), help="With --all: releases at the same time.")
@override_option
@local_option
@dry_run_option
@no_input_option
@json_option
def release(
    config: str,
    environment: str,
    *,
    force: bool,
    why: str,
    resume: bool,  # noqa: ARG001 - said for the reader: every run takes up what did not end
    every: bool,
    set_file: str,
    tag: tuple[str, ...],
    strategy: str | None,
    on_failure: str | None,
    parallel: int | None,
    override: bool,
    local: bool,
    dry_run: bool,
    no_input: bool,
    as_json: bool,
) -> int:
    """Release the application through every phase.

    Brings project, application, variables and domains to what the configuration file says, deploys, proves health
    and certificates from the outside, and rolls back when that fails. Running it twice changes nothing.

    Where a Prefect server is set, its deployment `release/release` is started there and followed. With --dry-run the
    plan is shown, as `coolify plan` does.

    With --all (or --tag) the applications of the set file are released, in the order in which they require each other:
    `coolify release --all --continue`. With --dry-run their stages are shown.
    """
    wishes = {"strategy": strategy, "on_failure": on_failure, "parallel": parallel}
    if every or tag:
        refuse_single(config)
        request: dict[str, Any] = {"tags": tag, "environment": environment} | {
            key: one for key, one in wishes.items() if one
        }
        if dry_run:
            return show_stages(set_file, request, as_json=as_json)
        request |= {"force": force, "override": override, "by": this_operator(), "why": why}
        return release_set(set_file, request, local=local, no_input=no_input, as_json=as_json)
    refuse_without_all(set_file, **wishes)
    if dry_run:
        from coolify_cli.plan_commands import show_plan

        show_plan(config, environment, as_json=as_json)
        return 0
    from coolify_cli.remote import run_on_server, runs_on_server, target_parameters

    if runs_on_server(config, local=local):
        request = {"target": target_parameters(config, environment), "force": force, "override": override}
        request |= {"by": this_operator(), "why": why}
        return run_on_server("release/release", {"request": request}, no_input=no_input, as_json=as_json)
    wanted = {"force": force, "override": override, "by": this_operator(), "why": why}
    return _release_here(config, environment, wanted, no_input=no_input, as_json=as_json)


def _release_here(config: str, environment: str, wanted: dict[str, Any], *, no_input: bool, as_json: bool) -> int:
    from coolify_cli.running import check_configuration, run_and_report

    check_configuration(config, environment)
    from flows.release import ReleaseRequest
    from flows.release import release as release_flow
    from tasks.session import Target

    request = ReleaseRequest.model_validate({"target": Target(config=config, environment=environment), **wanted})

    async def run() -> State[Any]:
        return await release_flow(request, return_state=True)

    return run_and_report(run, as_json=as_json, no_input=no_input)
