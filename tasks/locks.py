"""One release per application at a time, across processes and workers, and who it is.

With a Prefect server the lock is a slot of a concurrency limit, held by a lease. Prefect does not tell who holds a
lease, so the holder leaves a note beside it, in a Prefect variable. The note is only ever read while the slot is taken,
and what it says is compared with the run that it names: a note that somebody left who died is not passed off as the
holder's.

Without one the lock is on a file (flock(2)), and the note is what the file says.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from uuid import UUID

import httpx
from prefect.client.orchestration import get_client
from prefect.concurrency.asyncio import (
    AcquireConcurrencySlotTimeoutError,
    ConcurrencySlotAcquisitionError,
    concurrency,
)
from prefect.exceptions import ObjectNotFound
from prefect.runtime import flow_run
from prefect.settings import get_current_settings
from prefect.variables import Variable
from pydantic import BaseModel, ConfigDict, ValidationError

from coolify.errors import OperatorError
from coolify.whoami import this_operator

__all__ = [
    "LockNote",
    "ReleaseLockedError",
    "WatchLockedError",
    "exclusive_release",
    "exclusive_set",
    "exclusive_watch",
]

_ACQUIRE_SECONDS: Final = 5.0
_ANSWER_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 0.2
_LEASE_SECONDS: Final = 60.0
"""A dead holder frees its slot after this time; a living one renews the lease after three quarters of it."""
_SET_LEASE_SECONDS: Final = 300.0
"""Lease in a set, whose many releases keep the Prefect server so busy that it answers late."""


_held: ContextVar[frozenset[str]] = ContextVar("coolify_locks", default=frozenset())
"""Locks that the flows around this one hold and lend."""
_lease: ContextVar[float] = ContextVar("coolify_lease", default=_LEASE_SECONDS)
"""Lease, seconds, of the locks that are taken here."""


class ReleaseLockedError(OperatorError):
    """Another run is releasing the same application."""


class WatchLockedError(OperatorError):
    """Another run of the same watch is under way."""


class LockServerError(OperatorError):
    """The Prefect server is too slow to tell whether a lock is free, or to let it be kept."""


class LockNote(BaseModel):
    """Who holds a lock."""

    model_config = ConfigDict(frozen=True)

    run_id: str
    run_name: str
    who: str
    since: datetime
    lease: float = _SET_LEASE_SECONDS
    """Seconds after which a dead holder's lock is free again."""


class _HeldError(Exception):
    def __init__(self, holder: LockNote | None, hint: str = "") -> None:
        self.holder = holder
        """None where it is not certain who it is."""
        self.hint = hint
        """When it is free again if its holder is dead."""
        super().__init__()


@asynccontextmanager
async def exclusive_release(
    server: str, project: str, environment: str, application: str, *, lend: bool = False
) -> AsyncIterator[None]:
    """Hold the lock of one application, named before it exists, so that two first releases exclude each other.

    Args:
        server: Address of the Coolify server.
        project: Name of the project.
        environment: Name of the environment.
        application: Name of the application.
        lend: Whether flows that are called while it is held share it, instead of being refused.

    Raises:
        ReleaseLockedError: Somebody else holds it; says who, and since when.
    """
    identity = repr((server, project, environment, application))
    name = f"coolify-release-{hashlib.sha256(identity.encode()).hexdigest()[:24]}"
    if name in _held.get():
        yield
        return
    try:
        async with _lock_of(name):
            mark = _held.set(_held.get() | ({name} if lend else set()))
            try:
                yield
            finally:
                _held.reset(mark)
    except _HeldError as held:
        raise ReleaseLockedError(
            f"Another run is releasing {application} ({environment}) right now{_describe(held.holder)}: wait until it "
            f"has ended.{held.hint}"
        ) from None


@asynccontextmanager
async def exclusive_set(name: str) -> AsyncIterator[None]:
    """Hold the lock of a set: two runs over it would take each other's releases for their own.

    This lock, and those of the releases within, are free again only after minutes where their process died.

    Raises:
        ReleaseLockedError: Somebody else holds it; says who, and since when.
    """
    mark = _lease.set(_SET_LEASE_SECONDS)
    try:
        async with exclusive_release("set", name, "set", f"the set {name}"):
            yield
    finally:
        _lease.reset(mark)


@asynccontextmanager
async def exclusive_watch(name: str) -> AsyncIterator[None]:
    """Hold the lock of one watch: what two runs remember side by side would be what one of them has seen.

    Raises:
        WatchLockedError: Another run is watching.
    """
    try:
        async with _lock_of(f"coolify-watch-{name}"):
            yield
    except _HeldError as held:
        raise WatchLockedError(f"Another run of the watch '{name}' is under way{_describe(held.holder)}.") from None


