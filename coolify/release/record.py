"""The durable record of one release: journal, snapshot and outcome.

Each changing step is journalled before its effect and marked after it, so that a run that died in between is
found and adopted by the next one: an application has at most one open record.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field

from coolify.release.snapshot import Snapshot

__all__ = [
    "DecisionRecord",
    "History",
    "JournalEntry",
    "Outcome",
    "RecordStore",
    "ReleaseKind",
    "ReleaseRecord",
    "Step",
    "StepStatus",
    "ending_of",
    "last_good",
    "next_number",
    "open_record",
    "prune",
    "tally",
]


ReleaseKind = Literal["release", "rollback"]


class Outcome(StrEnum):
    """How a release ended. The Prefect state of the run carries the same name in CamelCase."""

    COMPLETED = "completed"
    ROLLED_BACK = "rolled_back"
    ROLLBACK_FAILED = "rollback_failed"
    ABORTED = "aborted"

    @property
    def state_name(self) -> str:
        """Name of the Prefect state, e.g. `RolledBack`; automations match on it."""
        return "".join(word.capitalize() for word in self.value.split("_"))


class Step(StrEnum):
    """The steps that change something, on the Coolify server or wherever hooks do."""

    CREATE_APPLICATION = "create application"
    UPDATE_SETTINGS = "update settings"
    SYNC_VARIABLES = "sync variables"
    SET_LABELS = "set security labels"
    WRITE_VOLUMES = "write volumes"
    RUN_HOOK = "run hook"
    CLEAN_UP = "clean up Docker"
    RAISE_LIMITS = "raise limits"
    DEPLOY = "deploy"
    ROLL_BACK = "roll back"


class StepStatus(StrEnum):
    """Whether the effect of a journalled step is known."""

    STARTED = "started"
    DONE = "done"
    FAILED = "failed"


class JournalEntry(BaseModel):
    """One changing step; `started` without a later `done` means that its effect is unknown."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    step: Step
    status: StepStatus
    at: datetime
    detail: str = Field(default="", description="What it was about; never a secret.")


class DecisionRecord(BaseModel):
    """A declared decision that was taken: what happened, what was chosen, by whom and why; never a secret."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    decision: str = Field(default="", description="Id of the decision, see docs/decisions.md.")
    question: str
    choice: str
    by: str
    reason: str
    evidence: str = ""


class ReleaseRecord(BaseModel):
    """One release of one application."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int = Field(ge=1)
    kind: ReleaseKind = "release"
    application_uuid: str
    application_name: str
    environment: str
    by: str = Field(default="", description="Who began it, as they said.")
    why: str = Field(default="", description="Why, as they said.")
    started_at: datetime
    finished_at: datetime | None = None
    outcome: Outcome | None = Field(default=None, description="None while the release is open.")
    reason: str = Field(default="", description="Why it ended as it did, one sentence.")
    commit: str | None = None
    commit_message: str | None = None
    image_tag: str | None = None
    image_digest: str | None = Field(default=None, description="What the tag was at the registry.")
    deployment_uuid: str | None = None
    deployment_url: str | None = Field(default=None, description="Page of the deployment in Coolify.")
    serving: str | None = Field(default=None, description="Commit or tag that was proved to serve at the end.")
    url: str | None = Field(default=None, description="First public URL of the application.")
    flow_run_id: str | None = None
    set_run: str | None = Field(default=None, description="The run over a set that it belongs to.")
    fingerprint: str | None = Field(default=None, description="Digest of the configuration that was released.")
    journal: tuple[JournalEntry, ...] = ()
    decisions: tuple[DecisionRecord, ...] = ()
    before: Snapshot | None = Field(default=None, description="State before the release; None for a first one.")
    proved: Snapshot | None = Field(default=None, description="State that passed the health gate.")

    @property
    def is_open(self) -> bool:
        """Whether the release has not ended, or its process died."""
        return self.outcome is None

    @property
    def changed_anything(self) -> bool:
        """Whether a step that changes the server was begun."""
        return bool(self.journal)

    def journalled(self, step: Step, status: StepStatus, at: datetime, detail: str = "") -> ReleaseRecord:
        """Return the record with one more journal entry."""
        entry = JournalEntry(step=step, status=status, at=at, detail=detail)
        return self.model_copy(update={"journal": (*self.journal, entry)})

    def closed(self, outcome: Outcome, at: datetime, reason: str = "", serving: str | None = None) -> ReleaseRecord:
        """Return the record of the ended release."""
        return self.model_copy(update={"outcome": outcome, "finished_at": at, "reason": reason, "serving": serving})


class History(BaseModel):
    """What is known of all releases of one application, also of those whose records are not kept any more."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    records: tuple[ReleaseRecord, ...] = ()
    """Those that are kept, oldest first."""
    dropped: Mapping[str, int] = Field(default={})
    """How many records are not kept any more, by `ending_of`."""

    @property
    def endings(self) -> Mapping[str, int]:
        """How many releases and rollbacks ended how, ever since they are counted; by `ending_of`."""
        return Counter(self.dropped) + tally(self.records)


def ending_of(kind: ReleaseKind, outcome: Outcome) -> str:
    """Return what records are counted by.

    >>> ending_of("release", Outcome.ROLLED_BACK)
    'release rolled_back'
    """
    return f"{kind} {outcome.value}"


def tally(records: Iterable[ReleaseRecord]) -> Counter[str]:
    """Return how many records there are of each `ending_of`; open ones are not counted."""
    return Counter(ending_of(one.kind, one.outcome) for one in records if one.outcome is not None)


class RecordStore(Protocol):
    """Keeps the records of applications, encrypted, across processes and workers."""

    async def load(self, application_uuid: str) -> tuple[ReleaseRecord, ...]:
        """Return all kept records of an application, oldest first."""

    async def save(self, record: ReleaseRecord) -> None:
        """Insert the record or replace the one with its number."""


def next_number(records: Sequence[ReleaseRecord]) -> int:
    """Return the number of the next release of the application, counted from 1."""
    return max((record.number for record in records), default=0) + 1


def open_record(records: Iterable[ReleaseRecord]) -> ReleaseRecord | None:
    """Return the release that has not ended: it is running, or its process died."""
    return next((record for record in reversed(tuple(records)) if record.is_open), None)


def last_good(records: Iterable[ReleaseRecord], before: int | None = None) -> ReleaseRecord | None:
    """Return the newest release whose health gate passed.

    Args:
        records: Records of one application, oldest first.
        before: Only releases with a smaller number.
    """
    good = (record for record in records if record.outcome is Outcome.COMPLETED)
    return max(
        (record for record in good if before is None or record.number < before),
        key=lambda record: record.number,
        default=None,
    )


def prune(records: Sequence[ReleaseRecord], keep: int, keep_snapshots: int) -> tuple[ReleaseRecord, ...]:
    """Return the records to keep: the newest `keep`, snapshots only in the newest `keep_snapshots`.

    The last good release and an open one are always kept whole: they are the way back.
    """
    ordered = sorted(records, key=lambda record: record.number)
    protected = {record.number for record in (last_good(ordered), open_record(ordered)) if record}
    kept: list[ReleaseRecord] = []
    for age, record in enumerate(reversed(ordered)):
        if record.number in protected or age < keep_snapshots:
            kept.append(record)
        elif age < keep:
            kept.append(record.model_copy(update={"before": None, "proved": None}))
    return tuple(reversed(kept))
