"""The health gate within a release: what it asks besides the health path, and what it shows when it does not pass."""

import pytest

from coolify.release import Outcome
from coolify_sandbox.sandbox import Sandbox
from coolify_sandbox.server.settings import ServerSettings
from tests.integration.conftest import SampleRepository, Shop
from tests.integration.robustness.bare import bare_flows
from tests.integration.robustness.interrupted import QUICK_HEALTH, Story


@pytest.fixture
async def released(tmp_path, monkeypatch):
    """A shop that serves 1.0.0, proved by several probes, and whose repository has moved on."""
    async with Sandbox(settings=ServerSettings(rate_limit=10**6)) as sandbox:
        monkeypatch.setenv("COOLIFY_TOKEN", sandbox.token)
        shop = Shop(sandbox, SampleRepository(tmp_path / "repository"), tmp_path / "work")
        shop.repository.commit("1.0.0")
        probes = [
            {"http": "/", "body": "Hello from version"},
            {"tcp": f"127.0.0.1:{sandbox.edge.https_port}"},
            {"tls": f"{shop.host}:{sandbox.edge.https_port}"},
            {"run": 'test "$COOLIFY_RELEASE_URL" = https://shop.sandbox.test'},
        ]
        # The certificate comes with the first request.
        shop.configure(health=QUICK_HEALTH | {"timeout": 60, "deadline": 100, "probes": probes})
        with bare_flows():
            one = Story(shop)
            report = await one.release()
            assert report.outcome is Outcome.COMPLETED, report.reason
            assert sum(finding.name == "health-gate-passed" for finding in report.findings) == 5
            shop.repository.commit("1.1.0")
            yield one


async def test_a_declared_probe_that_fails_rolls_the_release_back_and_is_named(released) -> None:
    probe = {"name": "smoke test", "run": "echo basket is empty; exit 1"}
    released.shop.configure(health=QUICK_HEALTH | {"failures_allowed": 0, "timeout": 60, "probes": [probe]})
    report = await released.release()
    # The earlier version cannot satisfy the probe either: that is told and not passed over.
    assert report.outcome is Outcome.ROLLBACK_FAILED, report.reason
    assert "smoke test ended with 1: basket is empty" in report.reason
    assert await released.shop.version() == "1.0.0"


async def test_a_gate_that_does_not_pass_shows_the_log_of_the_container_without_secrets(released, monkeypatch) -> None:
    monkeypatch.setenv("SHOP_KEY", "GET /health")
    released.shop.configure(
        env={"GREETING": "Hello", "SHOP_KEY": "${SHOP_KEY}"}, health=QUICK_HEALTH | {"failures_allowed": 1}
    )
    released.shop.repository.commit("2.0.0", broken=True)
    report = await released.release()
    assert report.outcome is Outcome.ROLLED_BACK, report.reason
    (log,) = (finding for finding in report.findings if finding.name == "health-gate-container-log")
    assert any('"[secret] HTTP/1.1" 400' in line for line in log.evidence), log.evidence