def _lock_of(name: str) -> AbstractAsyncContextManager[None]:
    settings = get_current_settings()
    # Without a server of its own every process starts one, whose leases end with it unreleased: a process that is
    # killed would hold a slot for ever. All of them are on this machine, where a lock on a file ends with its process.
    return _slot(name) if settings.api.url else _file(settings.home / "coolify-locks" / name)


@asynccontextmanager
async def _slot(name: str) -> AsyncIterator[None]:
    """Hold a slot of the Prefect server, which all processes and workers share."""
    async with get_client() as client:
        # Without the limit a strict acquisition fails; creating it again changes nothing.
        await client.upsert_global_concurrency_limit_by_name(name, limit=1)
    note = name.replace("-", "_")
    try:
        async with AsyncExitStack() as stack:
            if not await _take_slot(stack, name):
                holder = await _read_variable(note)
                lease = _SET_LEASE_SECONDS if holder is None else holder.lease
                hint = f" If its process died, its lock '{name}' is free again within {lease:.0f} s."
                raise _HeldError(holder, hint)
            await Variable.aset(note, _own_note().model_dump(mode="json"), overwrite=True)
            try:
                yield
            finally:
                # A note that stays is no harm: it is compared with the run that it names.
                with suppress(Exception):
                    await Variable.aunset(note)
    except asyncio.CancelledError as stopped:
        # Prefect stops whoever holds a slot whose lease it could not renew, by a cancellation of a kind of its own.
        if type(stopped) is asyncio.CancelledError:
            raise
        raise LockServerError(
            f"The lock '{name}' was lost: the Prefect server did not renew it in time, so that another run could have "
            "begun, and this one has stopped. Run again when that server has less to do; of a set, release fewer at "
            "the same time (`parallel`)."
        ) from None


async def _take_slot(stack: AsyncExitStack, name: str) -> bool:
    """Take the slot, and return False when the server has said for some seconds that somebody else has it.

    Its answer is what counts, however long it takes: a server that is busy with many releases is not a lock that is
    held, and a request that is given up may still take the slot.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _ACQUIRE_SECONDS
    while True:
        slot = concurrency(
            name,
            occupy=1,
            timeout_seconds=_ANSWER_SECONDS,
            max_retries=0,
            lease_duration=_lease.get(),
            strict=True,
        )
        try:
            await stack.enter_async_context(slot)
        except ConcurrencySlotAcquisitionError as error:
            cause = error.__cause__
            if not (isinstance(cause, httpx.HTTPStatusError) and cause.response.status_code == httpx.codes.LOCKED):
                raise
            if loop.time() >= deadline:
                return False
        except AcquireConcurrencySlotTimeoutError:
            raise LockServerError(
                f"The Prefect server has not answered for {_ANSWER_SECONDS:.0f} s whether its lock '{name}' is free: "
                "it has too much to do. Run again, with fewer releases at the same time (`parallel`)."
            ) from None
        else:
            return True
        await asyncio.sleep(_POLL_SECONDS)


@asynccontextmanager
async def _file(path: Path) -> AsyncIterator[None]:
    """Hold a lock on a file (flock(2)), which the system takes back when the process ends, however it ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Not emptied when it is opened: it may be locked, and say by whom.
    with path.open("a+") as file:
        await _lock(file.fileno(), path)
        file.truncate(0)
        file.write(_own_note().model_dump_json())
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)


async def _lock(descriptor: int, path: Path) -> None:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _ACQUIRE_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if loop.time() >= deadline:
                raise _HeldError(_read_file(path)) from None
            await asyncio.sleep(_POLL_SECONDS)
        else:
            return


def _own_note() -> LockNote:
    return LockNote(
        run_id=str(flow_run.id or ""),
        run_name=str(flow_run.name or ""),
        who=this_operator(),
        since=datetime.now(UTC),
        lease=_lease.get(),
    )


async def _read_variable(name: str) -> LockNote | None:
    try:
        note = LockNote.model_validate(await Variable.aget(name))
        async with get_client() as client:
            run = await client.read_flow_run(UUID(note.run_id))
    except (ValueError, ObjectNotFound):
        return None
    # Where its run has ended, the holder has not left its own note yet.
    return note if run.state is not None and not run.state.is_final() else None


def _read_file(path: Path) -> LockNote | None:
    try:
        return LockNote.model_validate_json(path.read_text())
    except (OSError, ValidationError):
        return None


def _describe(holder: LockNote | None) -> str:
    if holder is None:
        return ""
    return f" ({holder.who} in the run '{holder.run_name}', since {holder.since:%Y-%m-%d %H:%M:%S} UTC)"
