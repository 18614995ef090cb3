"""Volumes of the sandbox: directories, and archives of them made by tar as Coolify's volume backup job makes them.

No container mounts them: what is in one is put there from the outside. Where an archive lies, on the server and in a
bucket, is the job's too: below the identifier of the volume, with the second of its beginning at the end of the name.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from coolify_sandbox.runtime.shell import kill
from coolify_sandbox.runtime.upload import upload
from coolify_sandbox.server.state import Row, State, new_uuid, timestamp

__all__ = ["VolumeRuntime"]


class VolumeRuntime:
    """Archives volumes.

    Args:
        directory: Where volumes and archives live.
        state: The sandbox's objects.
    """

    def __init__(self, directory: Path, state: State) -> None:
        self._directory = directory
        self._state = state
        self._jobs: set[asyncio.Task[None]] = set()
        self._last = 0

    def folder(self, volume: Row) -> Path:
        """Return what is in a volume."""
        path = self._directory / "volumes" / str(volume["name"])
        path.mkdir(parents=True, exist_ok=True)
        return path

    async def close(self) -> None:
        """Give up what is being archived."""
        for job in self._jobs:
            job.cancel()
        await asyncio.gather(*self._jobs, return_exceptions=True)

    def back_up_later(self, backup: Row, volume: Row) -> None:
        """Queue an execution."""
        self._later(self._back_up(backup, volume))

    async def _back_up(self, backup: Row, volume: Row) -> None:
        # Names hold the second: two in one second would be one file.
        self._last = moment = max(int(time.time()), self._last + 1)
        slug = re.sub(r"[^a-z0-9]+", "-", str(volume["name"]).lower()).strip("-")
        filename = f"/data/coolify/backups/volumes/root-team-0/{volume.uuid}/volume-{slug}-{moment}.tar.gz"
        fields = {"volume_backup_id": backup.id, "filename": filename, "status": "running", "s3_uploaded": None}
        row = self._state.insert("volume_backup_execution", fields, uuid=new_uuid())
        path = self._directory / filename.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        command = ("tar", "-czf", str(path), "-C", str(self.folder(volume)), ".")
        process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE, start_new_session=True)
        try:
            _, errors = await process.communicate()
        except asyncio.CancelledError:
            await kill(process)
            raise
        if process.returncode != 0:
            path.unlink(missing_ok=True)
            self._state.update(row, status="failed", message=errors.decode(errors="replace"), finished_at=timestamp())
            return
        facts: dict[str, Any] = {"status": "success", "size": path.stat().st_size, "finished_at": timestamp()}
        if backup["save_s3"]:
            facts |= await upload(self._state, backup, path, filename)
        self._state.update(row, **facts)

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        job = asyncio.create_task(work)
        self._jobs.add(job)
        job.add_done_callback(self._jobs.discard)
