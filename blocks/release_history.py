"""Records of the releases of one application, encrypted on the Prefect server."""

from __future__ import annotations

from collections import Counter
from typing import Final

import httpx
from prefect.blocks.core import Block
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import BlockDocumentUpdate
from prefect.client.schemas.objects import BlockDocument
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError
from pydantic import Field, HttpUrl, SecretStr, TypeAdapter

from coolify.release import ReleaseRecord, prune
from coolify.release.record import History, tally

__all__ = ["BlockRecordStore", "ReleaseHistory"]

_MORE_ATTEMPTS: Final = 3
"""Each is five of the client, which take a minute."""
_RECORDS = TypeAdapter(tuple[ReleaseRecord, ...])


class ReleaseHistory(Block):
    """Journal, snapshots and outcomes of one application's releases.

    Written by the release and rollback flows, not by hand. The records hold variable values, so they are one
    secret field. The name of the block is the application's UUID in Coolify.

    Example:
        Read the history of an application:
        ```python
        from blocks import ReleaseHistory

        history = ReleaseHistory.load("BLOCK_NAME")
        ```
    """

    _block_type_name = "Coolify Release History"
    _block_type_slug = "coolify-release-history"
    _documentation_url = HttpUrl("https://docs.prefect.io/v3/concepts/blocks")

    records: SecretStr = Field(default=SecretStr("[]"), description="Release records as JSON.")
    dropped: dict[str, int] = Field(
        default={}, description="How many records are not kept any more, by kind and outcome."
    )


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
        async with get_client() as client:
            return _records_of(await _find(client, application_uuid))

    async def history(self, application_uuid: str) -> History:
        """Return all kept records of the application, and how many there were before them."""
        async with get_client() as client:
            document = await _find(client, application_uuid)
            return History(records=_records_of(document), dropped=_dropped_of(document))

    async def save(self, record: ReleaseRecord) -> None:
        """Insert the record or replace the one with its number, and drop what is too old.

        A Prefect server on SQLite refuses to write while much is written at the same time (503), for longer than its
        client is patient; to give up would leave a release half-way, and saving twice is harmless.
        """
        for _ in range(_MORE_ATTEMPTS):
            try:
                await self._save(record)
            except PrefectHTTPStatusError as error:
                if error.response.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                    raise
            else:
                return
        await self._save(record)

    async def _save(self, record: ReleaseRecord) -> None:
        async with get_client() as client:
            document = await _find(client, record.application_uuid)
            others = [other for other in _records_of(document) if other.number != record.number]
            kept = prune(sorted([*others, record], key=lambda one: one.number), self._keep, self._keep_snapshots)
            text = _RECORDS.dump_json(kept).decode()
            if document is None:
                await ReleaseHistory(records=SecretStr(text)).asave(record.application_uuid)
                return
            numbers = {one.number for one in kept}
            # Counted on: numbers of releases must not go down because old records are dropped.
            dropped = Counter(_dropped_of(document)) + tally(one for one in others if one.number not in numbers)
            update = BlockDocumentUpdate(data={"records": text, "dropped": dict(dropped)})
            await client.update_block_document(document.id, update)


async def _find(client: PrefectClient, application_uuid: str) -> BlockDocument | None:
    try:
        return await client.read_block_document_by_name(application_uuid, ReleaseHistory.get_block_type_slug())
    except ObjectNotFound:
        return None


def _records_of(document: BlockDocument | None) -> tuple[ReleaseRecord, ...]:
    return _RECORDS.validate_json(str(document.data["records"])) if document else ()


def _dropped_of(document: BlockDocument | None) -> dict[str, int]:
    # A block that an earlier version has written has none.
    return dict(document.data.get("dropped") or {}) if document else {}
