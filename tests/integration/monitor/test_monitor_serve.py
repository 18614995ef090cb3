"""`coolify monitor serve`, killed and started again."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.integration.command.conftest import COMMAND
from tests.integration.monitor.prometheus import process, until


@asynccontextmanager
async def serving(shop, path) -> AsyncIterator[str]:
    """Run the command; it is killed at the end. Yields the address of its metrics."""
    words = ("monitor", "serve", "--port", "0", "--interval", "1", "--json", "--state", str(path))
    environment = {name: value for name, value in os.environ.items() if name != "PREFECT_API_URL"}
    async with process(*COMMAND, *words, cwd=shop.directory, stdout=asyncio.subprocess.PIPE, env=environment) as server:
        async with asyncio.timeout(60):
            yield json.loads(await server.stdout.readline())["metrics"]
        server.send_signal(signal.SIGKILL)
        await server.wait()


async def finished(url: str) -> float | None:
    try:
        async with httpx.AsyncClient(trust_env=False) as http:
            text = (await http.get(url)).text
    except httpx.TransportError:
        return None
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == "coolify_app_deployments_total" and sample.labels["result"] == "finished":
                return sample.value
    return None


async def test_a_deployment_that_ends_while_nobody_looks_is_counted_once(shop, released, tmp_path) -> None:
    await released()
    path = tmp_path / "counts.json"

    async def seen(url: str, value: float) -> None:
        async def is_seen() -> bool:
            return await finished(url) == value

        await until(is_seen)

    async with serving(shop, path) as url:
        await seen(url, 0)
    shop.repository.commit("2.0.0")
    await released()
    for _ in range(2):
        async with serving(shop, path) as url:
            await seen(url, 1)
