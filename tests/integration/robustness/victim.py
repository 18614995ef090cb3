"""A release in a process of its own, to be killed: it runs no cleanup, as after a power failure."""

import asyncio
import os
from pathlib import Path

from pydantic import TypeAdapter

from coolify.release import ReleaseRecord
from tests.integration.robustness.bare import MemoryRecords, bare_flows, current_records

_RECORDS = TypeAdapter(list[ReleaseRecord])


class FileRecords(MemoryRecords):
    """Records in a file, as Prefect's server keeps them: what was saved outlives the process."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        if path.exists():
            for record in _RECORDS.validate_json(path.read_bytes()):
                self.records.setdefault(record.application_uuid, {})[record.number] = record

    async def save(self, record: ReleaseRecord) -> None:
        await super().save(record)
        everything = [one for records in self.records.values() for one in records.values()]
        written = self._path.with_suffix(".new")
        written.write_bytes(_RECORDS.dump_json(everything))
        written.rename(self._path)


def run_release(config: str, records: str, variable: str, token: str) -> None:
    """Release once; the process ends with code 0 if it completed."""
    from flows.release import ReleaseRequest, release
    from tasks.session import Target

    os.environ[variable] = token

    async def go() -> str | None:
        current_records.set(FileRecords(Path(records)))
        state = await release(ReleaseRequest(target=Target(config=config)))
        name: str | None = state.name
        return name

    with bare_flows():
        name = asyncio.run(go())
    os._exit(0 if name == "Completed" else 1)
