"""Restore points of one database, on the Prefect server."""

from __future__ import annotations

from collections.abc import Sequence

from prefect.blocks.core import Block
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import BlockDocumentUpdate
from prefect.client.schemas.objects import BlockDocument
from prefect.exceptions import ObjectNotFound
from pydantic import Field, HttpUrl, TypeAdapter

from coolify.backup.proof import RestorePoint

__all__ = ["BlockRestorePointStore", "RestorePoints"]

_POINTS = TypeAdapter(tuple[RestorePoint, ...])


class RestorePoints(Block):
    """Which dumps of one database were seen to restore, and which were not.

    Written by the flow `verify backups`, not by hand. The name of the block is the database's UUID in Coolify.

    Example:
        Read the restore points of a database:
        ```python
        from blocks import RestorePoints

        points = RestorePoints.load("BLOCK_NAME")
        ```
    """

    _block_type_name = "Coolify Restore Points"
    _block_type_slug = "coolify-restore-points"
    _documentation_url = HttpUrl("https://docs.prefect.io/v3/concepts/blocks")

    points: str = Field(default="[]", description="Restore points as JSON.")


class BlockRestorePointStore:
    """The `RestorePointStore` of the flows: one `RestorePoints` block per database."""

    async def load(self, database_uuid: str) -> tuple[RestorePoint, ...]:
        """Return the points of a database, oldest first."""
        async with get_client() as client:
            document = await _find(client, database_uuid)
            return _POINTS.validate_json(str(document.data["points"])) if document else ()

    async def save(self, database_uuid: str, points: Sequence[RestorePoint]) -> None:
        """Replace the points of a database."""
        text = _POINTS.dump_json(tuple(points)).decode()
        async with get_client() as client:
            document = await _find(client, database_uuid)
            if document is None:
                await RestorePoints(points=text).asave(database_uuid)
            else:
                await client.update_block_document(document.id, BlockDocumentUpdate(data={"points": text}))


async def _find(client: PrefectClient, database_uuid: str) -> BlockDocument | None:
    try:
        return await client.read_block_document_by_name(database_uuid, RestorePoints.get_block_type_slug())
    except ObjectNotFound:
        return None
