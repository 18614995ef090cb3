"""Run a backup now and follow the right execution: Coolify's answer names none (reference 5.3)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

from coolify.api import CoolifyClient
from coolify.api.backups import BackupExecution, BackupSchedule, BackupStatus
from coolify.api.databases import Database
from coolify.errors import OperatorError

__all__ = ["BackupNotStartedError", "run_and_follow"]

_LONGEST_POLL: Final = 5.0


class BackupNotStartedError(OperatorError):
    """No execution came."""


async def run_and_follow(
    client: CoolifyClient,
    database: Database,
    schedule: BackupSchedule,
    *,
    poll: float = 0.5,
    patience: float = 120.0,
    on_change: Callable[[str], None] = lambda _: None,
) -> tuple[BackupExecution, ...]:
    """Run a schedule now and return its executions, one for each name that it dumps.

    What is newer is told by identifiers and not by times: clocks differ.

    Args:
        client: The server.
        database: The database.
        schedule: One of its schedules.
        poll: Seconds between the first two looks; later ones are further apart.
        patience: Seconds within which the executions must appear.
        on_change: Hears what is being waited for.

    Raises:
        BackupNotStartedError: Coolify took the order and nothing came of it.
        OperatorError: It did not end within the schedule's time.
    """
    before = {one.uuid for one in await client.backups.executions(database, schedule.uuid)}
    expected = 1 if schedule.dump_all else max(1, len((schedule.databases_to_backup or "").split(",")))
    started = time.monotonic()
    await client.backups.run_now(database, schedule.uuid)
    told = ""
    while True:
        executions = await client.backups.executions(database, schedule.uuid)
        ours = tuple(one for one in executions if one.uuid not in before)
        ended = [one for one in ours if one.status is not BackupStatus.RUNNING]
        waited = time.monotonic() - started
        if len(ours) >= expected and len(ended) == len(ours):
            return ours
        if not ours and waited > patience:
            raise BackupNotStartedError(
                f"Coolify took the order to back up {database.name}, but after {patience:.0f} s there is no execution: "
                "its queue (Horizon) does not work, or the database does not run."
            )
        if ended and len(ended) == len(ours) and waited > patience:
            return ours
        if waited > schedule.timeout + patience:
            raise OperatorError(f"The backup of {database.name} has not ended after {waited:.0f} s.")
        state = f"{len(ended)} of {expected} done" if ours else "queued"
        if state != told:
            on_change(state)
            told = state
        await asyncio.sleep(poll)
        poll = min(poll * 1.5, _LONGEST_POLL)
