"""One release per application at a time, across processes and workers."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from prefect.client.orchestration import get_client
from prefect.concurrency.asyncio import AcquireConcurrencySlotTimeoutError, concurrency

from coolify.errors import OperatorError

__all__ = ["ReleaseLockedError", "exclusive_release"]

_ACQUIRE_SECONDS: Final = 5.0
_LEASE_SECONDS: Final = 60.0
"""A dead holder frees its slot after this time; a living one renews the lease."""


class ReleaseLockedError(OperatorError):
    """Another run is releasing the same application."""


@asynccontextmanager
async def exclusive_release(server: str, project: str, environment: str, application: str) -> AsyncIterator[None]:
    """Hold the lock of one application, named before it exists, so that two first releases exclude each other.

    Raises:
        ReleaseLockedError: Somebody else holds it.
    """
    identity = repr((server, project, environment, application))
    name = f"coolify-release-{hashlib.sha256(identity.encode()).hexdigest()[:24]}"
    async with get_client() as client:
        # Without the limit a strict acquisition fails; creating it again changes nothing.
        await client.upsert_global_concurrency_limit_by_name(name, limit=1)
    try:
        async with concurrency(
            name, occupy=1, timeout_seconds=_ACQUIRE_SECONDS, lease_duration=_LEASE_SECONDS, strict=True
        ):
            yield
    except AcquireConcurrencySlotTimeoutError:
        raise ReleaseLockedError(
            f"Another run is releasing {application} ({environment}) right now: wait until it has ended. "
            f"If its process died, its lock '{name}' is free again within {_LEASE_SECONDS:.0f} s."
        ) from None
