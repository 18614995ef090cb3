"""Run our flows as the plain functions that they are: without Prefect's engine a release takes a second, not ten.

What Prefect adds (states, retries of its own client, the lock, stored blocks) has its own tests; here thousands of
releases are interrupted, and what counts is what they leave on the Coolify server.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from unittest.mock import patch

from prefect.context import FlowRunContext
from prefect.flows import Flow
from prefect.tasks import Task

from coolify.api import CoolifyClient, RetryPolicy
from coolify.backup.proof import RestorePoint
from coolify.release import ReleaseRecord
from tests.integration.impatience import impatient


@dataclass
class MemoryRecords:
    """A record store that survives a release that died."""

    records: dict[str, dict[int, ReleaseRecord]] = field(default_factory=dict)

    async def load(self, application_uuid: str) -> tuple[ReleaseRecord, ...]:
        return tuple(self.records.get(application_uuid, {}).values())

    async def save(self, record: ReleaseRecord) -> None:
        self.records.setdefault(record.application_uuid, {})[record.number] = record


@dataclass
class MemoryRestorePoints:
    """A restore point store that lives as long as the test."""

    points: dict[str, tuple[RestorePoint, ...]] = field(default_factory=dict)

    async def load(self, uuid: str) -> tuple[RestorePoint, ...]:
        return self.points.get(uuid, ())

    async def save(self, uuid: str, points: Sequence[RestorePoint]) -> None:
        self.points[uuid] = tuple(points)


def _call(self: Any, *arguments: Any, return_state: bool = False, **more: Any) -> Any:
    return self.fn(*arguments, **more)


async def _nothing(*_: Any, **__: Any) -> None:
    return None


@asynccontextmanager
async def unlocked(*_: Any) -> AsyncIterator[None]:
    yield


@contextmanager
def one_run() -> Iterator[None]:
    """Let Prefect run the outermost flow only, what it calls as plain functions: for what a test only begins with.

    The run, its lock and the history that it leaves are as always; the runs below it, which take most of the time, are
    not there.
    """
    run_in_prefect = Flow.__call__

    def call(self: Any, *arguments: Any, **more: Any) -> Any:
        return (_call if FlowRunContext.get() else run_in_prefect)(self, *arguments, **more)

    with patch.object(Flow, "__call__", call), patch.object(Task, "__call__", _call):
        yield


current_records: ContextVar[MemoryRecords] = ContextVar("current_records")
"""The store of the release that runs in this context: many run side by side."""


@contextmanager
def bare_flows() -> Iterator[None]:
    """Call flows and tasks directly, keep records in memory, do not wait between retries."""
    proofs, records = MemoryRestorePoints(), MemoryRecords()
    hasty = partial(CoolifyClient, retry=RetryPolicy(first_delay=0.01, longest_delay=0.02))
    with (
        patch.object(Flow, "__call__", _call),
        patch.object(Task, "__call__", _call),
        patch("tasks.session.BlockRecordStore", lambda: current_records.get(records)),
        patch("tasks.session.CoolifyClient", hasty),
        patch("flows.release.exclusive_release", unlocked),
        patch("flows.rollback.exclusive_release", unlocked),
        patch("flows.set_up_databases.exclusive_release", unlocked),
        patch("flows.apply.exclusive_release", unlocked),
        patch("tasks.reports.acreate_markdown_artifact", _nothing),
        patch("tasks.reports.emit_event", lambda **_: None),
        patch("tasks.decision_points.acreate_markdown_artifact", _nothing),
        patch("tasks.decision_points.emit_event", lambda **_: None),
        patch("tasks.backups.BlockRestorePointStore", lambda: proofs),
        patch("tasks.backups.acreate_markdown_artifact", _nothing),
        patch("tasks.backups.emit_event", lambda **_: None),
        impatient(0.05),
    ):
        yield
