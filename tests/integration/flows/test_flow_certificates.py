"""Certificates enabled, verified and renewed in the sandbox, whose proxy behaves as a real one does."""

import asyncio
import re
from datetime import timedelta
from functools import partial

import pytest

from coolify.api import ApplicationSettings
from coolify.progress import FindingsReported, StepDone, observe
from coolify.release import Outcome
from coolify.tls import Renewal, Renewals
from flows.enable_certificates import EnableRequest, enable_certificates
from flows.renew_certificates import RenewRequest, renew_certificates
from flows.verify_certificates import CertificateInvalidError, verify_certificates
from tasks.access import MissingAbilitiesError
from tasks.certificates import DomainsIgnoredError
from tasks.session import Target
from tests.integration.flows.test_flow_source import COMPOSE, DOCKERFILE, add_file
from tests.integration.serving import serve
from tests.integration.tls.issuing import serving

DAY = timedelta(days=1)
CLOSED_PORT = 9


@pytest.fixture
def told():
    """Everything that is told while the test runs: texts of steps, names of findings."""
    seen: list[str] = []

    def note(event: object) -> None:
        if isinstance(event, StepDone):
            seen.append(event.text)
        if isinstance(event, FindingsReported):
            seen.extend(finding.name for finding in event.findings)

    with observe(note):
        yield seen


@pytest.fixture
def serve_shop(shop, in_prefect):
    """Let the shop serve as it is configured now."""
    return partial(serve, shop)


@pytest.fixture
def impatient(monkeypatch):
    """Let waiting for a certificate end soon."""
    monkeypatch.setattr("flows.verify_certificates._FIRST_POLL_SECONDS", 0.05)
    monkeypatch.setattr("flows.verify_certificates._POLL_SECONDS", 0.1)
    monkeypatch.setattr("flows.verify_certificates._PATIENCE_SECONDS", 1.0)


def target(shop) -> Target:
    return Target(config=str(shop.config))


def without_https(shop) -> None:
    """Write a file with comments whose domain is served in the clear."""
    shop.configure(domains=[{"primary": shop.host, "ssl": False}])
    flow_style = f"- {{primary: {shop.host}, ssl: false}}"
    text = shop.config.read_text()
    assert flow_style in text
    commented = text.replace(flow_style, f"- primary: {shop.host}\n  ssl: false  # not yet")
    shop.config.write_text(f"# Ours.\n{commented}")


async def enable(shop):
    return await enable_certificates(EnableRequest(target=target(shop)))


async def renew(shop, **allowed) -> tuple[str, Renewals]:
    request = RenewRequest(**{"targets": (target(shop),), "wait_seconds": 3, **allowed})
    state = await renew_certificates(request, return_state=True)
    return state.name, await state.aresult(raise_on_failure=False)


async def test_a_domain_in_the_clear_is_switched_to_https_in_file_and_coolify(shop, release_shop, told) -> None:
    without_https(shop)
    assert (await release_shop()).outcome is Outcome.COMPLETED
    enabled = await enable(shop)
    assert enabled.valid
    assert enabled.changed
    assert re.search(r"ssl: true +# not yet", shop.config.read_text())
    assert shop.config.read_text().startswith("# Ours.")
    async with shop.client() as client:
        (application,) = await client.applications.list()
    assert application.fqdn == f"https://{shop.host}"
    assert await shop.version() == "1.0.0"
    assert len([path for path in shop.requests("POST") if path.endswith("/restart")]) == 1


async def test_enabling_what_is_enabled_changes_nothing(shop, serve_shop) -> None:
    await serve_shop()
    shop.sandbox.app.state.faults.requests.clear()
    before = shop.config.read_text()
    enabled = await enable(shop)
    assert enabled.valid
    assert not enabled.changed
    assert shop.config.read_text() == before
    assert shop.requests("PATCH") == []
    assert [path for path in shop.requests("POST") if path.endswith("/restart")] == []


