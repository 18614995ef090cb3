"""What a check costs: in questions, and in time where the network is no help."""

import asyncio

from benchmarks.domains_dns import count_questions
from coolify.dns import (
    DnsSettings,
    Nameserver,
    Ports,
    Resolver,
    check_domain,
    check_domains,
)
from coolify_sandbox.names import ScriptedFailure
from tests.integration.dns.checking import SERVER


async def test_a_zone_that_takes_too_long_is_left_out(names) -> None:
    names.set("shop.example.test", "A", "192.0.2.10")
    names.fail("example.test", ScriptedFailure.SILENCE)
    resolver = Resolver((Nameserver(*names.address),), timeout=600)
    settings = DnsSettings(zone_seconds=0.2, authority=None)
    findings = await check_domain("shop.example.test", SERVER, resolver, settings)
    assert [one.name for one in findings] == ["domain-points-to-server"]


async def test_a_network_without_dns_is_one_clear_finding_and_no_long_wait(silent) -> None:
    resolver = Resolver((silent,), timeout=0.5)
    settings = DnsSettings(public_resolvers=(silent,), owner="us", ports=Ports())
    async with asyncio.timeout(60):
        findings = await check_domain("shop.example.test", SERVER, resolver, settings)
    assert [one.name for one in findings] == ["domain-lookup-times-out"]


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
    few, more = await count_questions(10), await count_questions(20)
    assert more - few == 6 * 10
    assert few < 6 * 10 + 20
