"""An application breaks: Prometheus fires, Alertmanager tells, Prefect has the event; then all of it is over."""

import asyncio
import json
import os
from datetime import UTC, datetime

import httpx
import pytest

from coolify_sandbox.sandbox import Sandbox
from coolify_sandbox.server.settings import ServerSettings
from tests.integration.command.conftest import COMMAND
from tests.integration.monitor.prometheus import alerts, firing, free_port, process, prometheus, receiver, until
from tests.integration.monitor.test_monitor_watch import events_since, looked


@pytest.fixture
async def sandbox(monkeypatch):
    """A Coolify that notices every other second what has become of its containers."""
    async with Sandbox(settings=ServerSettings(status_seconds=2, rate_limit=10**6)) as running:
        monkeypatch.setenv("COOLIFY_TOKEN", running.token)
        yield running


@pytest.mark.component("prometheus", "prometheus-alertmanager")
@pytest.mark.timeout(400)
async def test_everybody_hears_of_a_broken_shop_and_of_its_repair(
    shop, released, coolify, prefect_server, tmp_path
) -> None:
    began = datetime.now(UTC)
    await released()
    shop.configure(monitoring={"enabled": True, "alerts": {"slack": "#deployments"}})
    directory, ports = tmp_path / "prometheus", (free_port(), free_port())
    (application,) = shop.sandbox.state.all("application")
    async with (
        receiver() as slack,
        process(
            *COMMAND,
            *("monitor", "serve", "--port", "0", "--interval", "2", "--json"),
            cwd=shop.directory,
            stdout=asyncio.subprocess.PIPE,
            env=os.environ | {"PREFECT_API_URL": f"{prefect_server.url}/api"},
        ) as server,
        shop.client() as client,
    ):
        async with asyncio.timeout(60):
            address = json.loads(await server.stdout.readline())["metrics"].split("/")[2]
        secrets = tmp_path / "secrets"
        secrets.mkdir()
        (secrets / "slack-url-coolify-alerts").write_text(slack.url)
        done = await coolify(
            *("monitor", "setup", "--yes", "--directory", str(directory), "--target", address, "--interval", "2"),
            *("--alertmanager", f"127.0.0.1:{ports[1]}", "--secrets", str(secrets)),
        )
        assert done.code == 0, done.text
        routes = directory / "coolify-alertmanager.yml"
        routes.write_text(routes.read_text().replace("30s", "1s").replace("5m", "2s"))
        async with prometheus(directory, *ports) as url:
            assert (await looked(shop, "end-to-end")).changes == ()
            await shop.sandbox.runtime.stop(application.uuid)

            async def fires() -> bool:
                return "CoolifyApplicationDown" in await firing(url)

            async def is_quiet() -> bool:
                return not await firing(url)

            await looked(shop, "end-to-end")
            told = {one.problem.finding.name: one for one in (await looked(shop, "end-to-end")).changes}
            problem = told["watch-not-healthy"].problem
            await until(fires)
            await until(lambda: slack.heard("FIRING", "CoolifyApplicationDown", "#deployments"))
            status = await coolify("monitor", "status", "--json")
            assert status.code == 2
            assert status.json[0]["application"] == "shop"
            assert "watch-not-healthy" in {one["name"] for one in status.json[0]["findings"]}

            await client.deployments.trigger(application.uuid)
            await until(lambda: is_served(shop))
            try:
                await until(is_quiet)
            except TimeoutError:
                raise AssertionError(
                    f"still firing: {await alerts(url)}; {await coolify('monitor', 'status')}"
                ) from None
            await until(lambda: slack.heard("RESOLVED", "CoolifyApplicationDown"))
            await until(lambda: is_over(shop, problem.id))
            # Coolify writes states of containers when it likes.
            await until(lambda: is_fine(coolify))
            kept = (await coolify("monitor", "metrics", "--prometheus", url, "--since", "10m", "--json")).json
            extremes = {(one["metric"], one["detail"]): (one["min"], one["max"]) for one in kept}
            assert extremes["coolify_app_up", ""] == (0, 1)
            assert extremes["coolify_app_releases_total", "completed"] == (1, 1)
            assert extremes["coolify_app_deployments_total", "failed"] == (0, 0)
            assert extremes["coolify_decisions_waiting", "build-failed"] == (0, 0)
    assert await events_since(began, problem.id, 2) == ["coolify.watch.raised", "coolify.watch.resolved"]


async def is_served(shop) -> bool:
    try:
        return (await shop.visit("/health")).status_code == 200
    except httpx.TransportError:
        return False


async def is_fine(coolify) -> bool:
    return (await coolify("monitor", "status")).code == 0


async def is_over(shop, problem: str) -> bool:
    return problem not in {one.id for one in (await looked(shop, "end-to-end")).active}
