"""Options that many commands share."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

import click

from coolify_cli.completing import complete_context, complete_environment
from coolify_cli.failures import EXIT_FAILURE

__all__ = [
    "config_options",
    "confirm",
    "confirm_by_name",
    "context_option",
    "dry_run_option",
    "json_option",
    "local_option",
    "no_input_option",
    "override_option",
    "yes_options",
]

F = TypeVar("F", bound=Callable[..., Any])
_CONTEXT_VARIABLE = "COOLIFY_CONTEXT"


def _use_context(ctx: click.Context, param: click.Parameter, value: str | None) -> None:  # noqa: ARG001 - click
    if value:
        # Flows and everything else that this process starts find the context there.
        os.environ[_CONTEXT_VARIABLE] = value


def context_option(command: F) -> F:
    """Add `--context`."""
    return click.option(
        "--context",
        metavar="NAME",
        expose_value=False,
        callback=_use_context,
        shell_complete=complete_context,
        help="Coolify instance to use instead of the file's, see `coolify auth status --all`. Also: COOLIFY_CONTEXT.",
    )(command)


def config_options(command: F) -> F:
    """Add `--config`, `--environment` and `--context`."""
    command = context_option(command)
    command = click.option(
        "--environment",
        "-e",
        default="",
        metavar="NAME",
        shell_complete=complete_environment,
        help="Environment to work on; the file's own by default.",
    )(command)
    return click.option(
        "--config",
        "-c",
        default=".coolify/config.yml",
        show_default=True,
        metavar="PATH",
        help="Configuration file of the application; searched upwards from here.",
    )(command)


def json_option(command: F) -> F:
    """Add `--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print the result as JSON and nothing else.")(command)


def dry_run_option(command: F) -> F:
    """Add `--dry-run`."""
    return click.option("--dry-run", is_flag=True, help="Show what would be done, and do nothing.")(command)


def local_option(command: F) -> F:
    """Add `--local`."""
    return click.option(
        "--local",
        is_flag=True,
        help="Run in this process, also where a Prefect server is set (PREFECT_API_URL, or of the context).",
    )(command)


def override_option(command: F) -> F:
    """Add `--override`."""
    return click.option("--override", is_flag=True, help="Go on in a freeze of the configuration; it is recorded.")(
        command
    )


def no_input_option(command: F) -> F:
    """Add `--no-input`."""
    return click.option("--no-input", is_flag=True, help="Never ask, for scripts.")(command)


def yes_options(command: F) -> F:
    """Add `--yes` and `--no-input`."""
    command = no_input_option(command)
    return click.option("--yes", "-y", is_flag=True, help="Do not ask for confirmation.")(command)


def confirm(question: str, *, yes: bool, no_input: bool) -> None:
    """Ask before something happens.

    Raises:
        click.UsageError: Asking is forbidden and the answer was not given beforehand.
        click.exceptions.Exit: The answer was no, which is said.
    """
    if yes:
        return
    if no_input:
        raise click.UsageError(f"{question}: confirm it with --yes.")
    if not click.confirm(question, err=True):
        click.echo("Not confirmed: it was not done.", err=True)
        raise click.exceptions.Exit(EXIT_FAILURE)


def confirm_by_name(what: str, name: str, *, yes: bool, no_input: bool) -> None:
    """Ask for a name to be typed before something is destroyed.

    Raises:
        click.UsageError: Asking is forbidden and the answer was not given beforehand, or another name was typed.
    """
    if yes:
        return
    if no_input:
        raise click.UsageError(f"{what} cannot be undone: confirm it with --yes.")
    if click.prompt(f"{what} cannot be undone. Type the name '{name}' to confirm", err=True) != name:
        raise click.UsageError("That is not the name: nothing was deleted.")
