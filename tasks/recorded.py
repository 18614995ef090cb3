"""What the Prefect server has on record, for whoever measures: a server that is away is one sentence, told at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Final, TypeVar

import httpx
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    FlowFilter,
    FlowFilterName,
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, StateType

from blocks import BlockRecordStore, BlockRestorePointStore
from coolify.backup.proof import RestorePoint
from coolify.errors import OperatorError
from coolify.monitor.outcomes import Waiting
from coolify.release.record import History

__all__ = ["PrefectRecords", "PrefectUnreadableError"]

T = TypeVar("T")
_SECONDS: Final = 20.0
"""That one question may take; the client's own patience is minutes, and others wait."""
_QUIET: Final = 30.0
"""Seconds after a failure in which the server is not asked again: a look at many applications would ask for each."""
_PAGE: Final = 200
_ASKING: Final = "ask operator"
"""Name of the flow whose runs wait for an answer, see flows/ask_operator.py."""


class PrefectUnreadableError(OperatorError):
    """The Prefect server cannot be asked, or its answer is not understood."""


class PrefectRecords:
    """Releases, restore points and open questions, as `coolify.monitor` wants them."""

    def __init__(self) -> None:
        self._records = BlockRecordStore()
        self._points = BlockRestorePointStore()
        self._failure: tuple[float, str] | None = None

    async def history(self, application_uuid: str) -> History:
        """Return what is known of an application's releases.

        Raises:
            PrefectUnreadableError: The server cannot be read.
        """
        return await self._ask(lambda: self._records.history(application_uuid))

    async def load(self, database_uuid: str) -> tuple[RestorePoint, ...]:
        """Return the restore points of a database, oldest first.

        Raises:
            PrefectUnreadableError: The server cannot be read.
        """
        return await self._ask(lambda: self._points.load(database_uuid))

    async def save(self, database_uuid: str, points: Sequence[RestorePoint]) -> None:
        """Replace the points of a database."""
        await self._points.save(database_uuid, points)

    async def waiting(self) -> Waiting:
        """Return decision -> since when each of its questions waits; those whose time is over are left out.

        Raises:
            PrefectUnreadableError: The server cannot be read.
        """
        found: dict[str, list[datetime]] = {}
        now = datetime.now(UTC)
        for run in await self._ask(_paused_questions):
            state = run.state
            if state is None or (state.state_details.pause_timeout or now) < now:
                continue
            # Runs are named `ask: DECISION`.
            found.setdefault(run.name.removeprefix("ask:").strip(), []).append(state.timestamp)
        return found

    async def _ask(self, question: Callable[[], Awaitable[T]]) -> T:
        if self._failure is not None and time.monotonic() - self._failure[0] < _QUIET:
            raise PrefectUnreadableError(self._failure[1])
        try:
            async with asyncio.timeout(_SECONDS):
                answer = await question()
        except (httpx.HTTPError, TimeoutError, ValueError) as error:
            # What a validator says has the value in it, and records hold secrets.
            self._failure = (time.monotonic(), f"The Prefect server cannot be read: {_reason(error)}.")
            raise PrefectUnreadableError(self._failure[1]) from None
        self._failure = None
        return answer


def _reason(error: Exception) -> str:
    if isinstance(error, httpx.HTTPStatusError):
        return f"it answered {error.response.status_code}"
    if isinstance(error, TimeoutError | httpx.TimeoutException):
        return f"it did not answer within {_SECONDS:.0f} s"
    if isinstance(error, httpx.HTTPError):
        return "it does not answer"
    return "its answer is not understood"


async def _paused_questions() -> list[FlowRun]:
    runs: list[FlowRun] = []
    paused = FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.PAUSED])))
    asking = FlowFilter(name=FlowFilterName(any_=[_ASKING]))
    async with get_client() as client:
        while len(runs) % _PAGE == 0:
            page = await client.read_flow_runs(
                flow_filter=asking, flow_run_filter=paused, limit=_PAGE, offset=len(runs)
            )
            if not page:
                break
            runs += page
    return runs
