"""Records written to a real BIND by dynamic updates, and what it answers afterwards."""

import asyncio
import re
import socket

import dns.message
import dns.query
import pytest
from pydantic import SecretStr

from coolify.dns import DnsSettings, Nameserver, Resolver, ServerAddresses, wait_until_propagated
from coolify.dns_providers import (
    DnsProviderError,
    ManagedZone,
    Rfc2136Access,
    ZoneChangedError,
    judge_delegation,
    plan_addresses,
    plan_removal,
    public_servers,
)
from tests.integration.dns.bind import FIRST, READER_NAME, READER_SECRET, RESOLVER, TSIG_NAME, TSIG_SECRET

pytestmark = [
    pytest.mark.component("named", "dnssec-signzone"),
    # The BIND provider uses what octoDNS 2 will no longer have; the dependency is limited to octoDNS 1.
    pytest.mark.filterwarnings("ignore::DeprecationWarning:octodns_bind"),
]

ZONE, SERVER, OTHER = "ours.test", "192.0.2.10", "198.51.100.7"


def managed(internet, **access) -> ManagedZone:
    known = {"server": FIRST, "port": internet.port, "key_name": TSIG_NAME, "key_secret": SecretStr(TSIG_SECRET)}
    name = access.pop("zone", ZONE)
    return ManagedZone(Rfc2136Access(**(known | access)), name)


@pytest.fixture
def zone(internet):
    return managed(internet)


def answer(internet, name: str, kind: str) -> list[str]:
    """What the server says, asked without any code of ours."""
    response = dns.query.tcp(dns.message.make_query(name, kind), FIRST, port=internet.port, timeout=5)
    return sorted(text for rrset in response.answer for text in re.findall(r" (?:A|AAAA|TXT|CNAME) (.+)", str(rrset)))


async def add(zone, host, *addresses, adopt=False, owner="us"):
    made = plan_addresses(await zone.read(), host, addresses or (SERVER,), owner=owner, ttl=60, adopt=adopt)
    assert made.refusals == ()
    await zone.write(made)
    return made


async def test_a_host_is_added_seen_by_the_world_and_removed(internet, zone) -> None:
    host = f"added.{ZONE}"
    await add(zone, host, SERVER, "2001:db8::10")
    assert answer(internet, host, "A") == [SERVER]
    assert answer(internet, host, "AAAA") == ["2001:db8::10"]
    assert answer(internet, f"_coolify-flows.{host}", "TXT") == ['"coolify-flows-owner=us,types=A+AAAA"']
    assert (await add(zone, host, SERVER, "2001:db8::10")).changes == ()
    ended = await wait_until_propagated(
        host,
        ServerAddresses("server", frozenset({SERVER, "2001:db8::10"})),
        Resolver((Nameserver(RESOLVER, internet.port),)),
        DnsSettings(nameserver_port=internet.port),
        patience=60,
        poll=0.1,
    )
    assert ended.is_complete
    await zone.write(plan_removal(await zone.read(), host, (SERVER, "2001:db8::10"), owner="us"))
    assert answer(internet, host, "A") == answer(internet, host, "AAAA") == []
    assert answer(internet, f"_coolify-flows.{host}", "TXT") == []


async def test_everything_else_in_the_zone_stays_as_it_is(internet, zone) -> None:
    before = (await zone.read()).records
    await add(zone, f"passing.{ZONE}")
    during = (await zone.read()).records
    assert {one.name for one in set(during) - set(before)} == {f"passing.{ZONE}", f"_coolify-flows.passing.{ZONE}"}
    await zone.write(plan_removal(await zone.read(), f"passing.{ZONE}", (SERVER,), owner="us"))
    assert (await zone.read()).records == before


async def test_a_foreign_record_is_refused_and_an_alias_replaced_only_when_adopted(internet, zone) -> None:
    refused = plan_addresses(await zone.read(), f"taken.{ZONE}", (SERVER,), owner="us", ttl=60)
    assert f"A {OTHER}, which is not ours" in refused.refusals[0]
    assert (
        "elsewhere.ours.test"
        in plan_addresses(await zone.read(), f"alias.{ZONE}", (SERVER,), owner="us", ttl=60).refusals[0]
    )
    await add(zone, f"alias.{ZONE}", adopt=True)
    assert answer(internet, f"alias.{ZONE}", "A") == [SERVER]
    assert answer(internet, f"taken.{ZONE}", "A") == [OTHER]


async def test_records_of_others_that_nobody_can_parse_are_no_hindrance(internet, zone) -> None:
    internet.update(ZONE, ("replace", "binary", "60", "TXT", r'"\255\254"'), at=(FIRST,))
    internet.update(ZONE, ("replace", "binary", "60", "TYPE65400", r"\# 1 00"), at=(FIRST,))
    await add(zone, f"beside.{ZONE}")
    assert answer(internet, f"beside.{ZONE}", "A") == [SERVER]
    assert answer(internet, f"binary.{ZONE}", "TXT") == [r'"\255\254"']