async def test_enabling_takes_up_what_a_dead_run_has_begun(shop, serve_shop) -> None:
    without_https(shop)
    await serve_shop()
    async with shop.client() as client:
        (application,) = await client.applications.list()
        await client.applications.update(application.uuid, ApplicationSettings(domains=f"https://{shop.host}"))
    enabled = await enable(shop)
    assert enabled.valid
    assert not enabled.changed, "the domains were sent by the run that died; only the restart was missing"
    assert await shop.version() == "1.0.0"


async def test_nothing_is_switched_while_the_token_may_not_write(shop, serve_shop, monkeypatch) -> None:
    without_https(shop)
    await serve_shop()
    before = shop.config.read_text()
    monkeypatch.setenv("COOLIFY_TOKEN", shop.sandbox.create_token(["read", "read:sensitive"]))
    with pytest.raises(MissingAbilitiesError, match="write"):
        await enable(shop)
    assert shop.config.read_text() == before


async def test_headers_are_there_after_the_switch_and_what_was_added_by_hand_is_named(shop, serve_shop, told) -> None:
    shop.configure(security={"headers": {"frame_options": "deny"}})
    without_https(shop)
    await serve_shop()
    by_hand = "traefik.http.middlewares.by-hand.compress=true"
    async with shop.client() as client:
        (application,) = await client.applications.list()
        labels = (await client.applications.get(application.uuid)).custom_labels or ""
        await client.applications.update(application.uuid, ApplicationSettings(custom_labels=f"{labels}\n{by_hand}"))
    assert (await enable(shop)).valid
    assert (await shop.visit()).headers["x-frame-options"] == "DENY"
    assert [text for text in told if "without the middlewares by-hand:" in text]


async def test_the_services_of_a_compose_file_have_domains_of_their_own(shop, release_shop) -> None:
    add_file(shop, "Dockerfile", DOCKERFILE)
    add_file(shop, "docker-compose.yaml", COMPOSE)
    domain = {"primary": shop.host, "ssl": False, "service": "web"}
    shop.configure(build={"pack": "dockercompose", "port": 3000}, domains=[domain])
    report = await release_shop()
    assert report.outcome is Outcome.COMPLETED, report.reason
    enabled = await enable(shop)
    assert (enabled.valid, enabled.changed) == (True, True)
    assert await shop.version() == "1.0.1"
    assert not (await enable(shop)).changed


async def test_other_urls_of_the_application_stay_as_they_are(shop, serve_shop) -> None:
    without_https(shop)
    await serve_shop()
    async with shop.client() as client:
        (application,) = await client.applications.list()
        both = ApplicationSettings(domains=f"http://{shop.host},http://by-hand.sandbox.test")
        await client.applications.update(application.uuid, both)
        await enable(shop)
        assert (await client.applications.get(application.uuid)).fqdn == (
            f"https://{shop.host},http://by-hand.sandbox.test"
        )


async def test_a_late_certificate_is_waited_for(shop, release_shop, impatient, told) -> None:
    shop.sandbox.edge.issuing_seconds = 4.0
    shop.configure(decisions={"certificate-invalid": "wait"})
    assert (await release_shop()).outcome is Outcome.COMPLETED
    assert "certificate-default" in told
    assert "certificate-valid" in told


async def test_while_nothing_is_issued_the_cause_is_told(shop, release_shop, impatient, told) -> None:
    shop.sandbox.authority.refused.add(shop.host)
    shop.configure(decisions={"certificate-invalid": "abort"})
    await release_shop()
    assert "certificate-rate-limited" in told, "nothing else can be seen from the outside"
    shop.sandbox.names.set(shop.host, "A", "127.0.0.1", "127.0.0.9")
    told.clear()
    with pytest.raises(CertificateInvalidError, match=r"127\.0\.0\.9"):
        await verify_certificates(target(shop))
    assert "domain-stray-a" in told
    assert "certificate-port-80-closed" in told


