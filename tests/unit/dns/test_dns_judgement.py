"""What the addresses of a domain mean for the server."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coolify.dns import HostAddresses, LookupFailure, ServerAddresses
from coolify.dns.judgements import judge_addresses
from coolify.dns.networks import is_cloudflare
from coolify.finding import Finding, Severity

HOST = "shop.example.com"
V4 = "192.0.2.10"
V6 = "2001:db8::10"
SERVER = ServerAddresses("server.example.com", frozenset({V4, V6}))
OTHERS_V4 = ("198.51.100.7", "198.51.100.8")
OTHER_V6 = "2001:db8:bad::1"


def judge(*addresses: str, server: ServerAddresses = SERVER, **further: object) -> tuple[Finding, ...]:
    ipv4 = tuple(one for one in addresses if ":" not in one)
    ipv6 = tuple(one for one in addresses if ":" in one)
    return judge_addresses(HostAddresses(HOST, ipv4, ipv6, **further), server)


def names(findings: tuple[Finding, ...]) -> list[str]:
    return [finding.name for finding in findings]


@pytest.mark.parametrize("addresses", [(V4,), (V6,), (V4, V6)])
def test_a_domain_with_addresses_of_the_server_only_is_good(addresses) -> None:
    (finding,) = judge(*addresses)
    assert finding.name == "domain-points-to-server"
    assert finding.severity is Severity.OK
    assert all(address in finding.summary for address in addresses)
    assert finding.remedy == ""


def test_a_domain_without_any_address_of_the_server_points_elsewhere() -> None:
    (finding,) = judge(*OTHERS_V4)
    assert finding.name == "domain-points-elsewhere"
    assert finding.is_problem
    assert all(address in finding.summary for address in (*OTHERS_V4, V4, V6))
    assert f"{V4}, {V6}" in finding.remedy


@pytest.mark.parametrize(
    ("addresses", "record"), [({V4}, "its A record"), ({V6}, "its AAAA record"), ({V4, V6}, "its A and AAAA record")]
)
def test_the_remedy_names_the_record_types_that_the_server_has_addresses_for(addresses, record) -> None:
    (finding,) = judge("198.51.100.7", server=ServerAddresses("server", frozenset(addresses)))
    assert record in finding.remedy


def test_an_ipv6_address_of_another_machine_is_a_problem_beside_a_right_ipv4_address() -> None:
    findings = judge(V4, OTHER_V6)
    assert names(findings) == ["domain-points-to-server", "domain-stray-aaaa"]
    assert findings[1].is_problem
    assert OTHER_V6 in findings[1].summary
    assert "AAAA record" in findings[1].remedy
    assert "certificate" in findings[1].remedy


def test_a_second_ipv4_address_of_another_machine_is_a_problem() -> None:
    findings = judge(V4, OTHERS_V4[0])
    assert names(findings) == ["domain-points-to-server", "domain-stray-a"]
    assert findings[1].is_problem
    assert OTHERS_V4[0] in findings[1].summary
    assert V4 not in findings[1].summary
    assert "Remove" in findings[1].remedy


def test_strays_of_both_families_are_told_apart() -> None:
    assert names(judge(V4, *OTHERS_V4, OTHER_V6)) == ["domain-points-to-server", "domain-stray-aaaa", "domain-stray-a"]


@pytest.mark.parametrize(
    ("failure", "name", "summary", "remedy"),
    [
        (LookupFailure.NXDOMAIN, "domain-does-not-exist", "does not exist", f"Create an A and AAAA record to {V4}"),
        (LookupFailure.NODATA, "domain-without-address", "neither A nor AAAA", f"Add an A and AAAA record to {V4}"),
        (LookupFailure.SERVFAIL, "domain-lookup-fails", "fail or refuse", "delegation"),
        (LookupFailure.TIMEOUT, "domain-lookup-times-out", "no name server answered", "network.resolvers"),
        (LookupFailure.INVALID, "domain-name-invalid", "not a valid host name", "section domains"),
    ],
)
def test_every_reason_for_no_address_has_a_name_and_a_way_out(failure, name, summary, remedy) -> None:
    (finding,) = judge(failure=failure)
    assert finding.name == name
    assert finding.is_problem
    assert finding.subject == HOST
    assert finding.summary.startswith(f"{HOST} ")
    assert summary in finding.summary
    assert remedy in finding.remedy
    assert f"answer: {failure.value}" in finding.evidence


def test_the_evidence_lists_records_aliases_the_server_and_who_was_asked() -> None:
    (finding,) = judge(V4, V6, aliases=("www.example.net", "edge.example.net"), answered_by="192.0.2.53:53")
    assert finding.evidence == (
        f"CNAME {HOST} -> www.example.net -> edge.example.net",
        f"A {V4}",
        f"AAAA {V6}",
        "asked 192.0.2.53:53",
        f"server server.example.com: {V4}, {V6}",
    )


def test_a_server_without_a_known_address_never_makes_a_domain_good() -> None:
    findings = judge(V4, server=ServerAddresses("server.example.com", frozenset()))
    assert [(finding.name, finding.severity) for finding in findings] == [("domain-server-unknown", Severity.WARNING)]
    assert "server server.example.com: no address found" in findings[0].evidence


addresses = st.lists(
    st.sampled_from([V4, V6, *OTHERS_V4, OTHER_V6]) | st.ip_addresses().map(str), min_size=1, max_size=6, unique=True
)


@given(addresses, st.frozensets(st.sampled_from([V4, V6]), min_size=1))
def test_a_domain_is_free_of_problems_exactly_when_every_address_is_the_servers(found, own) -> None:
    findings = judge(*found, server=ServerAddresses("server", own))
    proxied = all(is_cloudflare(one) for one in found)
    assert any(finding.is_problem for finding in findings) == (bool(set(found) - own) and not proxied)
    assert all(finding.subject == HOST and finding.summary.endswith(".") for finding in findings)
    assert all(bool(finding.remedy) == (finding.severity is not Severity.OK) for finding in findings)


@given(addresses)
def test_every_address_that_was_found_is_evidence(found) -> None:
    for finding in judge(*found):
        records = {f"{'A' if ipaddress.ip_address(one).version == 4 else 'AAAA'} {one}" for one in found}
        assert records <= set(finding.evidence)
