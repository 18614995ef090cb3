"""`--all` of `coolify release` and `coolify rollback`: what is done with a set, and how it is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from coolify_cli.options import confirm

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from prefect.client.schemas.objects import State
    from rich.console import Console

    from coolify.release_set import SetPlan, SetReport

__all__ = ["refuse_single", "refuse_without_all", "release_set", "roll_back_set", "set_options", "show_stages"]

_DEFAULT_SET = ".coolify/set.yml"
_DEFAULT_CONFIG = ".coolify/config.yml"
F = TypeVar("F", bound=Callable[..., Any])


def set_options(command: F) -> F:
    """Add `--all` and `--set`."""
    command = click.option(
        "--set",
        "set_file",
        default=_DEFAULT_SET,
        show_default=True,
        metavar="PATH",
        help="With --all: file that names the applications of the set; searched upwards from here.",
    )(command)
    return click.option("--all", "every", is_flag=True, help="All applications of the set instead of one.")(command)


def refuse_single(config: str, **more: object) -> None:
    """Refuse options that are about one application.

    Raises:
        click.UsageError: One of them is given.
    """
    given: dict[str, object] = {"--config": config if config != _DEFAULT_CONFIG else None} | more
    if wrong := [name for name, value in given.items() if value]:
        raise click.UsageError(f"{', '.join(wrong)}: with --all the set file says which applications.")


def refuse_without_all(set_file: str, **wishes: object) -> None:
    """Refuse options that are about a set.

    Raises:
        click.UsageError: One of them is given.
    """
    given: dict[str, object] = {"--set": set_file if set_file != _DEFAULT_SET else None}
    given |= {f"--{name.replace('_', '-')}": value for name, value in wishes.items()}
    if wrong := [name for name, value in given.items() if value]:
        raise click.UsageError(f"{', '.join(wrong)}: goes with --all.")


def show_stages(set_file: str, request: Mapping[str, Any], *, as_json: bool) -> int:
    """Print which applications would be released in which order; asks no server."""
    from coolify_cli.output import make_table, print_json, stdout_console

    plan = _plan(set_file, request)
    if as_json:
        print_json(_stages(plan))
        return 0
    rows = [
        (
            f"{number}{' (canary)' if stage.is_canary else ''}",
            name,
            plan.members[name].config.environment,
            ", ".join(sorted(plan.needs[name])),
            str(plan.members[name].path),
        )
        for number, stage in enumerate(plan.stages, 1)
        for name in stage.applications
    ]
    stdout_console().print(make_table("Stage", "Application", "Environment", "After", "Configuration", rows=rows))
    return 0


def release_set(set_file: str, request: Mapping[str, Any], *, local: bool, no_input: bool, as_json: bool) -> int:
    """Release a set, here or on the Prefect server, print what happens, and return the exit code.

    Args:
        set_file: The set file.
        request: Parameters of the flow `release all` besides it.
        local: Whether to run here in any case.
        no_input: Whether decisions are taken without asking.
        as_json: Whether the report is printed as JSON and nothing else.
    """
    if _runs_on_server(set_file, request, local=local):
        return _on_server("release all", set_file, request, no_input=no_input, as_json=as_json)
    _plan(set_file, request, to_run_here=True)
    from flows.release_all import ReleaseSetRequest, release_all

    wanted = ReleaseSetRequest(set_file=set_file, **request)

    async def run() -> State[Any]:
        return await release_all(wanted, return_state=True)

    return _run(run, no_input=no_input, as_json=as_json)


def roll_back_set(
    set_file: str, request: Mapping[str, Any], *, local: bool, yes: bool, no_input: bool, as_json: bool
) -> int:
    """Take back what the last run over a set has released, print what happens, and return the exit code.

    Args:
        set_file: The set file.
        request: Parameters of the flow `rollback all` besides it.
        local: Whether to run here in any case.
        yes: Whether it is confirmed already.
        no_input: Whether asking is forbidden.
        as_json: Whether the report is printed as JSON and nothing else.
    """
    on_server = _runs_on_server(set_file, request, local=local)
    if not on_server:
        _plan(set_file, request, to_run_here=True)
    question = "Roll back all that the last run over the set has released? The running versions are replaced"
    confirm(question, yes=yes, no_input=no_input)
    if on_server:
        return _on_server("rollback all", set_file, request, no_input=no_input, as_json=as_json)
    from flows.rollback_all import RollbackSetRequest, rollback_all

    wanted = RollbackSetRequest(set_file=set_file, **request)

    async def run() -> State[Any]:
        return await rollback_all(wanted, return_state=True)

    return _run(run, no_input=no_input, as_json=as_json)


def _plan(set_file: str, request: Mapping[str, Any], *, to_run_here: bool = False) -> SetPlan:
    from coolify.release_set import OnFailure, Strategy, make_plan

    strategy, on_failure = request.get("strategy"), request.get("on_failure")
    return make_plan(
        Path(set_file),
        tags=request.get("tags", ()),
        environment=request.get("environment", ""),
        strategy=Strategy(strategy) if strategy else None,
        on_failure=OnFailure(on_failure) if on_failure else None,
        parallel=request.get("parallel"),
        to_run_here=to_run_here,
    )


def _runs_on_server(set_file: str, request: Mapping[str, Any], *, local: bool) -> bool:
    """Return whether a Prefect server runs it: one is set, or the context of the first application has one."""
    from coolify.errors import OperatorError
    from coolify_cli.remote import runs_on_server

    first = _DEFAULT_CONFIG
    # A set that is not here, or wrong, is told of by whoever runs it.
    with suppress(OperatorError):
        first = str(next(iter(_plan(set_file, request).members.values())).path)
    return runs_on_server(first, local=local)


def _on_server(flow: str, set_file: str, request: Mapping[str, Any], *, no_input: bool, as_json: bool) -> int:
    from coolify.config import ConfigError
    from coolify.release_set import find_set
    from coolify_cli.remote import run_on_server

    # A file that is here is named by its whole path: a worker on this machine runs elsewhere.
    with suppress(ConfigError):
        set_file = str(find_set(Path(set_file)).resolve())
    parameters = {"request": {"set_file": set_file, **request}}
    return run_on_server(f"{flow}/{flow}", parameters, no_input=no_input, as_json=as_json)


def _run(flow: Callable[[], Awaitable[State[Any]]], *, no_input: bool, as_json: bool) -> int:
    from coolify.release_set import SetOutcome
    from coolify_cli.failures import EXIT_FAILURE, EXIT_OK
    from coolify_cli.output import stdout_console
    from coolify_cli.running import run_quietly

    report: SetReport = run_quietly(flow, quiet=as_json, no_input=no_input, verbose=False)
    if as_json:
        click.echo(report.model_dump_json(indent=2))
    else:
        _print(stdout_console(), report)
    return EXIT_OK if report.outcome is SetOutcome.COMPLETED else EXIT_FAILURE


def _print(console: Console, report: SetReport) -> None:
    """Print a line for each application, reasons below, and how it ended as a whole."""
    from rich.markup import escape

    from coolify.release_set import SetOutcome
    from coolify_cli.output import make_table

    rows = [
        (
            f"{one.stage}{' (canary)' if one.canary else ''}",
            one.application,
            one.outcome.value.replace("_", " "),
            str(one.number or ""),
            (one.serving or "")[:12],
            f"{one.seconds:.1f}" if one.seconds else "",
        )
        for one in report.applications
    ]
    console.print()
    console.print(make_table("Stage", "Application", "Outcome", "Release", "Serving", "Seconds", rows=rows))
    for one in report.applications:
        if one.reason:
            console.print(f"[bold]{escape(one.application)}[/]  {escape(one.reason)}", highlight=False)
    style = "bold green" if report.outcome is SetOutcome.COMPLETED else "bold red"
    console.print(
        f"\n[{style}] {report.kind.capitalize()} of the set {escape(report.name)}: "
        f"{report.outcome.value.replace('_', ' ')} [/] {escape(report.reason)} [dim]{report.seconds:.0f} s[/]",
        highlight=False,
    )


def _stages(plan: SetPlan) -> dict[str, Any]:
    def described(names: Sequence[str]) -> list[dict[str, Any]]:
        return [
            {
                "application": name,
                "config": str(plan.members[name].path),
                "environment": plan.members[name].config.environment,
                "after": sorted(plan.needs[name]),
            }
            for name in names
        ]

    return {
        "set": plan.name,
        "strategy": plan.strategy.value,
        "on_failure": plan.on_failure.value,
        "parallel": plan.parallel,
        "stages": [{"canary": one.is_canary, "applications": described(one.applications)} for one in plan.stages],
    }