async def test_a_temporary_certificate_can_be_accepted(shop, release_shop, impatient) -> None:
    shop.sandbox.authority.refused.add(shop.host)
    shop.configure(decisions={"certificate-invalid": "accept"})
    report = await release_shop()
    assert report.outcome is Outcome.COMPLETED
    assert "default certificate" in report.reason


async def test_warnings_around_a_good_certificate_are_told_and_stop_nothing(shop, serve_shop, told) -> None:
    await serve_shop()
    shop.sandbox.authority.issue(shop.host, lifetime=100 * DAY, age=80 * DAY)
    seen = await verify_certificates(target(shop))
    assert seen.valid
    assert "certificate-near-expiry" in told
    assert not [name for name in told if name.startswith("https-")], "hints are no part of a proof"


async def test_what_is_not_due_is_left_alone(shop, serve_shop) -> None:
    await serve_shop()
    shop.sandbox.app.state.faults.requests.clear()
    name, renewals = await renew(shop)
    assert name == "Completed"
    (row,) = renewals.hosts
    assert row.result is Renewal.FINE
    assert row.serial_before == row.serial_after
    assert shop.sandbox.app.state.faults.requests == [], "Coolify is not even asked"


async def test_a_due_certificate_is_renewed_and_the_serial_number_proves_it(shop, serve_shop) -> None:
    await serve_shop()
    shop.sandbox.authority.issue(shop.host, lifetime=6 * DAY, age=5 * DAY)
    name, renewals = await renew(shop)
    assert name == "Completed"
    (row,) = renewals.hosts
    assert row.result is Renewal.RENEWED
    assert row.serial_before != row.serial_after
    assert "17% of its life left" in row.reason
    assert await shop.version() == "1.0.0"


async def test_the_proxy_is_restarted_where_that_is_allowed(shop, serve_shop) -> None:
    await serve_shop()
    shop.sandbox.authority.issue(shop.host, lifetime=90 * DAY, age=89 * DAY)
    name, renewals = await renew(shop, restart_application=False, restart_proxy=True)
    assert (name, renewals.hosts[0].result) == ("Completed", Renewal.RENEWED)
    assert [path for path in shop.requests("POST") if path.endswith("/proxy/restart")]


async def test_what_is_due_and_not_allowed_alerts(shop, serve_shop) -> None:
    await serve_shop()
    shop.sandbox.authority.issue(shop.host, lifetime=90 * DAY, age=80 * DAY)
    name, renewals = await renew(shop, restart_application=False)
    assert name == "CertificatesDue"
    assert renewals.hosts[0].result is Renewal.DUE
    assert "11% of its life left" in renewals.summary


async def test_a_restart_without_another_certificate_is_no_success(shop, serve_shop) -> None:
    await serve_shop()
    shop.sandbox.authority.issue(shop.host, lifetime=90 * DAY, age=80 * DAY)
    shop.sandbox.authority.refused.add(shop.host)
    name, renewals = await renew(shop, wait_seconds=0.2)
    assert name == "CertificatesDue"
    (row,) = renewals.hosts
    assert row.result is Renewal.UNCHANGED
    assert row.serial_before == row.serial_after
    assert "proxy" in row.reason


async def test_nothing_is_triggered_while_the_authority_would_refuse(shop, serve_shop) -> None:
    await serve_shop()
    shop.sandbox.authority.issue(shop.host, lifetime=90 * DAY, age=89 * DAY)
    dns_host, dns_port = shop.sandbox.dns_address
    shop.configure(
        network={
            "resolvers": [f"{dns_host}:{dns_port}"],
            "ca_file": str(shop.sandbox.ca_file),
            "http_port": CLOSED_PORT,
            "https_port": shop.sandbox.edge.https_port,
        }
    )
    name, renewals = await renew(shop)
    assert name == "CertificatesDue"
    assert renewals.hosts[0].result is Renewal.DUE
    assert "Port 80" in renewals.hosts[0].reason
    assert [path for path in shop.requests("POST") if path.endswith("/restart")] == []


