"""Records of the releases of one application, encrypted on the Prefect server."""

from __future__ import annotations

from prefect.blocks.core import Block
from pydantic import Field, SecretStr, TypeAdapter

from coolify.release import ReleaseRecord, prune

__all__ = ["BlockRecordStore", "ReleaseHistory"]

_RECORDS = TypeAdapter(tuple[ReleaseRecord, ...])


class ReleaseHistory(Block):
    """Journal, snapshots and outcomes of one application's releases.

    Written by the release and rollback flows, not by hand. The records hold variable values, so they are one
    secret field. The name of the block is the application's UUID in Coolify.

    Example:
        Read the history of an application:
        ```python
        from blocks import ReleaseHistory

        history = await ReleaseHistory.aload("BLOCK_NAME")
        ```
    """

    _block_type_name = "Coolify Release History"
    _block_type_slug = "coolify-release-history"
    _documentation_url = "https://docs.prefect.io/v3/concepts/blocks"

    records: SecretStr = Field(default=SecretStr("[]"), description="Release records as JSON.")


class BlockRecordStore:
    """The `RecordStore` of the flows: one `ReleaseHistory` block per application.

    A release holds its application's lock while it writes, so that the read-modify-write here is alone.

    Args:
        keep: Number of records kept per application.
        keep_snapshots: Number of newest records that keep their snapshot.
    """

    def __init__(self, keep: int = 50, keep_snapshots: int = 5) -> None:
        self._keep = keep
        self._keep_snapshots = keep_snapshots

    async def load(self, application_uuid: str) -> tuple[ReleaseRecord, ...]:
        """Return all kept records of the application, oldest first."""
        history = await _find(application_uuid)
        return () if history is None else _RECORDS.validate_json(history.records.get_secret_value())

    async def save(self, record: ReleaseRecord) -> None:
        """Insert the record or replace the one with its number, and drop what is too old."""
        others = [other for other in await self.load(record.application_uuid) if other.number != record.number]
        kept = prune(sorted([*others, record], key=lambda one: one.number), self._keep, self._keep_snapshots)
        history = ReleaseHistory(records=SecretStr(_RECORDS.dump_json(kept).decode()))
        await history.asave(record.application_uuid, overwrite=True)


async def _find(application_uuid: str) -> ReleaseHistory | None:
    try:
        return await ReleaseHistory.aload(application_uuid)
    except ValueError as error:
        # Prefect raises a bare ValueError for a missing document, and for nothing else that reading can meet.
        if "Unable to find block document" in str(error):
            return None
        raise
