"""Whom a name belongs to, by a record that only the owner of its zone can write."""

from coolify.dns import (
    DnsSettings,
    Resolver,
    Status,
    find_ownership,
    mark_text,
    record_name,
)
from tests.integration.dns.checking import ERROR, needs_bind


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
