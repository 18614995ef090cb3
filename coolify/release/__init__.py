"""What makes a release recoverable: record, journal, snapshot, and the way back.

Pure data and decisions only; the flows act on them, and a `RecordStore` keeps them.
"""

from coolify.release.record import (
    DecisionRecord,
    JournalEntry,
    Outcome,
    RecordStore,
    ReleaseKind,
    ReleaseRecord,
    Step,
    StepStatus,
    last_good,
    next_number,
    open_record,
    prune,
)
from coolify.release.snapshot import Snapshot, SnapshotVariable

__all__ = [
    "DecisionRecord",
    "JournalEntry",
    "Outcome",
    "RecordStore",
    "ReleaseKind",
    "ReleaseRecord",
    "Snapshot",
    "SnapshotVariable",
    "Step",
    "StepStatus",
    "last_good",
    "next_number",
    "open_record",
    "prune",
]
