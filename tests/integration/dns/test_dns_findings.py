"""Each finding about a domain, seen at a real name server that shows it."""

import asyncio
import re
import socket
from contextlib import contextmanager
from dataclasses import replace

import pytest

from benchmarks.domains_dns import measure_dns
from coolify.dns import (
    Authority,
    DnsSettings,
    Nameserver,
    Ports,
    Resolver,
    ServerAddresses,
    Status,
    check_domain,
    check_domains,
    find_ownership,
    mark_text,
    record_name,
    wait_until_propagated,
)
from coolify.finding import Severity
from coolify.progress import StepDone, observe
from coolify_sandbox.names import NameServer, ScriptedFailure
from tests.integration.dns.bind import free_ports
from tests.integration.dns.relay import Relay

OK, INFO, WARNING, ERROR = Severity.OK, Severity.INFO, Severity.WARNING, Severity.ERROR
SERVER = ServerAddresses("server", frozenset({"192.0.2.10"}))

needs_bind = pytest.mark.component("named", "dnssec-signzone")


class Checker:
    """Checks a host through the resolver of the small internet."""

    def __init__(self, resolver: Nameserver, port: int) -> None:
        self.resolver = Resolver((resolver,), timeout=60)
        self.settings = DnsSettings(nameserver_port=port, owner="us", server_seconds=20, zone_seconds=120)

    async def __call__(self, host, **settings):
        findings = await check_domain(host, SERVER, self.resolver, replace(self.settings, **settings))
        assert all(one.subject == host or "xn--" in one.subject for one in findings)
        return {one.name: one for one in findings}


@pytest.fixture
def check(internet):
    return Checker(Nameserver("127.53.0.4", internet.port), internet.port)


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
async def test_a_good_domain_is_told_with_nothing_to_do(check) -> None:
    found = await check("shop.example.test")
    assert {name: one.severity for name, one in found.items()} == {
        "domain-points-to-server": OK,
        "domain-dnssec-unsigned": INFO,
    }


@needs_bind
@pytest.mark.parametrize(
    ("host", "name", "severity", "evidence"),
    [
        ("stray.example.test", "domain-stray-aaaa", ERROR, "AAAA 2001:db8::bad"),
        ("two.example.test", "domain-stray-a", ERROR, "A 198.51.100.7"),
        ("elsewhere.example.test", "domain-points-elsewhere", ERROR, "A 198.51.100.7"),
        ("nobody.example.test", "domain-does-not-exist", ERROR, "NXDOMAIN"),
        ("text.example.test", "domain-without-address", ERROR, "NODATA"),
        ("loop.example.test", "domain-alias-loop", ERROR, "pool.example.test -> loop.example.test"),
        ("gone.example.test", "domain-alias-dangling", ERROR, "-> nothing.example.test"),
        ("mail.example.test", "domain-alias-dangling", ERROR, "-> text.example.test"),
        ("chain.example.test", "domain-alias-chain-long", WARNING, "c5.example.test -> shop.example.test"),
        ("any.wild.example.test", "domain-wildcard-answers", WARNING, "made up"),
        ("any.right.example.test", "domain-wildcard-answers", INFO, "made up"),
        ("proxied.example.test", "domain-behind-cloudflare", WARNING, "A 104.16.1.1"),
        ("private.example.test", "domain-private-address", WARNING, "A 10.1.2.3"),
        ("owned.example.test", "domain-owned", OK, "owner=us"),
        ("taken.example.test", "domain-owned-by-another", WARNING, "owner=them"),
        ("bücher.example.test", "domain-international", INFO, "bücher.example.test -> xn--bcher-kva.example.test"),
        ("shop.lame.test", "domain-lame-nameserver", WARNING, "REFUSED"),
        ("shop.alllame.test", "domain-lame-nameserver", ERROR, "REFUSED"),
        ("shop.alllame.test", "domain-lookup-fails", ERROR, "answer: SERVFAIL"),
        ("shop.differs.test", "domain-delegation-differs", WARNING, "NS of differs.test at test: ns1.example.test"),
        ("shop.hidden.test", "domain-not-delegated", WARNING, "NS of hidden.test at test: none"),
        ("shop.missing.test", "domain-nameserver-without-address", WARNING, "nowhere.test"),
        ("shop.silent.test", "domain-nameserver-silent", WARNING, "nothing listens there"),
        ("shop.disagree.test", "domain-servers-disagree", WARNING, "serial 1: 198.51.100.7"),
        ("shop.signed.test", "domain-dnssec-valid", OK, None),
        ("shop.bogus.test", "domain-dnssec-bogus", ERROR, "no key of the zone is the one that the DS record"),
        ("shop.expired.test", "domain-dnssec-bogus", ERROR, "expired"),
        ("open.caa.test", "domain-caa-allows", OK, 'CAA caa.test: 0 issue "letsencrypt.org"'),
        ("shut.caa.test", "domain-caa-forbids", ERROR, 'CAA shut.caa.test: 0 issue ";"'),
        ("other.caa.test", "domain-caa-forbids", ERROR, "ca.example"),
        ("critical.caa.test", "domain-caa-forbids", ERROR, "128 future"),
        ("account.caa.test", "domain-caa-account", WARNING, "accounturi"),
        ("method.caa.test", "domain-caa-method", ERROR, "validationmethods=dns-01"),
        ("*.wild.caa.test", "domain-caa-forbids", ERROR, 'issuewild ";"'),
        ("both.caa.test", "domain-caa-forbids", ERROR, 'issue ";"'),
        ("*.both.caa.test", "domain-caa-allows", OK, 'issuewild "letsencrypt.org"'),
        ("192.0.2.10.sslip.io", "domain-of-helper-service", WARNING, "192.0.2.10"),
    ],
)
async def test_what_is_wrong_with_a_domain_has_a_name_and_its_evidence(check, host, name, severity, evidence) -> None:
    found = await check(host)
    assert name in found, found
    assert found[name].severity is severity
    assert evidence is None or any(evidence in line for line in found[name].evidence), found[name].evidence
    assert found[name].remedy or severity in {OK, INFO}


