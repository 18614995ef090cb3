"""How the embedded Coolify is set up."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["ServerSettings"]


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Version, limits and surroundings of the embedded Coolify."""

    version: str = "4.3.11"
    rate_limit: int = 200
    """Requests a minute and user."""
    clock: Callable[[], float] = time.monotonic
    """Seconds, for that minute."""
    concurrent_builds: int = 2
    deployment_queue_limit: int = 25
    wildcard_domain: str | None = None
    server_ip: str = "127.0.0.1"
    disk_bytes: int | None = None
    """Size of the server's disk for images and build cache, None for one that is never full."""
    status_seconds: float = 60.0
    """How often it looks at all containers for the `status` of applications (reference 4.5)."""
