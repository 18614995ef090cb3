"""The flow `watch`: an application breaks, people hear of it once, and hear of its end."""

import asyncio
import os
from datetime import UTC, datetime, timedelta

from prefect.client.orchestration import get_client
from prefect.events.filters import EventFilter, EventNameFilter, EventOccurredFilter

from blocks import BlockWatchStore, SmtpServer
from coolify.contexts import Context, ContextStore, TokenStorage
from flows.watch import Watched, WatchRequest, watch
from tasks.locks import exclusive_watch
from tasks.session import Target
from tests.integration.monitor.smtp import mail_server


async def looked(shop, name: str) -> Watched:
    request = WatchRequest(targets=(Target(config=str(shop.config)),), name=name)
    state = await watch(request, return_state=True)
    return await state.aresult()


async def events_since(began: datetime, problem: str, wanted: int) -> list[str]:
    """Wait until Prefect has the events of a problem; they arrive when they like."""
    wanted_events = EventFilter(
        occurred=EventOccurredFilter(since=began - timedelta(seconds=5), until=datetime.now(UTC) + timedelta(hours=1)),
        event=EventNameFilter(prefix=["coolify.watch."]),
    )
    body = {"filter": wanted_events.model_dump(mode="json")}
    async with asyncio.timeout(90), get_client() as client:
        while True:
            answer = await client._client.post("/events/filter", json=body)
            found = [one for one in answer.json()["events"] if problem in one["resource"]["prefect.resource.id"]]
            if len(found) >= wanted:
                return [one["event"] for one in sorted(found, key=lambda one: one["occurred"])]
            await asyncio.sleep(0.2)


async def test_a_broken_shop_is_told_once_and_so_is_its_end(shop, released, in_prefect) -> None:
    began = datetime.now(UTC)
    await released()
    shop.configure(monitoring={"enabled": True, "alerts": {"email": "admin@example.com", "slack": "#deployments"}})
    async with mail_server() as server:
        block = SmtpServer(host="127.0.0.1", port=server.port, security="none", sender="coolify@example.com")
        await block.asave("coolify-alerts", overwrite=True)
        assert (await looked(shop, "broken-shop")).changes == ()

        (application,) = shop.sandbox.state.all("application")
        shop.sandbox.state.update(application, status="exited:unhealthy")
        assert (await looked(shop, "broken-shop")).changes == ()
        told = await looked(shop, "broken-shop")
        (change,) = told.changes
        assert (change.kind, change.problem.finding.name) == ("raised", "watch-container-stopped")
        # Nobody has made the block for Slack: the mail arrives all the same, and the other is tried again.
        assert [mail["subject"] for mail in server.mails] == ["[error] shop (production): watch-container-stopped"]
        assert told.undelivered == 1
        again = await looked(shop, "broken-shop")
        assert (again.changes, again.undelivered, len(again.active)) == ((), 1, 1)

        shop.sandbox.state.update(application, status="running:healthy")
        assert (await looked(shop, "broken-shop")).changes == ()
        over = await looked(shop, "broken-shop")
        assert [one.kind for one in over.changes] == ["resolved"]
        assert over.active == ()
        assert len(server.mails) == 2
    assert await events_since(began, change.problem.id, 2) == ["coolify.watch.raised", "coolify.watch.resolved"]


async def test_two_runs_of_one_watch_do_not_look_side_by_side(shop, in_prefect) -> None:
    shop.configure(monitoring={"enabled": True})
    async with exclusive_watch("side-by-side"):
        assert "under way" in (await looked(shop, "side-by-side")).skipped
    seen = await looked(shop, "side-by-side")
    assert (seen.skipped, seen.looked_at) == ("", 2)
    assert (await BlockWatchStore("side-by-side").load()).problems


async def test_applications_that_are_not_to_be_watched_and_broken_files(shop, in_prefect, tmp_path) -> None:
    shop.configure(monitoring={"enabled": False})
    assert (await looked(shop, "none")).looked_at == 0
    shop.config.write_text("server: [")
    await looked(shop, "none")
    (change,) = (await looked(shop, "none")).changes
    assert change.problem.finding.name == "watch-configuration-broken"


async def test_applications_without_a_file_have_the_destinations_of_the_watch(
    shop, released, in_prefect, tmp_path, monkeypatch
) -> None:
    await released()
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    here = Context(name="here", server=shop.sandbox.url, storage=TokenStorage.ENVIRONMENT, variable="COOLIFY_TOKEN")
    ContextStore.open(os.environ).put(here)
    async with mail_server() as server:
        block = SmtpServer(host="127.0.0.1", port=server.port, security="none", sender="coolify@example.com")
        await block.asave("coolify-others", overwrite=True)
        alerts = {"email": "operations@example.com", "block": "coolify-others"}
        request = WatchRequest.model_validate(
            {"targets": (), "contexts": ("here",), "name": "others", "alerts": alerts}
        )
        (application,) = shop.sandbox.state.all("application")
        shop.sandbox.state.update(application, status="exited:unhealthy")
        for _ in range(2):
            seen = await (await watch(request, return_state=True)).aresult()
        assert "watch-container-stopped" in {one.problem.finding.name for one in seen.changes}
        (mail,) = server.mails
        assert mail["to"] == "operations@example.com"
        assert "shop does not run" in mail.get_content()