@needs_bind
async def test_a_name_server_that_does_not_answer_beside_one_that_does_is_told(check, internet) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mute:
        mute.bind(("127.53.0.9", internet.port))
        finding = (await check("shop.silent.test", server_seconds=3))["domain-nameserver-silent"]
    assert finding.severity is WARNING
    assert any("ns9.test" in line and "time-out" in line for line in finding.evidence)


@needs_bind
async def test_a_reason_that_is_known_better_replaces_the_general_one(check) -> None:
    for host in ("loop.example.test", "gone.example.test", "shop.bogus.test"):
        found = await check(host)
        assert not {"domain-does-not-exist", "domain-lookup-fails"} & set(found)


@needs_bind
async def test_a_bogus_zone_is_proved_by_the_answer_without_validation(check) -> None:
    finding = (await check("shop.expired.test"))["domain-dnssec-bogus"]
    assert any("without validation" in line and "192.0.2.10" in line for line in finding.evidence)


@needs_bind
async def test_the_account_and_the_authority_of_caa_can_be_told(check) -> None:
    account = Authority(account="https://acme.example/1")
    assert "domain-caa-allows" in await check("account.caa.test", authority=account)
    other = await check("account.caa.test", authority=Authority(account="https://acme.example/2"))
    assert other["domain-caa-account"].severity is ERROR
    assert "domain-caa-allows" in await check("other.caa.test", authority=Authority("ca.example"))
    assert "domain-caa-allows" in await check("method.caa.test", authority=Authority(method="dns-01"))


@needs_bind
async def test_issuewild_is_for_wildcards_alone(check) -> None:
    assert not [name for name in await check("wild.caa.test") if "caa" in name]


@needs_bind
async def test_a_wildcard_is_checked_as_one(check) -> None:
    found = await check("*.right.example.test", require_ownership=True)
    assert found["domain-points-to-server"].severity is OK
    assert "domain-wildcard-answers" not in found
    assert "_coolify-flows.right.example.test TXT" in found["domain-ownership-unproven"].remedy


@needs_bind
async def test_a_server_without_a_known_address_is_told(check) -> None:
    server = ServerAddresses("server.internal", frozenset())
    findings = await check_domain("shop.example.test", server, check.resolver, check.settings)
    assert ("domain-server-unknown", WARNING) in [(one.name, one.severity) for one in findings]


@needs_bind
async def test_caa_does_not_matter_where_no_certificate_is_wanted(check) -> None:
    assert not [name for name in await check("shut.caa.test", authority=None) if "caa" in name]


@needs_bind
async def test_ownership_can_be_demanded(check) -> None:
    finding = (await check("shop.example.test", require_ownership=True))["domain-ownership-unproven"]
    assert finding.severity is ERROR
    assert '_coolify-flows.shop.example.test TXT "coolify-flows-owner=us"' in finding.remedy
    taken = await check("taken.example.test", require_ownership=True)
    assert taken["domain-owned-by-another"].severity is ERROR


@needs_bind
async def test_an_ownership_record_alone_would_end_what_a_wildcard_answers(check, internet) -> None:
    finding = (await check("mine.right.example.test", require_ownership=True))["domain-ownership-unproven"]
    assert "and with it address records for mine.right.example.test itself (192.0.2.10)" in finding.remedy
    record = ("replace", record_name("mine.right"), "300", "TXT", mark_text("us"))
    internet.update("example.test", record)
    found = await check("mine.right.example.test", require_ownership=True)
    assert found["domain-without-address"].severity is ERROR
    internet.update("example.test", ("replace", "mine.right", "300", "A", "192.0.2.10"))
    found = await check("mine.right.example.test", require_ownership=True)
    assert {"domain-points-to-server", "domain-owned"} <= set(found)


