"""Run a flow in this process for the terminal: progress printed, Prefect's own console log kept quiet."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from coolify.asking import Asker, answers
from coolify.config import ConfigError, find_config, load_config, resolve_variables
from coolify.contexts import ContextStore, connection_for, context_for
from coolify.errors import OperatorError
from coolify.progress import Observer, observe
from coolify.release.record import Outcome
from coolify.security import resolve_security
from coolify_cli.console import ProgressPrinter, print_report
from coolify_cli.failures import EXIT_FAILURE, EXIT_OK
from coolify_cli.prefect_server import BATCHED, CLIENT_RETRIES
from coolify_cli.prompting import terminal_asker

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State

    from coolify.release.report import ReleaseReport

__all__ = [
    "PrefectServerMissingError",
    "check_configuration",
    "execute",
    "prepare_prefect",
    "quiet_prefect",
    "require_prefect_server",
    "run_and_report",
    "run_quietly",
]


class PrefectServerMissingError(OperatorError):
    """A command needs a Prefect server, and none is named."""

    is_usage = True


def check_configuration(config: str, environment: str) -> None:
    """Find what is wrong with the configuration before anything slow is started.

    Raises:
        ConfigError: The file is missing or wrong, or a variable that it refers to is not set.
    """
    loaded = load_config(find_config(Path(config)), environment=environment or None)
    resolve_variables(loaded, os.environ)
    resolve_security(loaded, os.environ)
    connection_for(loaded, ContextStore.open(os.environ), os.environ)


def prepare_prefect(config: str) -> None:
    """Let Prefect be quiet on the terminal, and use the Prefect server of the configuration's context.

    `PREFECT_API_URL` in the environment goes before the context. Must be called before Prefect is imported: it reads
    its settings once.
    """
    quiet_prefect()
    if "PREFECT_API_URL" in os.environ:
        return
    # A file that is missing or wrong is told of by whoever reads it.
    with suppress(ConfigError):
        context = context_for(load_config(find_config(Path(config))), ContextStore.open(os.environ), os.environ)
        if context is not None and context.prefect_api_url:
            os.environ["PREFECT_API_URL"] = context.prefect_api_url
            return
    # The temporary server is on SQLite, where writing event by event now and then stops everything for a minute.
    for name, value in (BATCHED | {"PREFECT_CLIENT_MAX_RETRIES": CLIENT_RETRIES}).items():
        os.environ.setdefault(name, value)


def require_prefect_server() -> None:
    """Refuse to go on where no Prefect server is named: what is registered at a temporary one is lost at once.

    Raises:
        PrefectServerMissingError: There is none.
    """
    from prefect.settings import PREFECT_API_URL

    if not PREFECT_API_URL.value():
        raise PrefectServerMissingError(
            "No Prefect server is named: `export PREFECT_API_URL=http://prefect.example.com:4200/api`, or start one "
            "here with `coolify server up`."
        )


def quiet_prefect() -> None:
    """Keep Prefect's log off the terminal; it still goes to the Prefect server."""
    os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")
    # A lock that somebody else holds is an error to Prefect's machinery, and one sentence of ours.
    os.environ.setdefault("PREFECT_LOGGING_INTERNAL_LEVEL", "CRITICAL")
    # A busy machine, or one on which the database is made for the first time, takes longer than Prefect's 20 s.
    os.environ.setdefault("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "180")
    os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
    os.environ.setdefault("DO_NOT_TRACK", "1")


async def execute(flow: Callable[[], Awaitable[State[Any]]], observer: Observer, asker: Asker | None = None) -> Any:  # noqa: ANN401 - what the flow returns
    """Run a flow and return its result, also when its final state tells of a failure but has one."""
    with observe(observer), answers(asker) if asker else nullcontext():
        state = await flow()
    result = await state.aresult(raise_on_failure=False)
    if isinstance(result, Exception):
        raise result
    return result


def run_quietly(
    flow: Callable[[], Awaitable[State[Any]]],
    *,
    quiet: bool,
    no_input: bool = False,
    debug: bool = False,
    verbose: bool = True,
) -> Any:  # noqa: ANN401 - what the flow returns
    """Run a flow in this process, print what happens unless told not to, and return its result.

    Args:
        flow: What to run.
        quiet: Whether nothing is printed.
        no_input: Whether decisions are taken without asking the operator.
        debug: Whether the hidden lines of build logs are printed too.
        verbose: Whether steps and build logs are printed, not only phases, problems and decisions.
    """
    return _run(flow, quiet=quiet, no_input=no_input, debug=debug, verbose=verbose)[0]


def _run(
    flow: Callable[[], Awaitable[State[Any]]], *, quiet: bool, no_input: bool, debug: bool = False, verbose: bool = True
) -> tuple[Any, str]:
    """Return the flow's result, and the failure that was the last thing printed."""
    console = Console(stderr=quiet, quiet=quiet)
    printer = ProgressPrinter(console, debug=debug, verbose=verbose)
    asker = None if no_input else terminal_asker(console, printer.close)
    printer.asks = asker is not None
    if "PREFECT_API_URL" not in os.environ:
        printer.wait_for("Prefect's temporary server")
    try:
        return asyncio.run(execute(flow, printer, asker)), printer.failure
    finally:
        printer.close()


def run_and_report(flow: Callable[[], Awaitable[State[Any]]], *, as_json: bool, no_input: bool = False) -> int:
    """Run a release or rollback flow in this process, print what happens, and return the exit code."""
    report: ReleaseReport
    report, told = _run(flow, quiet=as_json, no_input=no_input)
    if as_json:
        sys.stdout.write(report.model_dump_json(indent=2) + "\n")
    else:
        print_report(Console(), report, told=told)
    return EXIT_OK if report.outcome is Outcome.COMPLETED else EXIT_FAILURE
