"""Which applications the commands of `coolify monitor` are about."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from coolify_cli.completing import complete_environment
from coolify_cli.options import context_option

if TYPE_CHECKING:
    from datetime import timedelta

    from coolify.monitor.watch import Wanted, Watch

__all__ = ["duration_of", "prepared", "wanted_of", "watched_options"]

F = TypeVar("F", bound=Callable[..., Any])
_DEFAULT = ".coolify/config.yml"
_LONGEST_DAYS = 3650


def watched_options(command: F) -> F:
    """Add `--config` (several), `--environment`, `--all` and `--context`."""
    command = context_option(command)
    command = click.option(
        "--all", "everything", is_flag=True, help="Every application of the Coolify instance, see --context."
    )(command)
    command = click.option(
        "--environment",
        "-e",
        default="",
        metavar="NAME",
        shell_complete=complete_environment,
        help="Environment to work on; each file's own by default.",
    )(command)
    return click.option(
        "--config",
        "-c",
        "configs",
        multiple=True,
        metavar="PATH",
        help=f"Configuration file of an application, any number of them; {_DEFAULT} when left out.",
    )(command)


def wanted_of(configs: Sequence[str], environment: str, *, everything: bool) -> Wanted:
    """Return what the options name.

    Raises:
        OperatorError: `--all` without an instance to ask, or a context that does not exist.
    """
    from coolify.monitor.watch import Wanted

    contexts = (_context_name(configs),) if everything else ()
    files = tuple(configs) or (() if everything else (_DEFAULT,))
    return Wanted(tuple((one, environment) for one in files), contexts)


def prepared(configs: Sequence[str], environment: str, *, everything: bool) -> Watch:
    """Return what is to be looked at.

    Raises:
        ConfigError: A file is missing or wrong: whoever names it wants to know.
    """
    from coolify.monitor.watch import prepare
    from coolify_cli.reaching import load

    for one in tuple(configs) or (() if everything else (_DEFAULT,)):
        load(one, environment)
    return prepare(wanted_of(configs, environment, everything=everything), os.environ)


def duration_of(text: str) -> timedelta:
    """Return what `--since` says.

    Raises:
        click.UsageError: It is no duration.
    """
    from coolify.monitor.logs import parse_duration

    try:
        duration = parse_duration(text)
    except OverflowError:
        duration = None
    if not duration or duration.days > _LONGEST_DAYS:
        raise click.UsageError(f"--since takes a duration as in 90s, 10m, 2h or 1d, not '{text}'.")
    return duration


def _context_name(configs: Sequence[str]) -> str:
    """Return the context whose applications are meant: the named one, that of the file, or the current one."""
    from coolify.contexts import CONTEXT_VARIABLE, ContextError, ContextStore, context_for
    from coolify_cli.reaching import load

    store = ContextStore.open(os.environ)
    if name := os.environ.get(CONTEXT_VARIABLE):
        return name
    context = context_for(load(configs[0], ""), store, os.environ) if configs else store.current
    if context is None:
        raise ContextError("--all needs a Coolify instance: run `coolify auth login`, or name one with --context.")
    return context.name
