"""Each finding about a domain, seen at a real name server that shows it."""

import socket

import pytest

from coolify.dns import (
    Authority,
    DnsSettings,
    Nameserver,
    Resolver,
    ServerAddresses,
    check_domain,
)
from coolify_sandbox.names import NameServer, ScriptedFailure
from tests.integration.dns.checking import ERROR, INFO, OK, SERVER, WARNING, needs_bind


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
async def test_name_servers_out_of_reach_are_told_and_the_resolver_is_believed(check, silent) -> None:
    found = await check("shop.signed.test", nameserver_port=silent.port, server_seconds=0.3)
    assert found["domain-points-to-server"].severity is OK
    assert found["domain-nameservers-unreachable"].severity is INFO
    assert "domain-lame-nameserver" not in found


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