async def test_other_texts_beside_our_mark_are_read_and_kept_as_they_are(internet, zone) -> None:
    host, text = f"noted.{ZONE}", r'"a\; note" "of two parts"'
    internet.update(ZONE, ("replace", "_coolify-flows.noted", "60", "TXT", text), at=(FIRST,))
    await add(zone, host)
    note, mark = answer(internet, f"_coolify-flows.{host}", "TXT")
    assert note == '"a; noteof two parts"'
    assert mark == '"coolify-flows-owner=us,types=A"'
    await zone.write(plan_removal(await zone.read(), host, (SERVER,), owner="us"))
    assert answer(internet, f"_coolify-flows.{host}", "TXT") == [note]


async def test_a_record_that_somebody_adds_after_the_plan_is_not_overwritten(internet, zone) -> None:
    host = f"late.{ZONE}"
    made = plan_addresses(await zone.read(), host, (SERVER,), owner="us", ttl=60)
    internet.update(ZONE, ("replace", "late", "60", "A", OTHER), at=(FIRST,))
    with pytest.raises(ZoneChangedError, match=f"there is A {OTHER} now"):
        await zone.write(made)
    assert answer(internet, host, "A") == [OTHER]


async def test_two_runs_of_one_application_at_once_end_in_one_state(internet, zone) -> None:
    host = f"both.{ZONE}"
    await asyncio.gather(add(zone, host), add(managed(internet), host))
    assert answer(internet, host, "A") == [SERVER]
    assert answer(internet, f"_coolify-flows.{host}", "TXT") == ['"coolify-flows-owner=us,types=A"']


async def test_of_two_applications_at_once_at_most_one_gets_the_name(internet, zone) -> None:
    host = f"wanted.{ZONE}"
    read = await zone.read()
    ours, theirs = (
        plan_addresses(read, host, (address,), owner=owner, ttl=60)
        for owner, address in (("us", SERVER), ("them", OTHER))
    )
    ended = await asyncio.gather(zone.write(ours), managed(internet).write(theirs), return_exceptions=True)
    failed = [one for one in ended if one is not None]
    assert failed
    assert all(isinstance(one, ZoneChangedError) for one in failed)
    assert len(answer(internet, host, "A")) == 2 - len(failed)


async def test_what_died_between_mark_and_record_is_taken_up(internet, zone) -> None:
    host = f"dead.{ZONE}"
    made = plan_addresses(await zone.read(), host, (SERVER,), owner="us", ttl=60)
    await zone.write(made.model_copy(update={"records": ()}))
    assert answer(internet, host, "A") == []
    await add(zone, host)
    assert answer(internet, host, "A") == [SERVER]


@pytest.mark.parametrize(
    ("access", "told"),
    [
        ({"key_secret": SecretStr("d3Jvbmcgc2VjcmV0")}, "does not know the TSIG key 'updates', or with another secret"),
        ({"key_name": "nobody"}, "does not know the TSIG key 'nobody'"),
        ({"key_name": ""}, r"refuses to transfer the zone ours.test \(REFUSED\): allow it for a request without"),
        ({"zone": "nowhere.test"}, "check that dns.records.zone is a zone of this server"),
        ({"key_secret": SecretStr("not base64!")}, "is not base64"),
        ({"server": "127.0.0.1", "port": 1}, "does not answer over TCP"),
    ],
    ids=["wrong secret", "unknown key", "no key", "unknown zone", "no base64", "nobody there"],
)
async def test_a_refusal_to_read_is_one_clear_sentence(internet, access, told: str) -> None:
    with pytest.raises(DnsProviderError, match=told) as caught:
        await managed(internet, **access).read()
    assert "wrong" not in str(caught.value)


async def test_a_name_server_without_an_address_is_told(internet, monkeypatch) -> None:
    def nothing_found(*arguments, **options):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nothing_found)
    with pytest.raises(DnsProviderError, match=r"ns.example.com has no address: correct dns.records.rfc2136.server"):
        await managed(internet, server="ns.example.com").read()


async def test_a_key_that_may_only_read_is_told_what_it_lacks(internet, zone) -> None:
    reader = managed(internet, key_name=READER_NAME, key_secret=SecretStr(READER_SECRET))
    made = plan_addresses(await reader.read(), f"denied.{ZONE}", (SERVER,), owner="us", ttl=60)
    with pytest.raises(DnsProviderError, match=r"refuses the update of ours.test \(REFUSED\): allow it for the TSIG"):
        await reader.write(made)
    assert (await zone.read()).at(f"_coolify-flows.denied.{ZONE}") == ()


async def test_a_zone_that_the_world_asks_elsewhere_is_noticed(internet, zone) -> None:
    resolver = Resolver((Nameserver(RESOLVER, internet.port),))
    public = await public_servers(ZONE, resolver)
    assert judge_delegation(await zone.read(), public) == ""
    assert "is delegated to ns1.example.test, not to the servers" in judge_delegation(
        (await zone.read()).model_copy(update={"servers": ("ns.other.test",)}), public
    )
