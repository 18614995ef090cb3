"""Records written to Cloudflare, whose API answers as it documents."""

import pytest
import responses
from pydantic import SecretStr

from coolify.dns_providers import CloudflareAccess, DnsProviderError, ManagedZone, plan_addresses, plan_removal
from tests.integration.dns.cloudflare_api import Cloudflare

HOST, MARK, SERVER = "app.example.com", "_coolify-flows.app.example.com", "192.0.2.10"


@pytest.fixture
def cloudflare():
    account = Cloudflare()
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        account.install(mock)
        yield account


@pytest.fixture
def zone(monkeypatch):
    monkeypatch.setattr("coolify.dns_providers.cloudflare._RETRY_SECONDS", 0)
    return ManagedZone(CloudflareAccess(SecretStr("cf-token")), "example.com")


async def plan(zone, *addresses, adopt=False):
    return plan_addresses(await zone.read(), HOST, addresses or (SERVER,), owner="us", ttl=300, adopt=adopt)


async def test_a_host_is_added_and_removed_and_nothing_else_changes(cloudflare, zone) -> None:
    cloudflare.add("A", "other.example.com", "198.51.100.7", proxied=True, ttl=1)
    cloudflare.add("TXT", "example.com", '"v=spf1; -all"')
    before = [dict(one) for one in cloudflare.records]
    await zone.write(await plan(zone, SERVER, "2001:db8::10"))
    assert cloudflare.of(HOST) == {"A": [SERVER], "AAAA": ["2001:db8::10"]}
    assert cloudflare.of(MARK) == {"TXT": ['"coolify-flows-owner=us,types=A+AAAA"']}
    assert (await plan(zone, SERVER, "2001:db8::10")).changes == ()
    await zone.write(plan_removal(await zone.read(), HOST, (SERVER, "2001:db8::10"), owner="us"))
    assert cloudflare.records == before


async def test_a_zone_with_many_pages_of_records_is_read_to_the_end(cloudflare, zone) -> None:
    for number in range(250):
        cloudflare.add("A", f"host{number}.example.com", "198.51.100.7")
    cloudflare.add("A", HOST, "198.51.100.7")
    assert "not ours" in (await plan(zone)).refusals[0]


async def test_a_proxied_record_of_ours_stays_proxied_when_it_changes(cloudflare, zone) -> None:
    await zone.write(await plan(zone))
    (ours,) = (one for one in cloudflare.records if one["name"] == HOST)
    ours |= {"proxied": True, "ttl": 1}
    assert (await plan(zone)).changes == ()
    await zone.write(await plan(zone, "192.0.2.11"))
    assert (ours["content"], ours["proxied"], ours["ttl"]) == ("192.0.2.11", True, 1)


async def test_a_foreign_alias_is_replaced_when_adopted(cloudflare, zone) -> None:
    cloudflare.add("CNAME", HOST, "elsewhere.example.net")
    assert "CNAME elsewhere.example.net, which is not ours" in (await plan(zone)).refusals[0]
    await zone.write(await plan(zone, adopt=True))
    assert cloudflare.of(HOST) == {"A": [SERVER]}
    assert cloudflare.of(MARK) == {"TXT": ['"coolify-flows-owner=us,types=A"']}


@pytest.mark.parametrize("method", ["POST", "DELETE"])
async def test_a_lost_answer_is_not_taken_for_a_failure(cloudflare, zone, method: str) -> None:
    cloudflare.lose = method
    await zone.write(await plan(zone))
    assert cloudflare.of(HOST) == {"A": [SERVER]}
    await zone.write(plan_removal(await zone.read(), HOST, (SERVER,), owner="us"))
    assert cloudflare.records == []
    assert cloudflare.lose == ""


async def test_the_servers_of_the_zone_are_known_though_the_list_of_records_lacks_them(cloudflare, zone) -> None:
    assert (await zone.read()).servers == ("ada.ns.cloudflare.com", "bob.ns.cloudflare.com")


async def test_a_rate_limit_is_waited_for(cloudflare, zone) -> None:
    cloudflare.failures = [429, 502]
    assert (await zone.read()).zone == "example.com"


async def test_a_token_that_may_only_read_is_told_what_it_lacks_and_changes_nothing(cloudflare, zone) -> None:
    cloudflare.may_edit = False
    with pytest.raises(DnsProviderError, match=r"refuses the API token for example.com: create one with .* DNS Edit"):
        await zone.write(await plan(zone))
    assert cloudflare.records == []


@pytest.mark.parametrize(
    ("prepare", "told"),
    [
        (lambda one: setattr(one, "token", "another"), "refuses the API token for example.com"),
        (lambda one: one.zones.clear(), r"has no zone example.com .* they see: none"),
        (lambda one: one.failures.extend([429] * 9), "rate limit is reached"),
        (lambda one: one.failures.extend([503] * 9), "API is failing"),
        (lambda one: one.failures.append(401), "refuses the API token"),
        (lambda one: one.failures.append(500), "API answered 500"),
        (lambda one: one.failures.append(400), "Service temporarily unavailable"),
        (lambda one: setattr(one, "lose", "GET"), r"API cannot be reached \(ConnectionError\)"),
    ],
    ids=["wrong token", "no zone", "rate limit", "503", "401", "500", "400", "lost"],
)
async def test_a_refusal_is_one_clear_sentence_without_the_token(cloudflare, zone, prepare, told: str) -> None:
    prepare(cloudflare)
    with pytest.raises(DnsProviderError, match=told) as caught:
        await zone.read()
    assert "cf-token" not in str(caught.value)
    assert "POST /zones" not in cloudflare.asked
