"""Start a run on a Prefect server, and follow its log until it has ended."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID, uuid4

import click

from coolify.config import ConfigError, find_config
from coolify.errors import OperatorError
from coolify_cli.failures import EXIT_FAILURE, EXIT_INTERRUPTED, EXIT_OK
from coolify_cli.output import print_json
from coolify_cli.running import prepare_prefect

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient
    from prefect.client.schemas.objects import FlowRun, Log, State
    from rich.console import Console

__all__ = ["RemoteRunError", "run_on_server", "runs_on_server", "target_parameters"]

_POLL_SECONDS: Final = 1.0
_LOG_PAGE: Final = 200
"""The most that Prefect's API returns at once."""
_LATE_LOGS: Final = timedelta(seconds=15)
"""Lines of different processes arrive out of order, by as much as Prefect's log handlers wait before they send."""
_DRAIN_SECONDS: Final = 3.0
_UNCLAIMED_SECONDS: Final = 30.0


class RemoteRunError(OperatorError):
    """The run cannot be started on the Prefect server."""


def runs_on_server(config: str, *, local: bool) -> bool:
    """Return whether runs are started on a Prefect server: one is named, and `--local` is not.

    Prepares this process for Prefect, in both cases.
    """
    prepare_prefect(config)
    from prefect.settings import PREFECT_API_URL

    return bool(PREFECT_API_URL.value()) and not local


def target_parameters(config: str, environment: str) -> dict[str, str]:
    """Return the application as a parameter of a run that another process will read.

    A file that is here is named by its whole path: a worker on this machine runs elsewhere. What is not here is the
    worker's to find.
    """
    try:
        path = str(find_config(Path(config)).resolve())
    except ConfigError:
        path = config
    return {"config": path, "environment": environment}


def run_on_server(deployment: str, parameters: Mapping[str, Any], *, no_input: bool, as_json: bool) -> int:
    """Start a deployment of the Prefect server that the settings name, follow it, and return the exit code.

    Ctrl-C asks whether to cancel the run or to leave it alone; where nobody can be asked, it goes on alone.

    Args:
        deployment: Name of flow and deployment, as in `release/release`.
        parameters: Parameters of the flow.
        no_input: Whether asking is forbidden.
        as_json: Whether to print the end as JSON and nothing else.
    """
    from prefect.utilities.urls import url_for
    from rich.console import Console

    console = Console(quiet=as_json)
    with asyncio.Runner() as runner:
        run = runner.run(_start(deployment, parameters))
        url = url_for(run) or ""
        follower = _Follower(run.id, console)
        asks = not no_input and sys.stdin.isatty() and console.is_terminal
        # From here on the run exists: an interruption at any moment is a question about it.
        announced = False
        while True:
            try:
                if not announced:
                    announced = True
                    _announce(deployment, run, url, console)
                state = runner.run(follower.until_it_ends())
                break
            except KeyboardInterrupt:
                if not asks or _cancel_or_detach() == "detach":
                    click.echo(f"Left alone: it goes on at {url}", err=True)
                    return EXIT_INTERRUPTED
                runner.run(_cancel(run.id))
    return _tell(run, state, url, console, as_json=as_json)


def _announce(deployment: str, run: FlowRun, url: str, console: Console) -> None:
    console.print(f"[bold]{deployment}[/] runs on the Prefect server as [bold]{run.name}[/]", highlight=False)
    console.print(f"[dim]{url}[/]\n", highlight=False, soft_wrap=True)


def _cancel_or_detach() -> str:
    click.echo(err=True)
    answer: str = click.prompt(
        "The run goes on at the server. Cancel it, or leave it alone",
        type=click.Choice(["cancel", "detach"]),
        default="detach",
        err=True,
    )
    return answer


def _tell(run: FlowRun, state: State[Any], url: str, console: Console, *, as_json: bool) -> int:
    from rich.markup import escape

    succeeded = state.is_completed()
    if as_json:
        print_json(
            {"flow_run_id": str(run.id), "url": url, "state": state.name, "message": state.message, "ok": succeeded}
        )
    else:
        style = "bold green" if succeeded else "bold red"
        console.print(f"\n[{style}]{escape(state.name or '')}[/] {escape(state.message or '')}", highlight=False)
    return EXIT_OK if succeeded else EXIT_FAILURE


async def _start(deployment: str, parameters: Mapping[str, Any]) -> FlowRun:
    from prefect.client.orchestration import get_client
    from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError

    async with get_client() as client:
        try:
            found = await client.read_deployment_by_name(deployment)
        except ObjectNotFound:
            raise RemoteRunError(
                f"The Prefect server at {client.api_url} has no deployment '{deployment}': register it with "
                "`coolify server apply`, or run here with --local."
            ) from None
        try:
            # The key makes one run of a request whose answer was lost and that the client has sent again.
            return await client.create_flow_run_from_deployment(
                found.id, parameters=dict(parameters), idempotency_key=f"coolify-{uuid4()}"
            )
        except PrefectHTTPStatusError as error:
            if error.response.status_code not in {409, 422}:
                raise
            raise RemoteRunError(
                f"The Prefect server refuses the parameters of '{deployment}': {error.response.text}. Register the "
                "deployments of this version with `coolify server apply`."
            ) from None


