"""Headers, limits and access, from the configuration file to what visitors get over HTTPS."""

import base64
from dataclasses import replace

import pytest

from coolify.api import ApplicationSettings
from coolify.release import Outcome
from coolify_sandbox.server.faults import Fault, FaultKind
from flows.detect_drift import detect_drift
from tasks.session import Target

SECURITY = {
    "headers": {
        "hsts": {"max_age": 31536000},
        "content_security_policy": "default-src 'self'",
        "frame_options": "deny",
        "nosniff": True,
        "referrer_policy": "no-referrer",
    },
    "cors": {"origins": ["https://admin.sandbox.test"], "methods": ["GET", "PUT"]},
    "max_body": "1Ki",
}
# Made by openssl from the password `secret`.
APR1 = "$apr1$mZ2aYv8e$aSjoTIOqYnF1GlsJ3SHWN0"


def basic(name: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


async def labels_of(shop) -> str:
    async with shop.client() as client:
        (application,) = await client.applications.list()
        return (await client.applications.get(application.uuid)).custom_labels or ""


def patched_labels(shop) -> list[str]:
    return [
        one.path
        for one in shop.sandbox.app.state.faults.requests
        if one.method == "PATCH" and one.path.startswith("/applications/") and not one.path.endswith("/envs/bulk")
    ]


async def test_a_first_release_serves_with_headers_and_proves_them(shop, release_shop) -> None:
    shop.configure(security=SECURITY)
    report = await release_shop()
    assert report.outcome is Outcome.COMPLETED, report.reason
    assert [phase.phase for phase in report.phases][-1] == "verify security"
    assert {"security-headers-set", "security-cors-answered"} <= {one.name for one in report.findings}
    seen = (await shop.visit()).headers
    assert seen["strict-transport-security"] == "max-age=31536000"
    assert seen["x-frame-options"] == "DENY"


async def test_a_second_release_finds_the_labels_and_writes_nothing(shop, release_shop) -> None:
    shop.configure(security=SECURITY)
    await release_shop()
    shop.sandbox.app.state.faults.requests.clear()
    report = await release_shop()
    assert report.outcome is Outcome.COMPLETED
    assert not report.deployed
    assert patched_labels(shop) == []


async def test_a_change_of_domains_keeps_headers(shop, release_shop) -> None:
    shop.configure(security=SECURITY)
    await release_shop()
    shop.host = "www.sandbox.test"
    shop.configure(domains=[{"primary": shop.host, "ssl": True}])
    report = await release_shop()
    assert report.outcome is Outcome.COMPLETED, report.reason
    assert "www.sandbox.test" in await labels_of(shop)
    assert (await shop.visit()).headers["x-frame-options"] == "DENY"


async def test_labels_go_with_the_section_and_coolifys_stay(shop, release_shop) -> None:
    await release_shop()
    before = await labels_of(shop)
    shop.configure(security=SECURITY)
    await release_shop()
    assert await labels_of(shop) != before
    shop.configure(security=None)
    report = await release_shop()
    assert report.deployed
    assert await labels_of(shop) == before
    assert "x-frame-options" not in (await shop.visit()).headers


async def test_a_rollback_brings_the_labels_of_the_earlier_version_back(shop, release_shop) -> None:
    shop.configure(security=SECURITY)
    await release_shop()
    before = await labels_of(shop)
    shop.repository.commit("2.0.0", broken=True)
    shop.configure(security={"headers": {"frame_options": "sameorigin"}})
    report = await release_shop()
    assert report.outcome is Outcome.ROLLED_BACK
    assert await labels_of(shop) == before
    assert (await shop.visit()).headers["x-frame-options"] == "DENY"


async def test_labels_that_somebody_removed_are_drift_and_come_back(shop, release_shop) -> None:
    shop.configure(security=SECURITY)
    await release_shop()
    async with shop.client() as client:
        (application,) = await client.applications.list()
        await client.applications.update(application.uuid, ApplicationSettings(domains="https://shop.sandbox.test"))
    state = await detect_drift(Target(config=str(shop.config)), return_state=True)
    assert state.name == "Drifted"
    assert "security labels: nothing -> headers, body size" in state.message
    report = await release_shop()
    assert report.deployed
    assert "flows-" in await labels_of(shop)


async def test_a_password_by_coolify_lets_the_release_in_and_strangers_out(shop, release_shop, monkeypatch) -> None:
    monkeypatch.setenv("PREVIEW_PASSWORD", "hunter2")
    users = [{"name": "preview", "password": "${PREVIEW_PASSWORD}"}]
    shop.configure(security=SECURITY | {"basic_auth": {"users": users}})
    report = await release_shop()
    assert report.outcome is Outcome.COMPLETED, report.reason
    assert "security-login-asked" in {one.name for one in report.findings}
    assert "hunter2" not in report.model_dump_json()
    refused = await shop.visit()
    assert refused.status_code == 401
    assert refused.headers["x-frame-options"] == "DENY"
    labels = await labels_of(shop)
    assert not (await release_shop()).deployed
    assert await labels_of(shop) == labels
    monkeypatch.setenv("PREVIEW_PASSWORD", "other")
    assert (await release_shop()).outcome is Outcome.COMPLETED
    assert await labels_of(shop) != labels


async def test_a_rollback_asks_for_the_earlier_password_again(shop, release_shop, monkeypatch) -> None:
    monkeypatch.setenv("PREVIEW_PASSWORD", "hunter2")
    users = [{"name": "preview", "password": "${PREVIEW_PASSWORD}"}]
    shop.configure(security={"basic_auth": {"users": users}})
    await release_shop()
    monkeypatch.setenv("PREVIEW_PASSWORD", "other")
    shop.configure(build={"build_command": "false", "start_command": shop.repository.START_COMMAND})
    shop.repository.commit("2.0.0")
    report = await release_shop()
    assert report.outcome is Outcome.ROLLED_BACK, report.reason
    async with shop.client() as client:
        (found,) = await client.applications.list()
        application = await client.applications.get(found.uuid)
    assert application.raw["http_basic_auth_password"] == "hunter2"


async def test_several_users_with_hashes_are_let_in(shop, release_shop, monkeypatch) -> None:
    monkeypatch.setenv("ALICE", f"alice:{APR1}")
    monkeypatch.setenv("BOB", APR1)
    monkeypatch.setenv("BOBS_PASSWORD", "secret")
    users = [
        {"name": "alice", "hash": "${ALICE}"},
        {"name": "bob", "hash": "${BOB}", "password": "${BOBS_PASSWORD}"},
    ]
    shop.configure(security={"basic_auth": {"users": users}})
    report = await release_shop()
    assert report.outcome is Outcome.COMPLETED, report.reason
    assert "security-login-asked" in {one.name for one in report.findings}
    assert (await shop.visit()).status_code == 401


async def test_headers_that_do_not_arrive_are_warnings_unless_they_are_required(shop, release_shop) -> None:
    shop.configure(security=SECURITY)
    await release_shop()
    # As where a container still runs with the labels of before.
    routers = shop.sandbox.edge._routers
    for uuid, own in routers.items():
        routers[uuid] = tuple(replace(one, chains=()) for one in own)
    report = await release_shop()
    assert report.outcome is Outcome.COMPLETED
    assert ("security-header-missing", "warning") in {(one.name, one.severity) for one in report.findings}
    shop.configure(security=SECURITY | {"required": True})
    report = await release_shop()
    assert report.outcome is Outcome.ABORTED
    assert "does not send Strict-Transport-Security" in report.reason


async def test_a_token_that_may_not_see_labels_is_told_before_anything_changes(shop, release_shop, monkeypatch) -> None:
    shop.configure(security=SECURITY)
    monkeypatch.setenv("COOLIFY_TOKEN", shop.sandbox.create_token(["read", "write", "deploy"]))
    report = await release_shop()
    assert report.outcome is Outcome.ABORTED
    assert "read:sensitive" in report.reason


@pytest.mark.parametrize("kind", [FaultKind.CUT, FaultKind.EMPTY, FaultKind.STATUS])
async def test_a_lost_answer_to_the_labels_is_repeated(shop, release_shop, kind) -> None:
    shop.configure(security=SECURITY)
    shop.sandbox.app.state.faults.add(Fault(kind, "PATCH", "/applications/[a-z0-9]+", status=503))
    report = await release_shop()
    assert report.outcome is Outcome.COMPLETED, report.reason
    assert (await shop.visit()).headers["x-frame-options"] == "DENY"


async def test_a_release_that_ended_between_domains_and_labels_is_mended_by_the_next(shop, release_shop) -> None:
    shop.configure(security=SECURITY)
    await release_shop()
    shop.host = "www.sandbox.test"
    shop.configure(domains=[{"primary": shop.host, "ssl": True}])
    # The second PATCH is that of the labels; 422 is not repeated.
    shop.sandbox.app.state.faults.add(Fault(FaultKind.STATUS, "PATCH", "/applications/[a-z0-9]+", 2, status=422))
    report = await release_shop()
    assert report.outcome is Outcome.ABORTED
    assert "flows-" not in await labels_of(shop)
    report = await release_shop()
    assert report.outcome is Outcome.COMPLETED, report.reason
    assert (await shop.visit()).headers["x-frame-options"] == "DENY"


async def test_the_oldest_supported_coolify_takes_the_same_labels(shop, release_shop) -> None:
    shop.sandbox.state.settings = replace(shop.sandbox.state.settings, version="4.0.0")
    shop.configure(security=SECURITY)
    report = await release_shop()
    assert report.outcome is Outcome.COMPLETED, report.reason
    assert (await shop.visit()).headers["x-frame-options"] == "DENY"
    assert not (await release_shop()).deployed
