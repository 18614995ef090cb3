"""Write-ahead notes about a release: what is about to change is recorded before, what has changed after."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from coolify.release import Outcome, RecordStore, ReleaseRecord, Step, StepStatus

__all__ = ["Journal"]


class Journal:
    """Keeps the record of the running release up to date in its store.

    Nothing is stored before the first changing step: a release that finds everything in place leaves no record. A
    journal without a record notes nothing: phases that run alone have one.

    Args:
        record: The release, None for a journal that notes nothing.
        store: Where the record is kept.
        stored: Whether the record is there already, because it was adopted.
    """

    def __init__(
        self, record: ReleaseRecord | None = None, store: RecordStore | None = None, *, stored: bool = False
    ) -> None:
        self._record = record
        self._store = store
        self._stored = stored

    @property
    def record(self) -> ReleaseRecord | None:
        """The record as it is now."""
        return self._record

    @property
    def is_stored(self) -> bool:
        """Whether something was changed, or may have been."""
        return self._stored

    async def note(self, **facts: object) -> None:
        """Note facts about the release, named like the fields of its record."""
        if self._record is not None:
            self._record = self._record.model_copy(update=facts)
            if self._stored:
                await self._save(self._record)

    async def close(self, outcome: Outcome, reason: str, serving: str | None) -> None:
        """End the release, if anything was changed."""
        if self._record is not None:
            self._record = self._record.closed(outcome, datetime.now(UTC), reason, serving)
            if self._stored:
                await self._save(self._record)

    @asynccontextmanager
    async def step(self, step: Step, detail: str = "") -> AsyncIterator[None]:
        """Journal a changing step before its effect and mark it after; an error leaves it marked as failed."""
        await self._journal(step, StepStatus.STARTED, detail)
        try:
            yield
        except Exception:
            await self._journal(step, StepStatus.FAILED, detail)
            raise
        await self._journal(step, StepStatus.DONE, detail)

    async def _journal(self, step: Step, status: StepStatus, detail: str) -> None:
        if self._record is not None:
            await self._save(self._record.journalled(step, status, datetime.now(UTC), detail))

    async def _save(self, record: ReleaseRecord) -> None:
        if self._store is not None:
            await self._store.save(record)
        self._record = record
        self._stored = True
