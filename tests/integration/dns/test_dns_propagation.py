"""Who knows a change already, and whose word counts until all do."""

import asyncio
import re
from contextlib import contextmanager
from dataclasses import replace

from coolify.dns import (
    DnsSettings,
    Nameserver,
    Resolver,
    ServerAddresses,
    check_domain,
    wait_until_propagated,
)
from coolify.progress import StepDone, observe
from tests.integration.dns.bind import free_ports
from tests.integration.dns.checking import ERROR, INFO, OK, SERVER, WARNING, needs_bind
from tests.integration.dns.relay import Relay


@contextmanager
def intercepting(targets):
    """Answer at the addresses of name servers, at a port of its own, with what another server says."""
    relay = Relay(free_ports(1)[0], targets)
    relay.start()
    try:
        yield relay.port
    finally:
        relay.stop()


@needs_bind
async def test_a_resolver_that_was_asked_too_early_remembers_that_there_was_nothing(check, internet) -> None:
    assert "domain-does-not-exist" in await check("early.example.test")
    internet.update("example.test", ("replace", "early", "300", "A", "192.0.2.10"))
    found = await check("early.example.test")
    assert found["domain-points-to-server"].severity is OK, "the zone's own servers are what counts"
    finding = found["domain-negative-cached"]
    assert finding.severity is WARNING
    seconds = int(re.search(r"up to (\d+) s", finding.summary)[1])
    assert 0 < seconds <= 300


@needs_bind
async def test_a_resolver_that_still_has_the_old_address_is_named(check, internet) -> None:
    internet.update("example.test", ("replace", "moved", "300", "A", "198.51.100.7"))
    assert "domain-points-elsewhere" in await check("moved.example.test")
    internet.update("example.test", ("replace", "moved", "300", "A", "192.0.2.10"))
    found = await check("moved.example.test")
    assert found["domain-points-to-server"].severity is OK
    assert f"127.53.0.4:{internet.port}" in found["domain-propagation-pending"].summary
    assert any("198.51.100.7, kept" in line for line in found["domain-propagation-pending"].evidence)


@needs_bind
async def test_a_public_resolver_that_lags_is_named_where_our_own_is_right(check, internet) -> None:
    public = replace(check.resolver.nameservers[0], name="Public")
    internet.update("example.test", ("replace", "public", "300", "A", "198.51.100.7"))
    assert "domain-points-elsewhere" in await check("public.example.test")
    internet.update("example.test", ("replace", "public", "300", "A", "192.0.2.10"))
    direct = Resolver((Nameserver("127.53.0.2", internet.port),))
    settings = replace(check.settings, public_resolvers=(public,))
    findings = await check_domain("public.example.test", SERVER, direct, settings)
    found = {one.name: one for one in findings}
    assert found["domain-points-to-server"].severity is OK
    assert found["domain-propagation-pending"].summary.startswith(f"Public (127.53.0.4:{internet.port}) still gives")


@needs_bind
async def test_a_record_that_was_deleted_is_missing_also_while_a_resolver_remembers_it(check, internet) -> None:
    internet.update("example.test", ("replace", "deleted", "300", "A", "192.0.2.10"))
    assert (await check("deleted.example.test"))["domain-points-to-server"].severity is OK
    internet.update("example.test", ("delete", "deleted"))
    found = await check("deleted.example.test")
    assert found["domain-does-not-exist"].severity is ERROR
    assert "domain-points-to-server" not in found


@needs_bind
async def test_a_record_that_became_an_alias_counts_also_while_a_resolver_remembers_it(check, internet) -> None:
    internet.update("example.test", ("replace", "renamed", "300", "A", "198.51.100.7"))
    assert "domain-points-elsewhere" in await check("renamed.example.test")
    internet.update("example.test", ("delete", "renamed"), ("add", "renamed", "300", "CNAME", "shop.example.test."))
    found = await check("renamed.example.test")
    assert "CNAME renamed.example.test -> shop.example.test" in found["domain-points-to-server"].evidence
    assert "domain-propagation-pending" in found