@needs_bind
async def test_name_servers_out_of_reach_are_told_and_the_resolver_is_believed(check, silent) -> None:
    found = await check("shop.signed.test", nameserver_port=silent.port, server_seconds=0.3)
    assert found["domain-points-to-server"].severity is OK
    assert found["domain-nameservers-unreachable"].severity is INFO
    assert "domain-lame-nameserver" not in found


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
async def test_ownership_is_read_from_the_zones_own_servers(check, internet) -> None:
    before = await find_ownership("claimed.example.test", check.resolver, check.settings)
    assert (before.is_known, before.owners) == (True, ())
    assert (await check.resolver.ask(record_name("claimed.example.test"), "TXT")).status is Status.NXDOMAIN
    record = ("replace", record_name("claimed"), "300", "TXT", mark_text("us"))
    internet.update("example.test", record)
    assert (await find_ownership("claimed.example.test", check.resolver, check.settings)).is_of("us")
    assert not (await find_ownership("taken.example.test", check.resolver, check.settings)).is_of("us")


async def test_ownership_that_cannot_be_asked_is_not_known(silent) -> None:
    settings = DnsSettings(server_seconds=0.2)
    assert not (await find_ownership("shop.example.test", Resolver((silent,), timeout=0.2), settings)).is_known


async def test_a_zone_that_takes_too_long_is_left_out(names) -> None:
    names.set("shop.example.test", "A", "192.0.2.10")
    names.fail("example.test", ScriptedFailure.SILENCE)
    resolver = Resolver((Nameserver(*names.address),), timeout=600)
    settings = DnsSettings(zone_seconds=0.2, authority=None)
    findings = await check_domain("shop.example.test", SERVER, resolver, settings)
    assert [one.name for one in findings] == ["domain-points-to-server"]


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


async def test_a_network_without_dns_is_one_clear_finding_and_no_long_wait(silent) -> None:
    resolver = Resolver((silent,), timeout=0.5)
    settings = DnsSettings(public_resolvers=(silent,), owner="us", ports=Ports())
    async with asyncio.timeout(60):
        findings = await check_domain("shop.example.test", SERVER, resolver, settings)
    assert [one.name for one in findings] == ["domain-lookup-times-out"]


async def test_public_resolvers_that_do_not_answer_are_only_mentioned(names, silent) -> None:
    names.set("shop.example.test", "A", "192.0.2.10")
    names.set("example.test", "SOA", "ns.example.test. hostmaster.example.test. 1 3600 600 86400 60")
    names.set("example.test", "NS", "ns.example.test.")
    names.set("ns.example.test", "A", "127.0.0.1")
    settings = DnsSettings(public_resolvers=(silent,), nameserver_port=names.address[1], server_seconds=0.3)
    found = await check_domain("shop.example.test", SERVER, Resolver((Nameserver(*names.address),)), settings)
    assert ("domain-resolver-silent", INFO) in [(one.name, one.severity) for one in found]
    assert not any(one.is_problem for one in found)


async def test_a_zone_without_name_servers_is_no_error(names) -> None:
    names.set("shop.example.test", "A", "192.0.2.10")
    found = await check_domain("shop.example.test", SERVER, Resolver((Nameserver(*names.address),)))
    assert {one.name for one in found} == {
        "domain-points-to-server",
        "domain-nameservers-unknown",
        "domain-dnssec-unsigned",
    }


async def test_a_caa_look_up_that_fails_is_an_error_within_the_zone_only(names) -> None:
    names.set("a.b.example.test", "A", "192.0.2.10")
    resolver = Resolver((Nameserver(*names.address),))
    assert not any(one.is_problem for one in await check_domain("a.b.example.test", SERVER, resolver))
    names.fail("b.example.test", ScriptedFailure.SERVFAIL)
    found = {one.name: one for one in await check_domain("a.b.example.test", SERVER, resolver)}
    assert found["domain-caa-lookup-fails"].severity is ERROR
    assert "CAA b.example.test: SERVFAIL" in found["domain-caa-lookup-fails"].evidence


@pytest.mark.parametrize(("https", "severity"), [(True, WARNING), (False, INFO)])
async def test_a_name_of_a_helper_service_is_not_to_be_relied_upon(https, severity) -> None:
    server = NameServer("sslip.io")
    await server.start()
    try:
        server.set("192.0.2.10.sslip.io", "A", "192.0.2.10")
        resolver = Resolver((Nameserver(*server.address),))
        found = await check_domain("192.0.2.10.sslip.io", SERVER, resolver, DnsSettings(https=https))
    finally:
        await server.stop()
    assert ("domain-of-helper-service", severity) in [(one.name, one.severity) for one in found]


