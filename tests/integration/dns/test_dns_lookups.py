"""Look-ups over real sockets, against a name server of the sandbox."""

import pytest

from coolify.dns import LookupFailure, Nameserver, Resolver, ServerAddresses, check_domain
from coolify_sandbox.names import NameServer, ScriptedFailure


@pytest.fixture
def resolver(names) -> Resolver:
    return Resolver((Nameserver(*names.address),))


async def test_addresses_of_both_families_are_found(names, resolver) -> None:
    names.set("shop.example.test", "A", "192.0.2.11", "192.0.2.10")
    names.set("shop.example.test", "AAAA", "2001:db8::10")
    found = await resolver.addresses("shop.example.test")
    assert found.all == ("192.0.2.10", "192.0.2.11", "2001:db8::10")
    assert found.failure is None
    assert found.aliases == ()
    assert found.answered_by == "{}:{}".format(*names.address)


@pytest.mark.parametrize(("kind", "address"), [("A", "192.0.2.10"), ("AAAA", "2001:db8::10")])
async def test_one_family_is_enough(names, resolver, kind, address) -> None:
    names.set("shop.example.test", kind, address)
    found = await resolver.addresses("shop.example.test")
    assert found.all == (address,)
    assert found.failure is None


@pytest.mark.parametrize("written", ["SHOP.Example.TEST", "shop.example.test."])
async def test_case_and_final_dot_do_not_matter(names, resolver, written) -> None:
    names.set("shop.example.test", "A", "192.0.2.10")
    assert (await resolver.addresses(written)).all == ("192.0.2.10",)


async def test_a_name_beyond_ascii_is_asked_in_its_dns_form(names, resolver) -> None:
    names.set("xn--bcher-kva.example.test", "A", "192.0.2.10")
    assert (await resolver.addresses("bücher.example.test")).all == ("192.0.2.10",)


async def test_a_wildcard_answers_for_names_that_nobody_wrote_down(names, resolver) -> None:
    names.set("*.example.test", "A", "192.0.2.10")
    assert (await resolver.addresses("anything.example.test")).all == ("192.0.2.10",)


async def test_a_chain_of_aliases_is_followed_and_told_in_order(names, resolver) -> None:
    names.set("shop.example.test", "CNAME", "www.example.test.")
    names.set("www.example.test", "CNAME", "edge.example.test.")
    names.set("edge.example.test", "A", "192.0.2.10")
    found = await resolver.addresses("shop.example.test")
    assert found.all == ("192.0.2.10",)
    assert found.aliases == ("www.example.test", "edge.example.test")


async def test_an_alias_to_a_name_without_address_has_no_address(names, resolver) -> None:
    names.set("shop.example.test", "CNAME", "mail.example.test.")
    names.set("mail.example.test", "TXT", '"only text"')
    found = await resolver.addresses("shop.example.test")
    assert found.failure is LookupFailure.NODATA
    assert found.all == ()


async def test_a_loop_of_aliases_ends_without_address(names, resolver) -> None:
    names.set("one.example.test", "CNAME", "two.example.test.")
    names.set("two.example.test", "CNAME", "one.example.test.")
    found = await resolver.addresses("one.example.test")
    assert found.failure is not None
    assert found.all == ()


async def test_a_name_that_does_not_exist_is_told_from_one_without_address(names, resolver) -> None:
    names.set("mail.example.test", "MX", "10 mx.example.test.")
    assert (await resolver.addresses("missing.example.test")).failure is LookupFailure.NXDOMAIN
    assert (await resolver.addresses("mail.example.test")).failure is LookupFailure.NODATA


async def test_a_name_with_only_names_below_it_exists(names, resolver) -> None:
    names.set("a.b.example.test", "A", "192.0.2.10")
    assert (await resolver.addresses("b.example.test")).failure is LookupFailure.NODATA


async def test_nothing_is_remembered_from_an_earlier_look_up(names, resolver) -> None:
    assert (await resolver.addresses("shop.example.test")).failure is LookupFailure.NXDOMAIN
    names.set("shop.example.test", "A", "192.0.2.10")
    assert (await resolver.addresses("shop.example.test")).all == ("192.0.2.10",)
    names.set("shop.example.test", "A", "192.0.2.20")
    assert (await resolver.addresses("shop.example.test")).all == ("192.0.2.20",)


