"""One release per application at a time, across processes and workers."""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from prefect.client.orchestration import get_client
from prefect.concurrency.asyncio import AcquireConcurrencySlotTimeoutError, concurrency
from prefect.settings import get_current_settings

from coolify.errors import OperatorError

__all__ = ["ReleaseLockedError", "exclusive_release"]

_ACQUIRE_SECONDS: Final = 5.0
_POLL_SECONDS: Final = 0.2
_LEASE_SECONDS: Final = 60.0
"""A dead holder frees its slot after this time; a living one renews the lease."""


class ReleaseLockedError(OperatorError):
    """Another run is releasing the same application."""


class _HeldError(Exception):
    """Somebody else holds it; the text says when it is free again."""


@asynccontextmanager
async def exclusive_release(server: str, project: str, environment: str, application: str) -> AsyncIterator[None]:
    """Hold the lock of one application, named before it exists, so that two first releases exclude each other.

    Raises:
        ReleaseLockedError: Somebody else holds it.
    """
    identity = repr((server, project, environment, application))
    name = f"coolify-release-{hashlib.sha256(identity.encode()).hexdigest()[:24]}"
    settings = get_current_settings()
    # Without a server of its own every process starts one, whose leases end with it unreleased: a process that is
    # killed would hold a slot for ever. All of them are on this machine, where a lock on a file ends with its process.
    lock = _slot(name) if settings.api.url else _file(settings.home / "coolify-locks" / name)
    try:
        async with lock:
            yield
    except _HeldError as held:
        raise ReleaseLockedError(
            f"Another run is releasing {application} ({environment}) right now: wait until it has ended.{held}"
        ) from None


@asynccontextmanager
async def _slot(name: str) -> AsyncIterator[None]:
    """Hold a slot of the Prefect server, which all processes and workers share."""
    async with get_client() as client:
        # Without the limit a strict acquisition fails; creating it again changes nothing.
        await client.upsert_global_concurrency_limit_by_name(name, limit=1)
    try:
        async with concurrency(
            name, occupy=1, timeout_seconds=_ACQUIRE_SECONDS, lease_duration=_LEASE_SECONDS, strict=True
        ):
            yield
    except AcquireConcurrencySlotTimeoutError:
        raise _HeldError(
            f" If its process died, its lock '{name}' is free again within {_LEASE_SECONDS:.0f} s."
        ) from None


@asynccontextmanager
async def _file(path: Path) -> AsyncIterator[None]:
    """Hold a lock on a file (flock(2)), which the system takes back when the process ends, however it ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        await _lock(file.fileno())
        yield


async def _lock(descriptor: int) -> None:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _ACQUIRE_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if loop.time() >= deadline:
                raise _HeldError from None
            await asyncio.sleep(_POLL_SECONDS)
        else:
            return
