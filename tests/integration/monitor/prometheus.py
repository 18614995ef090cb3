"""A real Prometheus and a real Alertmanager on loopback, and somebody who gets its messages."""

import asyncio
import json
import shutil
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from coolify_sandbox.serving import serve_forever


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class Receiver:
    """Gets what Alertmanager sends to Slack."""

    url: str = ""
    messages: list[dict[str, Any]] = field(default_factory=list)

    async def take(self, request: Request) -> PlainTextResponse:
        self.messages.append(await request.json())
        return PlainTextResponse("ok")

    def heard(self, *texts: str) -> bool:
        return any(all(text in json.dumps(one) for text in texts) for one in self.messages)


@asynccontextmanager
async def receiver() -> AsyncIterator[Receiver]:
    there = Receiver()
    async with serve_forever(Starlette(routes=[Route("/slack", there.take, methods=["POST"])])) as port:
        there.url = f"http://127.0.0.1:{port}/slack"
        yield there


@asynccontextmanager
async def process(*command: str | Path, cwd: Path, **more: Any) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a program until the context is left."""
    started = await asyncio.create_subprocess_exec(*(str(one) for one in command), cwd=cwd, **more)
    try:
        yield started
    finally:
        if started.returncode is None:
            started.terminate()
        async with asyncio.timeout(60):
            await started.wait()


@asynccontextmanager
async def prometheus(directory: Path, port: int, alertmanager_port: int) -> AsyncIterator[str]:
    """Run both with the files of a directory; yields the address of Prometheus when both are ready."""
    quiet = {"stdout": asyncio.subprocess.DEVNULL, "stderr": (directory / "servers.log").open("ab")}
    program = shutil.which("prometheus-alertmanager") or "alertmanager"
    url = f"http://127.0.0.1:{port}"
    async with AsyncExitStack() as stack:
        stack.callback(quiet["stderr"].close)
        await stack.enter_async_context(
            process(
                program,
                f"--config.file={directory / 'coolify-alertmanager.yml'}",
                f"--storage.path={directory / 'alertmanager'}",
                f"--web.listen-address=127.0.0.1:{alertmanager_port}",
                "--cluster.listen-address=",
                cwd=directory,
                **quiet,
            )
        )
        await stack.enter_async_context(
            process(
                "prometheus",
                f"--config.file={directory / 'coolify-prometheus.yml'}",
                f"--storage.tsdb.path={directory / 'tsdb'}",
                f"--web.listen-address=127.0.0.1:{port}",
                cwd=directory,
                **quiet,
            )
        )
        for ready in (f"{url}/-/ready", f"http://127.0.0.1:{alertmanager_port}/-/ready"):
            await until(lambda ready=ready: answers(ready))
        yield url


async def answers(url: str) -> bool:
    try:
        async with httpx.AsyncClient(trust_env=False) as client:
            return (await client.get(url)).status_code == 200
    except httpx.TransportError:
        return False


async def until(condition: Callable[[], Any], seconds: float = 100) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(seconds):
        while True:
            found = condition()
            if await found if asyncio.iscoroutine(found) else found:
                return
            await asyncio.sleep(0.2)


async def alerts(url: str) -> list[dict[str, Any]]:
    """Return what Prometheus knows of every alert that is pending or fires."""
    async with httpx.AsyncClient(trust_env=False) as client:
        known: list[dict[str, Any]] = (await client.get(f"{url}/api/v1/alerts")).json()["data"]["alerts"]
    return known


async def firing(url: str) -> set[str]:
    """Return the names of the alerts that Prometheus fires."""
    return {one["labels"]["alertname"] for one in await alerts(url) if one["state"] == "firing"}