async def test_a_name_server_that_fails_is_a_failed_look_up(names, resolver) -> None:
    names.set("shop.example.test", "A", "192.0.2.10")
    names.fail("shop.example.test", ScriptedFailure.SERVFAIL)
    assert (await resolver.addresses("shop.example.test")).failure is LookupFailure.SERVFAIL
    names.fail("shop.example.test", None)
    assert (await resolver.addresses("shop.example.test")).failure is None


async def test_a_name_server_that_refuses_is_a_failed_look_up(resolver) -> None:
    assert (await resolver.addresses("shop.elsewhere.test")).failure is LookupFailure.SERVFAIL


async def test_the_next_name_server_is_asked_when_the_first_refuses(names) -> None:
    names.set("shop.example.test", "A", "192.0.2.10")
    stranger = NameServer("elsewhere.test")
    await stranger.start()
    try:
        both = Resolver((Nameserver(*stranger.address), Nameserver(*names.address)))
        found = await both.addresses("shop.example.test")
    finally:
        await stranger.stop()
    assert found.all == ("192.0.2.10",)
    assert found.answered_by == "{}:{}".format(*names.address)


async def test_a_name_server_that_never_answers_is_a_time_out(silent) -> None:
    found = await Resolver((silent,), timeout=0.2).addresses("shop.example.test")
    assert found.failure is LookupFailure.TIMEOUT
    assert found.all == ()


async def test_silence_for_one_name_does_not_hinder_another(names) -> None:
    names.set("shop.example.test", "A", "192.0.2.10")
    names.fail("api.example.test", ScriptedFailure.SILENCE)
    impatient = Resolver((Nameserver(*names.address),), timeout=0.5)
    assert (await impatient.addresses("api.example.test")).failure is LookupFailure.TIMEOUT
    assert (await impatient.addresses("shop.example.test")).failure is None


async def test_an_answer_too_long_for_a_datagram_is_fetched_over_tcp(names, resolver) -> None:
    many = tuple(f"192.0.2.{number}" for number in range(1, 101))
    names.set("shop.example.test", "A", *many)
    assert set((await resolver.addresses("shop.example.test")).ipv4) == set(many)


@pytest.mark.parametrize(
    ("written", "ipv4", "ipv6"),
    [
        ("192.0.2.10", ("192.0.2.10",), ()),
        ("2001:db8::10", (), ("2001:db8::10",)),
        ("2001:0DB8:0:0::0010", (), ("2001:db8::10",)),
    ],
)
async def test_an_address_is_its_own_and_nobody_is_asked(silent, written, ipv4, ipv6) -> None:
    found = await Resolver((silent,), timeout=0.2).addresses(written)
    assert (found.ipv4, found.ipv6, found.failure) == (ipv4, ipv6, None)


@pytest.mark.parametrize("written", ["shop..example.test", f"{'a' * 64}.example.test", ".".join(["a" * 60] * 5)])
async def test_a_name_that_no_server_could_know_is_invalid(resolver, written) -> None:
    assert (await resolver.addresses(written)).failure is LookupFailure.INVALID


async def test_a_server_is_known_by_address_or_by_name(names, resolver) -> None:
    names.set("server.example.test", "A", "192.0.2.10")
    names.set("server.example.test", "AAAA", "2001:db8::10")
    assert await resolver.server_addresses("192.0.2.10") == ServerAddresses("192.0.2.10", frozenset({"192.0.2.10"}))
    assert (await resolver.server_addresses("server.example.test")).addresses == {"192.0.2.10", "2001:db8::10"}
    assert (await resolver.server_addresses("missing.example.test")).addresses == frozenset()


async def test_a_domain_is_checked_against_its_server(names, resolver) -> None:
    server = await resolver.server_addresses("192.0.2.10")
    names.set("shop.example.test", "A", "198.51.100.7")
    first = await check_domain("shop.example.test", server, resolver)
    assert first[0].name == "domain-points-elsewhere"
    names.set("shop.example.test", "A", "192.0.2.10")
    second = await check_domain("shop.example.test", server, resolver)
    assert second[0].name == "domain-points-to-server"
    assert not any(one.is_problem for one in second)
