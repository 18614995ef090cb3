"""A sandbox in a process of its own: prints where it is, runs until its input ends, then prints what it has seen."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import TYPE_CHECKING

from coolify_sandbox.sandbox import Sandbox
from coolify_sandbox.server.settings import ServerSettings

if TYPE_CHECKING:
    from coolify_sandbox.server.faults import SeenRequest


class _Times(list["SeenRequest"]):
    """Notes when each request was answered, and which were refused."""

    def __init__(self) -> None:
        super().__init__()
        self.moments: list[float] = []
        self.refused = 0

    def append(self, one: SeenRequest) -> None:
        """Note one request."""
        self.moments.append(time.monotonic())
        self.refused += one.status == 429


async def main() -> None:
    """Run the sandbox."""
    async with Sandbox(settings=ServerSettings(concurrent_builds=int(sys.argv[1]))) as sandbox:
        seen = _Times()
        sandbox.app.state.faults.requests = seen
        host, port = sandbox.dns_address
        _print(
            {
                "url": sandbox.url,
                "token": sandbox.token,
                "dns": f"{host}:{port}",
                "ca_file": str(sandbox.ca_file),
                "http_port": sandbox.edge.http_port,
                "https_port": sandbox.edge.https_port,
            }
        )
        await asyncio.to_thread(sys.stdin.read)
        deployments = [
            {"application": row["application_name"], "queued": row["created_at"], "ended": row["finished_at"]}
            for row in sandbox.state.all("deployment")
        ]
        _print({"requests": seen.moments, "refused": seen.refused, "deployments": deployments})


def _print(document: object) -> None:
    sys.stdout.write(json.dumps(document) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main())
