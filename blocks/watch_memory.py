"""What the watch remembers, and what people have said about it, on the Prefect server."""

from __future__ import annotations

from prefect.blocks.core import Block
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import BlockDocumentUpdate
from prefect.client.schemas.objects import BlockDocument
from prefect.exceptions import ObjectNotFound
from pydantic import Field, HttpUrl

from coolify.monitor.memory import Notes, WatchState

__all__ = ["AlertNotes", "BlockWatchStore", "WatchMemory"]


class WatchMemory(Block):
    """What one watch remembers from one run to the next.

    Written by the flow `watch`, not by hand; deleting it makes the watch begin anew. The block has the watch's name.

    Example:
        Read what a watch remembers:
        ```python
        from blocks import WatchMemory

        memory = WatchMemory.load("BLOCK_NAME")
        ```
    """

    _block_type_name = "Coolify Watch Memory"
    _block_type_slug = "coolify-watch-memory"
    _documentation_url = HttpUrl("https://docs.prefect.io/v3/concepts/blocks")

    state: str = Field(default="{}", description="What is remembered, as JSON.")


class AlertNotes(Block):
    """What people have silenced and acknowledged.

    Written by `coolify monitor alerts`, and only read by the flow `watch`: neither can overwrite the other.

    Example:
        Read the notes for a watch:
        ```python
        from blocks import AlertNotes

        notes = AlertNotes.load("BLOCK_NAME")
        ```
    """

    _block_type_name = "Coolify Alert Notes"
    _block_type_slug = "coolify-alert-notes"
    _documentation_url = HttpUrl("https://docs.prefect.io/v3/concepts/blocks")

    notes: str = Field(default="{}", description="Silences and acknowledgements, as JSON.")


class BlockWatchStore:
    """Where one watch is remembered.

    Args:
        name: Name of the watch: lower-case letters, digits and dashes.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    async def load(self) -> WatchState:
        """Return what is remembered; nothing before the first run."""
        text = await self._read(WatchMemory, "state")
        return WatchState.model_validate_json(text) if text else WatchState()

    async def save(self, state: WatchState) -> None:
        """Replace what is remembered."""
        await self._write(WatchMemory, "state", state.model_dump_json(exclude_defaults=True))

    async def load_notes(self) -> Notes:
        """Return what people have said."""
        text = await self._read(AlertNotes, "notes")
        return Notes.model_validate_json(text) if text else Notes()

    async def save_notes(self, notes: Notes) -> None:
        """Replace what people have said."""
        await self._write(AlertNotes, "notes", notes.model_dump_json(exclude_defaults=True))

    async def _read(self, kind: type[Block], field: str) -> str:
        async with get_client() as client:
            document = await self._find(client, kind)
        return str(document.data[field]) if document else ""

    async def _write(self, kind: type[Block], field: str, text: str) -> None:
        async with get_client() as client:
            document = await self._find(client, kind)
            if document is None:
                await kind(**{field: text}).asave(self._name)
            else:
                await client.update_block_document(document.id, BlockDocumentUpdate(data={field: text}))

    async def _find(self, client: PrefectClient, kind: type[Block]) -> BlockDocument | None:
        try:
            return await client.read_block_document_by_name(self._name, kind.get_block_type_slug())
        except ObjectNotFound:
            return None