@needs_bind
async def test_servers_that_give_different_addresses_of_the_server_are_only_mentioned(check, internet) -> None:
    internet.update("example.test", ("replace", "spread", "300", "A", "192.0.2.10"), at=("127.53.0.2",))
    internet.update("example.test", ("replace", "spread", "300", "A", "192.0.2.11"), at=("127.53.0.3",))
    both = ServerAddresses("server", frozenset({"192.0.2.10", "192.0.2.11"}))
    findings = await check_domain("spread.example.test", both, check.resolver, check.settings)
    assert ("domain-servers-disagree", INFO) in [(one.name, one.severity) for one in findings]
    assert not any(one.severity.rank >= WARNING.rank for one in findings)


@needs_bind
async def test_the_servers_own_address_in_a_private_network_is_right_whatever_the_world_sees(names, internet) -> None:
    # As a router does that answers for one name itself, and passes everything else on.
    names.add_zone("test")
    names.set("home.example.test", "A", "192.168.1.5")
    names.set("example.test", "SOA", "ns1.example.test. hostmaster.example.test. 1 3600 600 86400 60")
    names.set("example.test", "NS", "ns1.example.test.")
    names.set("ns1.example.test", "A", "127.53.0.2")
    server = ServerAddresses("server", frozenset({"192.168.1.5"}))
    settings = DnsSettings(nameserver_port=internet.port)
    findings = await check_domain("home.example.test", server, Resolver((Nameserver(*names.address),)), settings)
    assert {one.name for one in findings} >= {"domain-points-to-server", "domain-private-address"}
    assert not any(one.is_problem for one in findings)


@needs_bind
async def test_a_network_that_answers_in_the_name_servers_stead_makes_no_domain_bad(check, internet) -> None:
    ports = dict.fromkeys(("127.53.0.1", "127.53.0.2", "127.53.0.3"), internet.ports["127.53.0.4"])
    with intercepting(ports) as port:
        found = await check("shop.example.test", nameserver_port=port)
    assert found["domain-points-to-server"].severity is OK
    assert found["domain-lame-nameserver"].severity is WARNING
    assert "a resolver finds the domain all the same" in found["domain-lame-nameserver"].summary


@needs_bind
async def test_waiting_ends_when_the_last_server_follows_and_names_the_one_that_lags(check, internet) -> None:
    internet.update("fast.test", ("replace", "new", "2", "A", "192.0.2.10"), at=("127.53.0.2",))
    told: list[str] = []
    lagging = asyncio.Event()

    def watch(event) -> None:
        if isinstance(event, StepDone):
            told.append(event.text)
            lagging.set()

    with observe(watch):
        waiting = asyncio.create_task(
            wait_until_propagated("new.fast.test", SERVER, check.resolver, check.settings, patience=300, poll=0.1)
        )
        await asyncio.wait_for(lagging.wait(), 100)
        assert f"ns2.example.test (127.53.0.3:{internet.port}) still says NXDOMAIN" in told[0]
        assert "ns1.example.test" not in told[0]
        internet.update("fast.test", ("replace", "new", "2", "A", "192.0.2.10"), at=("127.53.0.3",))
        assert (await waiting).is_complete


@needs_bind
async def test_waiting_ends_in_time_and_says_who_lags(check, internet) -> None:
    internet.update("fast.test", ("replace", "stuck", "2", "A", "198.51.100.7"))
    ended = await wait_until_propagated(
        "stuck.fast.test", SERVER, check.resolver, check.settings, patience=0.5, poll=0.1
    )
    assert not ended.is_complete
    assert {"198.51.100.7"} == {one.told for one in ended.lagging}
    assert len(ended.lagging) == 3


async def test_waiting_without_any_name_server_never_ends_well() -> None:
    resolver = Resolver()
    resolver.nameservers = ()
    ended = await wait_until_propagated("shop.example.test", SERVER, resolver, patience=0)
    assert not ended.is_complete


async def test_public_resolvers_that_do_not_answer_are_only_mentioned(names, silent) -> None:
    names.set("shop.example.test", "A", "192.0.2.10")
    names.set("example.test", "SOA", "ns.example.test. hostmaster.example.test. 1 3600 600 86400 60")
    names.set("example.test", "NS", "ns.example.test.")
    names.set("ns.example.test", "A", "127.0.0.1")
    settings = DnsSettings(public_resolvers=(silent,), nameserver_port=names.address[1], server_seconds=0.3)
    found = await check_domain("shop.example.test", SERVER, Resolver((Nameserver(*names.address),)), settings)
    assert ("domain-resolver-silent", INFO) in [(one.name, one.severity) for one in found]
    assert not any(one.is_problem for one in found)
