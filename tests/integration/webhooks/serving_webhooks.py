"""The receiver as a process of its own, and hosts that deliver to it."""

import asyncio
import contextlib
import hashlib
import hmac
import json
import os
import sys
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.integration.command import documented_json

SECRET = "canary-4f1d9c-webhook"


@dataclass
class Serving:
    """A receiver that listens."""

    process: asyncio.subprocess.Process
    url: str
    log: Path

    async def post(self, path: str, body: bytes, headers: dict[str, str]) -> httpx.Response:
        async with httpx.AsyncClient(base_url=self.url, trust_env=False, timeout=30) as client:
            return await client.post(path, content=body, headers={"content-type": "application/json"} | headers)

    async def push(self, *, secret: str = SECRET, delivery: str = "", **fields) -> httpx.Response:
        """Deliver a push as GitHub does."""
        body = github_push(**fields)
        return await self.post("/webhooks/github", body, github_headers(body, secret, delivery))


def github_push(
    *, address="https://github.com/example/shop", ref="refs/heads/main", commit="", message="Push"
) -> bytes:
    commit = commit or hashlib.sha1(uuid.uuid4().bytes).hexdigest()
    told = {"id": commit, "message": message, "added": [], "removed": [], "modified": ["VERSION"]}
    payload = {
        "ref": ref,
        "before": "1" * 40,
        "after": commit,
        "commits": [told],
        "head_commit": told,
        "repository": {"full_name": "example/shop", "clone_url": address, "pushed_at": int(time.time())},
        "sender": {"login": "octocat"},
    }
    return json.dumps(payload).encode()


def github_headers(body: bytes, secret: str = SECRET, delivery: str = "") -> dict[str, str]:
    return {
        "x-github-event": "push",
        "x-github-delivery": delivery or str(uuid.uuid4()),
        "x-hub-signature-256": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest(),
    }


@contextlib.asynccontextmanager
async def receiving(directory: Path, api: str, *arguments: str, **environment: str):
    """Run `coolify webhooks serve`; what it prints goes to a log."""
    directory.mkdir(parents=True, exist_ok=True)
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "COOLIFY_"))}
    env = clean | {
        "PREFECT_API_URL": api,
        "PREFECT_HOME": str(directory / "home"),
        "COOLIFY_WEBHOOK_SECRET": SECRET,
        **environment,
    }
    log = directory / "receiver.log"
    with log.open("ab") as stderr:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "coolify_cli.main", "webhooks", "serve", "--port", "0", "--json",
            "--spool", str(directory / "spool"), *arguments,
            env=env, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=stderr,
        )  # fmt: skip
    try:
        assert process.stdout is not None
        told = b""
        async with asyncio.timeout(90):
            while not told.endswith(b"\n}\n"):
                line = await process.stdout.readline()
                assert line, log.read_text()
                told += line
        announced = json.loads(told)
        documented_json.check(("webhooks", "serve"), announced)
        yield Serving(process, announced["url"], log)
    finally:
        was_running = process.returncode is None
        if was_running:
            process.terminate()
        async with asyncio.timeout(60):
            await process.wait()
        assert not was_running or process.returncode == 0, log.read_text()


async def until(check, *, seconds: float = 90, every: float = 0.2):
    """Wait until a check returns something true, and return that."""
    async with asyncio.timeout(seconds):
        while True:
            found = check()
            if asyncio.iscoroutine(found):
                found = await found
            if found:
                return found
            await asyncio.sleep(every)