async def test_force_overrules_what_seems_to_hinder_the_authority(shop, serve_shop) -> None:
    await serve_shop()
    shop.sandbox.authority.issue(shop.host, lifetime=90 * DAY, age=89 * DAY)
    shop.sandbox.names.set(shop.host, "A", "127.0.0.1", "127.0.0.9")
    shop.sandbox.app.state.faults.requests.clear()
    await renew(shop, wait_seconds=0)
    assert [path for path in shop.requests("POST") if path.endswith("/restart")] == []
    await renew(shop, force=True, wait_seconds=0)
    assert [path for path in shop.requests("POST") if path.endswith("/restart")]


async def test_an_application_that_somebody_has_stopped_is_not_started(shop, serve_shop) -> None:
    await serve_shop()
    async with shop.client() as client:
        (application,) = await client.applications.list()
        await client.applications.stop(application.uuid)
        async with asyncio.timeout(60):
            while (await client.applications.get(application.uuid)).parsed_status.is_running:
                await asyncio.sleep(0.1)
    shop.sandbox.authority.issue(shop.host, lifetime=90 * DAY, age=89 * DAY)
    shop.sandbox.app.state.faults.requests.clear()
    name, renewals = await renew(shop)
    assert name == "CertificatesDue"
    assert renewals.hosts[0].result is Renewal.DUE
    assert "a restart would start it" in renewals.hosts[0].reason
    assert shop.requests("POST") == []


async def test_one_application_out_of_reach_keeps_nobody_from_being_renewed(shop, serve_shop) -> None:
    await serve_shop()
    shop.sandbox.authority.issue(shop.host, lifetime=90 * DAY, age=80 * DAY)
    missing = Target(config=str(shop.directory / "nowhere.yml"))
    name, renewals = await renew(shop, targets=(missing, target(shop)))
    assert name == "CertificatesDue"
    assert [row.result for row in renewals.hosts] == [Renewal.FAILED, Renewal.RENEWED]
    assert "nowhere.yml" in renewals.hosts[0].reason


async def test_force_tells_the_truth_when_the_proxy_keeps_a_good_certificate(shop, serve_shop) -> None:
    await serve_shop()
    name, renewals = await renew(shop, force=True, wait_seconds=0.2)
    assert name == "CertificatesDue"
    assert renewals.hosts[0].result is Renewal.UNCHANGED
    assert "not due" in renewals.hosts[0].reason


def proxy_is(shop, **state: object) -> None:
    """Let Coolify tell something else about the server's proxy."""
    row = shop.sandbox.state.all("server")[0]
    shop.sandbox.state.update(row, proxy={**row["proxy"], **state})


async def test_a_server_without_proxy_is_told_before_anything_is_waited_for(shop, serve_shop) -> None:
    without_https(shop)
    await serve_shop()
    proxy_is(shop, type="NONE")
    with pytest.raises(DomainsIgnoredError, match="choose one under Servers, Proxy"):
        await enable(shop)


async def test_a_proxy_that_does_not_run_is_told_as_the_cause(shop, serve_shop, impatient, told) -> None:
    await serve_shop()
    proxy_is(shop, status="exited")
    async with serving(None) as closed:
        pass
    dns_host, dns_port = shop.sandbox.dns_address
    ports = {"http_port": closed, "https_port": closed}
    shop.configure(
        decisions={"certificate-invalid": "abort"},
        network={"resolvers": [f"{dns_host}:{dns_port}"], "ca_file": str(shop.sandbox.ca_file), **ports},
    )
    with pytest.raises(CertificateInvalidError, match="proxy of the server localhost does not run"):
        await verify_certificates(target(shop))
    assert "certificate-proxy-stopped" in told
    proxy_is(shop, type="NONE")
    with pytest.raises(CertificateInvalidError, match="has no proxy"):
        await verify_certificates(target(shop))
    assert "certificate-proxy-none" in told
