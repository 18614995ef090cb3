"""The dashboard as Grafana would show it, drawn from its JSON and from the answers of a real Prometheus."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from playwright.async_api import expect

from coolify.monitor.setup.dashboard import PANELS, dashboard_file
from tests import browser
from tests.integration.monitor.prometheus import answers, free_port, process, until
from tests.pictures import grafana
from tests.pictures.history import END, STEP, openmetrics
from tests.pictures.page import WIDTH, height_of, page

UNREADABLE = """() => [...document.querySelectorAll("section")].flatMap((panel) => {
    const box = (one) => ({text: one.textContent, at: one.getBoundingClientRect()});
    const room = box(panel).at, texts = [...panel.querySelectorAll("text, h2, .stat")].map(box);
    const outside = texts.filter(({at}) => at.left < room.left || at.right > room.right || at.bottom > room.bottom);
    const beside = (a, b) => a.right < b.left + 1 || b.right < a.left + 1;
    const above = (a, b) => a.bottom < b.top + 4 || b.bottom < a.top + 4;
    const covered = texts.filter((a) => texts.some((b) => a !== b && !beside(a.at, b.at) && !above(a.at, b.at)));
    return [...outside, ...covered].map(({text}) => text);
})"""
"""Texts that meet others or do not fit into their panel."""


@asynccontextmanager
async def prometheus_with_history(directory: Path) -> AsyncIterator[httpx.AsyncClient]:
    """Run a Prometheus that has scraped the product for two days, as far as it can tell."""
    (directory / "history.txt").write_bytes(b"".join(openmetrics()))
    (directory / "prometheus.yml").write_text("{}")
    quiet = {"stdout": asyncio.subprocess.DEVNULL, "stderr": asyncio.subprocess.DEVNULL}
    import_it = ("promtool", "tsdb", "create-blocks-from", "openmetrics", "history.txt", "tsdb")
    async with process(*import_it, cwd=directory, **quiet) as importing:
        assert await importing.wait() == 0
    address = f"127.0.0.1:{free_port()}"
    files = ("--config.file=prometheus.yml", "--storage.tsdb.path=tsdb")
    async with (
        process("prometheus", *files, f"--web.listen-address={address}", cwd=directory, **quiet),
        httpx.AsyncClient(base_url=f"http://{address}", trust_env=False, timeout=30) as client,
    ):
        await until(lambda: answers(f"http://{address}/-/ready"))
        yield client


@pytest.mark.component("prometheus")
@pytest.mark.component("promtool")
@pytest.mark.component("chromium")
@pytest.mark.timeout(300)
async def test_the_dashboard_shows_every_panel_with_what_happened(tmp_path: Path) -> None:
    dashboard = json.loads(dashboard_file())
    panels, shown = grafana.panels(dashboard), grafana.window(dashboard, END, STEP)
    async with prometheus_with_history(tmp_path) as client:
        answered = [(one, await grafana.ask(client, dashboard, one, shown)) for one in panels]
        unknown = grafana.Panel(panels[0].json | {"targets": [{"expr": "coolify_app_upp", "legendFormat": ""}]})
        with pytest.raises(ValueError, match="Applications shows nothing"):
            await grafana.ask(client, dashboard, unknown, shown)
    async with browser.chromium() as there:
        seen = await there.new_page(viewport={"width": WIDTH, "height": height_of(panels)})
        await seen.set_content(page(dashboard, answered, shown))
        await expect(seen.get_by_role("heading", level=2)).to_have_text([one.title for one in PANELS])
        assert await seen.evaluate(UNREADABLE) == []
        await browser.keep(seen, "grafana-dashboard")
