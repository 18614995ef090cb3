"""`coolify domain add` and `remove`: DNS at a real BIND, the file and Coolify change together."""

from dataclasses import replace
from functools import partial

import dns.message
import dns.query
import pytest

from coolify.api import ApplicationSettings
from coolify.config import load_config
from coolify.decisions import DOMAIN_NOT_POINTING
from coolify.dns import DnsSettings
from coolify.dns_providers import DnsProviderError, RecordsRefusedError
from coolify.progress import DecisionTaken, observe
from flows.apply import ApplyRequest, apply
from flows.change_domains import AddDomainRequest, RemoveDomainRequest, add_domain_flow, remove_domain_flow
from flows.preflight import preflight
from tasks.domain_settling import DomainsNotReadyError
from tasks.session import Target
from tests.integration.dns.bind import FIRST, READER_NAME, READER_SECRET, RESOLVER, TSIG_NAME, TSIG_SECRET, Internet

pytestmark = [
    pytest.mark.component("named", "dnssec-signzone"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:octodns_bind"),
]

COMMENT = "# Asked for by sales."


@pytest.fixture(scope="module")
def internet(tmp_path_factory):
    running = Internet(tmp_path_factory.mktemp("bind"))
    try:
        running.start()
        yield running
    finally:
        running.stop()


@pytest.fixture
async def zone(internet, shop, in_prefect, monkeypatch):
    """The shop is in Coolify; the zone of what it gets is at BIND, and so are all names."""
    await apply(ApplyRequest(target=Target(config=str(shop.config))))
    for name, value in in_prefect.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("DNS_KEY_SECRET", TSIG_SECRET)
    for name in ("_POLL_SECONDS", "_FOLLOW_SECONDS"):
        monkeypatch.setattr(f"tasks.domain_settling.{name}", 0.2)
    # The flows of this process reach the servers of the zone, whose port is not 53 here; those of commands do not.
    settings = partial(DnsSettings, nameserver_port=internet.port)
    monkeypatch.setattr("coolify.dns.application.DnsSettings", settings)
    configure(internet, shop)
    return internet


def configure(internet, shop, key_name=TSIG_NAME, **more) -> None:
    key = {"server": FIRST, "port": internet.port, "key_name": key_name, "key_secret": "${DNS_KEY_SECRET}"}
    network = shop.changes.get("network") or {"resolvers": [f"{RESOLVER}:{internet.port}"]}
    records = {"zone": "ours.test", "ttl": 60, "wait": 60, "rfc2136": key}
    shop.configure(**{"dns": {"records": records}, "network": network} | more)
    text = shop.config.read_text().replace("domains:\n", f"domains:\n{COMMENT}\n")
    shop.config.write_text(text)


async def add(shop, host, **more):
    return await add_domain_flow(AddDomainRequest(target=Target(config=str(shop.config)), host=host, **more))


async def remove(shop, host):
    return await remove_domain_flow(RemoveDomainRequest(target=Target(config=str(shop.config)), host=host))


def answer(internet, name: str, kind: str = "A") -> list[str]:
    response = dns.query.tcp(dns.message.make_query(name, kind), FIRST, port=internet.port, timeout=5)
    return sorted(record.to_text() for rrset in response.answer for record in rrset)


def in_coolify(shop) -> list[str]:
    (row,) = shop.sandbox.state.all("application")
    return (row["fqdn"] or "").split(",")


SHOP = "https://shop.sandbox.test"


async def test_a_dry_run_shows_everything_and_changes_nothing(shop, coolify, zone) -> None:
    before = shop.config.read_text()
    done = await coolify("domain", "add", "dry.ours.test", "--dry-run")
    assert done.code == 0, done.text
    assert '+ domains.1: {"dry": "dry.ours.test", "ssl": true}' in done.text
    assert f"~ domains: {SHOP} -> {SHOP},https://dry.ours.test" in done.text
    assert "+ dry.ours.test A 127.0.0.1 (leads to the server)" in done.text
    assert "Nothing was changed" in done.text
    assert shop.config.read_text() == before
    assert in_coolify(shop) == [SHOP]
    assert answer(zone, "dry.ours.test") == []


async def test_a_domain_is_added_everywhere_once_and_removed_everywhere(shop, coolify, zone) -> None:
    before = shop.config.read_text()
    done = await coolify("domain", "add", "new.ours.test", "--yes", "--json")
    assert done.code == 0, done.stderr
    assert done.stderr == ""
    assert [(one["kind"], one["name"], one["type"]) for one in done.json["records"]["changes"]] == [
        ("create", "_coolify-flows.new.ours.test", "TXT"),
        ("create", "new.ours.test", "A"),
    ]
    assert answer(zone, "new.ours.test") == ["127.0.0.1"]
    assert in_coolify(shop) == [SHOP, "https://new.ours.test"]
    assert COMMENT in shop.config.read_text()
    writes = shop.requests("PATCH")
    again = await coolify("domain", "add", "new.ours.test", "--no-input")
    assert again.code == 0, again.text
    assert "Nothing to change" in again.text
    assert shop.requests("PATCH") == writes
    unconfirmed = await coolify("domain", "remove", "new.ours.test", "--no-input")
    assert unconfirmed.code == 2
    assert "--yes" in unconfirmed.text
    planned = await coolify("domain", "remove", "new.ours.test", "--dry-run", "--json")
    assert [one["kind"] for one in planned.json["records"]["changes"]] == ["delete", "delete"]
    assert answer(zone, "new.ours.test") == ["127.0.0.1"]
    removed = await coolify("domain", "remove", "new.ours.test", "--yes")
    assert removed.code == 0, removed.text
    assert "The proxy follows with the next deployment" in removed.text
    assert answer(zone, "new.ours.test") == answer(zone, "_coolify-flows.new.ours.test", "TXT") == []
    assert in_coolify(shop) == [SHOP]
    assert shop.config.read_text() == before


async def test_a_record_of_somebody_else_is_not_overwritten_without_adopt(shop, coolify, zone) -> None:
    before = shop.config.read_text()
    refused = await coolify("domain", "add", "taken.ours.test", "--yes")
    assert refused.code == 1
    assert "A 198.51.100.7, which is not ours: remove it, or take it over with --adopt." in refused.text
    assert shop.config.read_text() == before
    with pytest.raises(RecordsRefusedError, match="which is not ours"):
        await add(shop, "taken.ours.test")
    await add(shop, "taken.ours.test", adopt=True, wait=False)
    assert answer(zone, "taken.ours.test") == ["127.0.0.1"]


async def test_a_name_that_is_none_is_a_mistake_of_the_call(coolify) -> None:
    done = await coolify("domain", "add", "https://app.example.com")
    assert done.code == 2
    assert "'https://app.example.com'" in done.text


async def test_a_key_that_may_not_update_leaves_file_and_coolify_as_they_were(shop, zone, monkeypatch) -> None:
    configure(zone, shop, key_name=READER_NAME)
    monkeypatch.setenv("DNS_KEY_SECRET", READER_SECRET)
    before = shop.config.read_text()
    with pytest.raises(DnsProviderError, match=r"refuses the update .* allow it for the TSIG key 'readers'") as caught:
        await add(shop, "denied.ours.test")
    assert READER_SECRET not in str(caught.value)
    assert shop.config.read_text() == before
    assert in_coolify(shop) == [SHOP]


async def test_what_died_before_coolify_was_told_is_taken_up(shop, zone) -> None:
    await add(shop, "half.ours.test")
    async with shop.client() as client:
        (application,) = await client.applications.list()
        await client.applications.update(application.uuid, ApplicationSettings(domains=SHOP))
    changed = await add(shop, "half.ours.test")
    assert changed.in_coolify
    assert not changed.in_file
    assert in_coolify(shop) == [SHOP, "https://half.ours.test"]


async def test_a_domain_that_only_coolify_has_stays(shop, zone) -> None:
    async with shop.client() as client:
        (application,) = await client.applications.list()
        await client.applications.update(application.uuid, ApplicationSettings(domains=f"{SHOP},https://other.test"))
    await add(shop, "beside.ours.test")
    await remove(shop, "shop.sandbox.test")
    assert in_coolify(shop) == ["https://other.test", "https://beside.ours.test"]


async def test_the_last_domain_can_be_removed(shop, zone) -> None:
    await remove(shop, "shop.sandbox.test")
    assert in_coolify(shop) == [""]
    assert load_config(shop.config).domains == ()


async def test_without_a_provider_the_records_are_shown_and_waited_for(shop, zone) -> None:
    configure(zone, shop, dns=None)
    told = []

    def enter_what_is_told(event) -> None:
        told.append(getattr(event, "text", ""))
        if told[-1].startswith("waiting for DNS"):
            zone.update("ours.test", ("replace", "hand", "60", "A", "127.0.0.1"), at=(FIRST,))

    with observe(enter_what_is_told):
        changed = await add(shop, "hand.ours.test")
    assert changed.by_hand
    assert "enter this DNS record: hand.ours.test. 300 IN A 127.0.0.1" in told
    assert in_coolify(shop) == [SHOP, "https://hand.ours.test"]


async def test_by_policy_no_domain_is_added_that_does_not_lead_to_the_server(shop, zone) -> None:
    configure(zone, shop, decisions={"domain-not-pointing": "abort"})
    before = shop.config.read_text()
    with pytest.raises(DomainsNotReadyError, match=r"abort.ours.test does not exist"):
        await add(shop, "abort.ours.test")
    assert shop.config.read_text() == before


async def test_a_release_writes_the_records_that_its_domains_lack(shop, zone) -> None:
    configure(zone, shop, domains=[{"primary": "release.ours.test", "ssl": True}])
    target = Target(config=str(shop.config))
    await preflight(target)
    assert answer(zone, "release.ours.test") == ["127.0.0.1"]
    assert len(answer(zone, "_coolify-flows.release.ours.test", "TXT")) == 1
    await preflight(target)


async def test_a_release_goes_on_by_hand_where_the_records_are_not_ours_to_write(shop, zone, monkeypatch) -> None:
    monkeypatch.setattr("tasks.domain_settling.DOMAIN_NOT_POINTING", replace(DOMAIN_NOT_POINTING, timeout_seconds=0.0))
    configure(zone, shop, domains=[{"primary": "elsewhere.ours.test", "ssl": True}])
    decisions = []
    with (
        observe(lambda event: decisions.append(event) if isinstance(event, DecisionTaken) else None),
        pytest.raises(DomainsNotReadyError, match=r"elsewhere.ours.test leads to 198.51.100.7"),
    ):
        await preflight(Target(config=str(shop.config)))
    (decision,) = decisions
    assert "'automate' is not available (elsewhere.ours.test has the record A 198.51.100.7" in decision.reason
    assert answer(zone, "elsewhere.ours.test") == ["198.51.100.7"]
