"""What databases of the sandbox do: PostgreSQL really runs, the other engines only say so.

A backup of a PostgreSQL is a real dump by pg_dump, stored below the sandbox's directory at the path that it would have
on a server, and uploaded to the real S3 endpoint of its storage (reference 5.3).
"""

from __future__ import annotations

import asyncio
import gzip
import logging
import re
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Final

from coolify_sandbox.runtime.postgres import PostgresMissingError, PostgresServer, ToolError
from coolify_sandbox.runtime.upload import upload
from coolify_sandbox.server.database_engines import ENGINES
from coolify_sandbox.server.state import Row, State, new_uuid, timestamp

__all__ = ["DatabaseRuntime"]

_log: Final = logging.getLogger(__name__)
_RUNNING: Final = "running:healthy"
_STOPPED: Final = "exited:unhealthy"
_POSTGRES: Final = "database postgresql"


class DatabaseRuntime:
    """Runs databases and their backups.

    Args:
        directory: Where data and dumps live.
        state: The sandbox's objects.
    """

    def __init__(self, directory: Path, state: State) -> None:
        self._directory = directory
        self._state = state
        self._servers: dict[str, PostgresServer] = {}
        self._jobs: set[asyncio.Task[None]] = set()
        self._locks: dict[str, asyncio.Lock] = {}
        self._last = 0

    def server(self, uuid: str) -> PostgresServer:
        """Return the running PostgreSQL of a database, for tests that put something into it."""
        return self._servers[uuid]

    def file(self, filename: str) -> Path:
        """Return where a dump lies that Coolify would have at this path of its server."""
        return self._directory / filename.lstrip("/")

    def resume(self) -> None:
        """Start what ran when the sandbox ended."""
        for engine in ENGINES:
            for row in self._state.all(f"database {engine}"):
                if str(row["status"]).startswith("running"):
                    self.start_later(self._state.update(row, status=_STOPPED))

    async def close(self) -> None:
        """Stop everything; data stays, except where we are root (see `PostgresServer`)."""
        for job in self._jobs:
            job.cancel()
        await asyncio.gather(*self._jobs, return_exceptions=True)
        for server in self._servers.values():
            await server.stop()
            server.discard()

    def start_later(self, row: Row) -> None:
        """Queue a start; the status tells when it is done."""
        self._later(self._start(row))

    def restart_later(self, row: Row) -> None:
        """Queue a stop and a start."""
        self._later(self._restart(row))

    def stop_later(self, row: Row) -> None:
        """Queue a stop."""
        self._later(self._stop(row))

    def remove_later(self, row: Row, *, wipe: bool) -> None:
        """Queue the end of a database that is deleted."""
        self._later(self._stop(row, wipe=wipe))

    def back_up_later(self, backup: Row, database: Row) -> None:
        """Queue one execution for each name that the schedule dumps."""
        names = [one.strip() for one in str(backup["databases_to_backup"] or "").split(",") if one.strip()]
        for name in ["all"] if backup["dump_all"] else names or [""]:
            self._later(self._back_up(backup, database, name))

    async def _start(self, row: Row) -> None:
        async with self._lock(row):
            if row.kind == _POSTGRES:
                try:
                    await self._start_postgres(row)
                except (PostgresMissingError, ToolError, TimeoutError) as error:
                    _log.error("%s", error)
                    return
            self._state.update(row, status=_RUNNING, last_online_at=timestamp(), started_at=timestamp())

    async def _start_postgres(self, row: Row) -> None:
        server = self._servers.get(str(row.uuid))
        if server is None:
            folder = self._directory / "databases" / str(row.uuid)
            server = PostgresServer(folder, row["postgres_user"], row["postgres_db"])
            self._servers[str(row.uuid)] = server
        if not server.is_running:
            await server.start()

    async def _restart(self, row: Row) -> None:
        await self._stop(row)
        await self._start(row)

    async def _stop(self, row: Row, *, wipe: bool = False) -> None:
        async with self._lock(row):
            server = self._servers.get(str(row.uuid))
            if server is not None:
                await server.stop(wipe=wipe)
            if server is not None and wipe:
                del self._servers[str(row.uuid)]
                server.discard()
            if self._state.by_id(row.kind, row.id) is not None:
                self._state.update(row, status=_STOPPED)

    async def _back_up(self, backup: Row, database: Row, name: str) -> None:
        # Names hold the second: two in one second would be one file.
        self._last = moment = max(int(time.time()), self._last + 1)
        suffix = f"all-{moment}.gz" if backup["dump_all"] else f"{name}-{moment}.dmp"
        slug = re.sub(r"[^a-z0-9]+", "-", str(database["name"]).lower()).strip("-")
        filename = f"/data/coolify/backups/databases/root-team-0/{slug}-{database.uuid}/pg-dump-{suffix}"
        row = self._state.insert(
            "backup_execution",
            {
                "backup_id": backup.id,
                "database_name": name,
                "filename": filename,
                "size": 0,
                "message": None,
                "status": "running",
                "s3_uploaded": None,
                "finished_at": None,
            },
            uuid=new_uuid(),
        )
        path = self.file(filename)
        try:
            content = await self._dump(database, name, everything=bool(backup["dump_all"]))
        except ToolError as error:
            self._state.update(row, status="failed", message=str(error), filename=None, finished_at=timestamp())
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        facts: dict[str, Any] = {"status": "success", "size": len(content), "finished_at": timestamp()}
        if backup["save_s3"]:
            facts |= await upload(self._state, backup, path, filename)
        self._state.update(row, **facts)

    async def _dump(self, database: Row, name: str, *, everything: bool) -> bytes:
        if database.kind != _POSTGRES:
            raise ToolError(f"The sandbox runs PostgreSQL only, no {database.kind.partition(' ')[2]}.")
        server = self._servers.get(str(database.uuid))
        if server is None or not server.is_running:
            raise ToolError(f"Error response from daemon: No such container: {database.uuid}")
        if everything:
            return gzip.compress(await server.dump_all())
        return await server.dump(name)

    def _lock(self, row: Row) -> asyncio.Lock:
        return self._locks.setdefault(str(row.uuid), asyncio.Lock())

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        job = asyncio.create_task(work)
        self._jobs.add(job)
        job.add_done_callback(self._jobs.discard)
