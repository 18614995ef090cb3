"""Too little disk or memory: seen before and after, decided, and mended once, with real builds and real processes."""

import pytest

from coolify.decisions import RESOURCE_LIMIT
from coolify.release import Outcome
from coolify_sandbox.sandbox import Sandbox
from coolify_sandbox.server.settings import ServerSettings
from tests.integration.conftest import SampleRepository, Shop
from tests.integration.robustness.bare import bare_flows
from tests.integration.robustness.interrupted import QUICK_HEALTH, Story

DISK = 400_000
"""Bytes of the server's disk."""


@pytest.fixture
async def one(tmp_path, monkeypatch):
    """A shop whose server has a small disk."""
    async with Sandbox(settings=ServerSettings(rate_limit=10**6, disk_bytes=DISK)) as sandbox:
        monkeypatch.setenv("COOLIFY_TOKEN", sandbox.token)
        monkeypatch.setattr("tasks.room._POLL_SECONDS", 0.05)
        shop = Shop(sandbox, SampleRepository(tmp_path / "repository"), tmp_path / "work")
        shop.repository.commit("1.0.0")
        shop.configure(health=QUICK_HEALTH)
        with bare_flows():
            yield Story(shop)


def fill(one: Story, share: float) -> None:
    """Let the build cache take a share of the disk."""
    cache = one.shop.sandbox.directory / "build-cache"
    cache.mkdir(exist_ok=True)
    (cache / "layer").write_bytes(b"\0" * int(DISK * share))


async def measure(one: Story) -> None:
    """Let Coolify clean once, without anything to clean, as it does every night: it says how full the disk is."""
    runtime = one.shop.sandbox.runtime
    kept = runtime._disk.drop_cache
    runtime._disk.drop_cache = lambda: None
    try:
        await clean(one)
    finally:
        runtime._disk.drop_cache = kept


async def clean(one: Story) -> None:
    async with one.shop.client() as client:
        (server,) = await client.servers.list()
        await client.server_administration.run_cleanup(server.uuid)
        while (await client.server_administration.cleanups(server.uuid))[0].status == "running":
            pass


def decisions(report) -> list[tuple[str, str]]:
    return [(one.decision, one.choice) for one in report.decisions]


def names(report) -> set[str]:
    return {one.name for one in report.findings}


OPTIMIZED = (RESOURCE_LIMIT.id, RESOURCE_LIMIT.option("optimize").label)
SCALED = (RESOURCE_LIMIT.id, RESOURCE_LIMIT.option("scale").label)
ABORTED = (RESOURCE_LIMIT.id, RESOURCE_LIMIT.option("abort").label)


async def test_a_full_disk_is_seen_before_anything_changes_and_cleaned_up(one) -> None:
    fill(one, 0.97)
    await measure(one)
    report = await one.release()
    assert report.outcome is Outcome.COMPLETED, report.reason
    assert decisions(report) == [OPTIMIZED]
    assert "97 %" in report.decisions[0].evidence
    assert "server-disk-full" in names(report)
    assert await one.shop.version() == "1.0.0"


async def test_a_disk_above_the_threshold_is_a_warning_and_nothing_is_cleaned(one) -> None:
    fill(one, 0.85)
    await measure(one)
    report = await one.release()
    assert report.outcome is Outcome.COMPLETED, report.reason
    assert report.decisions == ()
    assert "server-disk-low" in names(report)
    assert len(one.shop.sandbox.state.all("cleanup")) == 1


async def test_a_full_disk_ends_the_release_before_anything_changes_where_that_is_declared(one) -> None:
    fill(one, 0.97)
    await measure(one)
    one.shop.configure(decisions={"resource-limit": "abort"})
    report = await one.release()
    assert report.outcome is Outcome.ABORTED
    assert decisions(report) == [ABORTED]
    assert one.shop.sandbox.state.all("project") == []


async def test_a_server_that_would_lose_what_rollbacks_need_is_not_cleaned(one) -> None:
    fill(one, 0.97)
    await measure(one)
    (server,) = one.shop.sandbox.state.all("server")
    settings = server["settings"] | {"disable_application_image_retention": True}
    one.shop.sandbox.state.update(server, settings=settings)
    report = await one.release()
    assert report.outcome is Outcome.ABORTED
    assert decisions(report) == [ABORTED]
    assert "keeps no images" in report.decisions[0].reason
    assert len(one.shop.sandbox.state.all("cleanup")) == 1