async def _cancel(run_id: UUID) -> None:
    from prefect.client.orchestration import get_client
    from prefect.states import Cancelling

    async with get_client() as client:
        await client.set_flow_run_state(run_id, Cancelling())


@dataclass
class _Follower:
    """Prints the log of a run and of its phases, each line once, and can be asked to go on after an interruption."""

    run_id: UUID
    console: Console
    _family: dict[UUID, None] = field(default_factory=dict)
    _printed: set[UUID] = field(default_factory=set)
    _newest: datetime = field(default_factory=lambda: datetime.now(UTC) - timedelta(minutes=1))
    _told_state: str = ""
    _told_waiting: set[UUID] = field(default_factory=set)
    _started: float | None = None

    async def until_it_ends(self) -> State[Any]:
        """Print lines as they come and return the final state."""
        from prefect.client.orchestration import get_client

        loop = asyncio.get_running_loop()
        self._started = self._started or loop.time()
        async with get_client() as client:
            while True:
                state = (await client.read_flow_run(self.run_id)).state
                await self._print_new_lines(client)
                if state is not None and state.is_final():
                    await self._drain(client)
                    return state
                if state is not None:
                    self._tell_state(state, loop.time() - self._started)
                await asyncio.sleep(_POLL_SECONDS)

    def _tell_waiting(self, run: FlowRun) -> None:
        from prefect.utilities.urls import url_for

        if run.id not in self._told_waiting:
            self._told_waiting.add(run.id)
            self.console.print(f"[yellow]It waits for a decision, answer it at {url_for(run)}[/]", highlight=False)

    def _tell_state(self, state: State[Any], waited: float) -> None:
        told = ""
        if state.is_paused():
            told = "It waits for a decision: answer it on the page of the run."
        elif state.name == "AwaitingConcurrencySlot":
            told = "It waits until another run has ended."
        elif (state.is_scheduled() or state.is_pending()) and waited > _UNCLAIMED_SECONDS:
            told = "No worker has taken it up yet: is one running (prefect worker start --pool coolify)?"
        if told and told != self._told_state:
            self.console.print(f"[yellow]{told}[/]", highlight=False)
        self._told_state = told

    async def _drain(self, client: PrefectClient) -> None:
        """The last lines are sent after the run has ended."""
        for _ in range(int(_DRAIN_SECONDS / _POLL_SECONDS)):
            await asyncio.sleep(_POLL_SECONDS)
            await self._print_new_lines(client)

    async def _print_new_lines(self, client: PrefectClient) -> None:
        await self._find_phases(client)
        for line in await self._read(client):
            if line.id not in self._printed:
                self._printed.add(line.id)
                self._newest = max(self._newest, line.timestamp)
                if not line.message.startswith(_BOOKKEEPING):
                    _print_line(self.console, line)

    async def _read(self, client: PrefectClient) -> list[Log]:
        from prefect.client.schemas.filters import LogFilter, LogFilterFlowRunId, LogFilterLevel, LogFilterTimestamp
        from prefect.client.schemas.sorting import LogSort

        wanted = LogFilter(
            flow_run_id=LogFilterFlowRunId(any_=list(self._family)),
            level=LogFilterLevel(ge_=20),
            timestamp=LogFilterTimestamp(after_=self._newest - _LATE_LOGS),  # type: ignore[arg-type]
        )
        lines: list[Log] = []
        while True:
            page = await client.read_logs(wanted, limit=_LOG_PAGE, offset=len(lines), sort=LogSort.TIMESTAMP_ASC)
            lines += page
            if len(page) < _LOG_PAGE:
                return lines

    async def _find_phases(self, client: PrefectClient) -> None:
        """Phases are runs of their own, below the run and below each other; so is a decision that waits."""
        from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterParentFlowRunId

        self._family[self.run_id] = None
        while True:
            known = list(self._family)
            below = FlowRunFilter(parent_flow_run_id=FlowRunFilterParentFlowRunId(any_=known))
            found = await client.read_flow_runs(flow_run_filter=below)
            self._family.update(dict.fromkeys(one.id for one in found))
            for waiting in (one for one in found if one.state is not None and one.state.is_paused()):
                self._tell_waiting(waiting)
            if len(self._family) == len(known):
                return


_LEVELS: Final = {30: "yellow", 40: "red", 50: "bold red"}
_BOOKKEEPING: Final = ("Beginning flow run", "Beginning subflow run", "View at ", "Finished in state Completed")
"""Lines of Prefect about itself, one or two for every step."""


def _print_line(console: Console, line: Log) -> None:
    from rich.markup import escape

    style = _LEVELS.get(line.level // 10 * 10, "default")
    when = line.timestamp.astimezone().strftime("%H:%M:%S")
    console.print(f"[dim]{when}[/] [{style}]{escape(line.message)}[/]", highlight=False)
