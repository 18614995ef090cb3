"""Before a release: a backup of every scheduled database that is fresh, and whose restore was seen."""

from __future__ import annotations

from prefect import flow

from blocks import CoolifyServer
from coolify.errors import OperatorError
from coolify.wording import counted
from flows.back_up import BackedUp, BackUpRequest, back_up
from flows.verify_backups import Verified, VerifyRequest, verify_backups
from tasks.phases import phase, step_done
from tasks.session import Target, open_session

__all__ = ["BackupNotProvedError", "back_up_first"]


class BackupNotProvedError(OperatorError):
    """There is no fresh backup of which is known that it restores."""


@flow(name="back up first", flow_run_name="back up first {target.label}")
async def back_up_first(target: Target, server: CoolifyServer | None = None) -> int:
    """Back up every database that has a schedule, restore each dump into a scratch server, and return their number.

    Args:
        target: The application.
        server: Connection to Coolify instead of the one in the configuration file.

    Raises:
        BackupNotProvedError: One was not made, or its restore was not seen.
    """
    async with open_session(target, server) as session, phase("back up first") as handle:
        config = session.config
        wanted = sorted({one.database for one in config.backups.schedules.values() if one.enabled})
        for key in sorted(set(config.databases) - set(wanted)):
            step_done(f"{key} has no schedule in `backups`: it is not backed up before this release")
        proved = set()
        for key in wanted:
            fresh = await _back_up(target, key)
            await _prove(target, key, fresh)
            proved.add(key)
        handle.done(f"{counted(len(proved), 'fresh backup')} restored and asked")
        return len(proved)


async def _back_up(target: Target, database: str) -> frozenset[str]:
    """Return the executions of a backup that is made now."""
    state = await back_up(BackUpRequest(target=target, database=database), return_state=True)
    made = await state.aresult(raise_on_failure=False)
    if not isinstance(made, BackedUp) or not made.good:
        raise BackupNotProvedError(f"There is no fresh backup of {database}: {_reason(state.message, made)}")
    return frozenset(made.executions)


async def _prove(target: Target, database: str, fresh: frozenset[str]) -> None:
    """See that what was just made restores."""
    state = await verify_backups(VerifyRequest(target=target, database=database), return_state=True)
    result = await state.aresult(raise_on_failure=False)
    points = [one for one in result.points if one.execution in fresh] if isinstance(result, Verified) else []
    if not points or not all(one.proved for one in points):
        raise BackupNotProvedError(
            f"The fresh backup of {database} is not proved: {_reason(state.message, result)} Nothing is deployed."
        )


def _reason(message: str | None, result: object) -> str:
    return (message or "") or (str(result) if isinstance(result, Exception) else "it was not looked at.")
