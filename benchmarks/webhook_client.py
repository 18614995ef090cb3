"""A Git host that delivers many webhooks at once, each over a connection of its own; a process of its own too.

`python -m benchmarks.webhook_client HOST PORT SECRET NUMBER AT_ONCE` prints how long each answer took.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import sys
import time
import uuid

__all__ = ["delivery"]


def delivery(number: int, secret: str) -> bytes:
    """Return a whole request of GitHub about the push of a branch with a name of its own."""
    commit = hashlib.sha256(str(number).encode()).hexdigest()[:40]
    told = {"id": commit, "message": f"Change {number}", "added": [], "removed": [], "modified": ["src/shop.py"]}
    payload = {
        "ref": f"refs/heads/branch-{number}",
        "before": "1" * 40,
        "after": commit,
        "commits": [told] * 20,
        "head_commit": told,
        "repository": {
            "full_name": "example/shop",
            "html_url": "https://github.com/example/shop",
            "clone_url": "https://github.com/example/shop.git",
            "pushed_at": int(time.time()),
        },
        "sender": {"login": "octocat"},
        # As large as GitHub's own: several kilobytes of addresses that nobody reads.
        "filling": "x" * 6000,
    }
    body = json.dumps(payload).encode()
    head = (
        "POST /webhooks/github HTTP/1.1",
        "Host: hooks.example.com",
        "Connection: close",
        "Content-Type: application/json",
        "X-GitHub-Event: push",
        f"X-GitHub-Delivery: {uuid.uuid4()}",
        f"X-Hub-Signature-256: sha256={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}",
        f"Content-Length: {len(body)}",
    )
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


async def _send(host: str, port: int, request: bytes) -> tuple[float, int]:
    started = time.perf_counter()
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(request)
    answer = await reader.read()
    seconds = time.perf_counter() - started
    writer.close()
    return seconds, int(answer.split(b" ", 2)[1])


async def deliver_all(host: str, port: int, secret: str, number: int, at_once: int) -> None:
    """Deliver, and print milliseconds and statuses as JSON."""
    waiting = iter([delivery(one, secret) for one in range(number)])
    taken: list[tuple[float, int]] = []

    async def deliver() -> None:
        for request in waiting:
            taken.append(await _send(host, port, request))  # noqa: PERF401 - one after the other

    started = time.perf_counter()
    await asyncio.gather(*(deliver() for _ in range(at_once)))
    told = {
        "seconds": time.perf_counter() - started,
        "milliseconds": [seconds * 1000 for seconds, _ in taken],
        "statuses": sorted({status for _, status in taken}),
    }
    print(json.dumps(told))


if __name__ == "__main__":
    host, port, secret, number, at_once = sys.argv[1:]
    asyncio.run(deliver_all(host, int(port), secret, int(number), int(at_once)))