async def test_a_disk_that_fills_up_during_the_build_is_cleaned_with_the_images_for_rollbacks_kept(one) -> None:
    assert (await one.release()).outcome is Outcome.COMPLETED
    first = one.shop.repository._git("rev-parse", "HEAD")
    one.shop.repository.commit("1.1.0")
    fill(one, 1.1)
    report = await one.release()
    assert report.outcome is Outcome.COMPLETED, report.reason
    assert decisions(report) == [OPTIMIZED]
    assert "build-out-of-disk" in names(report)
    assert await one.shop.version() == "1.1.0"
    async with one.shop.client() as client:
        (application,) = await client.applications.list()
        images = await client.applications.rollback_images(application.uuid)
    assert first in {image.tag for image in images.images}


GREEDY = """import sys
import time

data = bytearray(80_000_000)
# The kernel kills at once; the sandbox looks ten times a second, and must not come after the first answer.
time.sleep(1)
sys.path[:0] = ["."]
import server
"""
FOREVER = "while true; do python3 greedy.py; sleep 0.1; done"
"""The shell says `Killed` of what the kernel has killed, and starts it again."""
CONTAINER = {"enabled": True, "interval": 1, "retries": 5, "start_period": 0}


def greedy(one: Story, **health) -> None:
    """Let the next version take more memory than its limit."""
    repository = one.shop.repository
    (repository.path / "greedy.py").write_text(GREEDY)
    (repository.path / "start.sh").write_text(FOREVER)
    repository._git("add", "greedy.py", "start.sh")
    repository.commit("1.1.0")
    one.shop.configure(build={"start_command": "sh start.sh"}, health=QUICK_HEALTH | {"container": CONTAINER} | health)
    text = one.shop.config.read_text()
    one.shop.config.write_text(f"{text}resources:\n  memory: 64Mi # measured in March\n")


async def test_a_container_that_is_killed_gets_more_memory_in_file_and_coolify_and_is_green(one) -> None:
    assert (await one.release()).outcome is Outcome.COMPLETED
    greedy(one)
    report = await one.release()
    assert report.outcome is Outcome.COMPLETED, report.reason
    assert decisions(report) == [SCALED]
    assert "start-out-of-memory" in names(report)
    assert await one.shop.version() == "1.1.0"
    assert "memory: 128Mi # measured in March" in one.shop.config.read_text()
    async with one.shop.client() as client:
        (application,) = await client.applications.list()
    assert application.raw["limits_memory"] == "128m"
    again = await one.release()
    assert (again.outcome, again.deployed) == (Outcome.COMPLETED, False)


async def test_what_is_killed_behind_the_gate_gets_more_memory_too(one) -> None:
    assert (await one.release()).outcome is Outcome.COMPLETED
    greedy(one, container={"enabled": False}, failures_allowed=30, interval=0.3)
    report = await one.release()
    assert report.outcome is Outcome.COMPLETED, report.reason
    assert decisions(report) == [SCALED]
    assert await one.shop.version() == "1.1.0"


async def test_one_adjustment_is_made_and_what_does_not_help_is_taken_back_from_file_and_coolify(one) -> None:
    assert (await one.release()).outcome is Outcome.COMPLETED
    greedy(one)
    text = one.shop.config.read_text().replace("64Mi", "32Mi")
    one.shop.config.write_text(text)
    report = await one.release()
    assert report.outcome is Outcome.ROLLED_BACK, report.reason
    assert decisions(report) == [SCALED]
    assert await one.shop.version() == "1.0.0"
    assert one.shop.config.read_text() == text
    async with one.shop.client() as client:
        (application,) = await client.applications.list()
    assert application.raw["limits_memory"] == "0"


async def test_without_a_limit_of_ours_the_server_is_short_and_the_release_rolls_back(one) -> None:
    assert (await one.release()).outcome is Outcome.COMPLETED
    greedy(one)
    (one.shop.repository.path / "start.sh").write_text("echo Killed; exec sleep 600")
    one.shop.repository._git("add", "start.sh")
    one.shop.repository.commit("1.2.0")
    one.shop.configure()
    report = await one.release()
    assert report.outcome is Outcome.ROLLED_BACK, report.reason
    assert decisions(report) == [ABORTED]
    assert "the server that is short of memory" in report.decisions[0].reason
    assert await one.shop.version() == "1.0.0"