async def test_the_private_address_of_a_private_server_is_meant(names) -> None:
    names.set("shop.example.test", "A", "10.0.0.5")
    server = ServerAddresses("server", frozenset({"10.0.0.5"}))
    found = await check_domain("shop.example.test", server, Resolver((Nameserver(*names.address),)))
    assert ("domain-private-address", INFO) in [(one.name, one.severity) for one in found]
    assert not any(one.is_problem for one in found)


@pytest.mark.parametrize(
    ("host", "why"),
    [
        ("my_shop.example.test", "underscore"),
        ("-shop.example.test", "hyphens"),
        (f"{'a' * 64}.example.test", "64 characters"),
        (".".join(["a" * 50] * 6), "at most 253"),
        ("xn--0.example.test", "no international name"),
        ("192.0.2.10", "is an address"),
    ],
)
async def test_a_name_against_the_rules_is_refused_without_a_question(silent, host, why) -> None:
    (finding,) = await check_domain(host, SERVER, Resolver((silent,)))
    assert (finding.name, finding.severity) == ("domain-name-invalid", ERROR)
    assert why in finding.summary


@pytest.fixture
async def web():
    """A web server that redirects to `location`, and the host `www` to `www`."""
    state = {"location": "", "www": ""}

    async def serve(reader, writer) -> None:
        asked = await reader.readuntil(b"\r\n\r\n")
        location = state["www"] if b"Host: www." in asked else state["location"]
        status = b"302 Found\r\nLocation: " + location.encode() if location else b"200 OK"
        writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    state["port"] = server.sockets[0].getsockname()[1]
    yield state
    server.close()
    await server.wait_closed()


async def check_at(names, ports):
    names.set("shop.example.test", "A", "127.0.0.1")
    server = ServerAddresses("server", frozenset({"127.0.0.1"}))
    settings = DnsSettings(ports=ports)
    found = await check_domain("shop.example.test", server, Resolver((Nameserver(*names.address),)), settings)
    return {one.name: one for one in found}


async def test_open_ports_are_good_and_a_closed_one_is_an_error_once_the_proxy_is_expected(names, web) -> None:
    port = web["port"]
    assert (await check_at(names, Ports(port, port)))["domain-reachable"].severity is OK
    closed = await check_at(names, Ports(port, 1))
    assert closed["domain-port-closed"].severity is ERROR
    assert "127.0.0.1 port 1: refused" in closed["domain-port-closed"].evidence
    assert (await check_at(names, Ports(port, 1, expected=False)))["domain-port-closed"].severity is WARNING


@pytest.mark.parametrize("path", ["/", "/other"])
async def test_redirects_in_a_circle_are_found(names, web, path) -> None:
    web["location"] = f"http://shop.example.test{path}"
    found = await check_at(names, Ports(web["port"], web["port"]))
    assert found["domain-redirect-loop"].severity is ERROR
    web["location"] = "https://elsewhere.example.test/"
    assert "domain-redirect-loop" not in await check_at(names, Ports(web["port"], web["port"]))


async def test_a_circle_over_another_name_of_the_same_server_is_found(names, web) -> None:
    names.set("www.example.test", "A", "127.0.0.1")
    web["www"], web["location"] = "http://shop.example.test/", "http://www.example.test/"
    found = await check_at(names, Ports(web["port"], web["port"]))
    assert found["domain-redirect-loop"].evidence[:3] == (
        "http://shop.example.test/",
        "http://www.example.test/",
        "http://shop.example.test/",
    )


async def test_what_domains_share_is_asked_once(names) -> None:
    hosts = [f"shop{number}.example.test" for number in range(20)]
    asked: list[str] = []
    answer = names.answer

    def counting(wire, *, udp):
        import dns.message

        question = dns.message.from_wire(wire).question[0]
        asked.append(f"{question.name} {question.rdtype.name}")
        return answer(wire, udp=udp)

    names.answer = counting
    for host in hosts:
        names.set(host, "A", "192.0.2.10")
    findings = await check_domains(hosts, SERVER, Resolver((Nameserver(*names.address),)))
    assert not any(one.is_problem for one in findings)
    assert asked.count("example.test. DS") == 1


async def test_six_questions_tell_all_about_a_domain_beside_what_its_zone_shares() -> None:
    few, more = await measure_dns(10, rounds=1), await measure_dns(20, rounds=1)
    assert more.questions - few.questions == 6 * 10
    assert few.questions < 6 * 10 + 20
    assert few.ratio > 0
