"""What a handshake means."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coolify.finding import Finding, Severity
from coolify.tls import Certificate, Handshake, TlsPolicy, judge_certificate, judge_sameness

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
HOST = "shop.example.com"
CHAIN_BROKEN = "unable to get local issuer certificate"
GOOD = Certificate(
    subject=HOST,
    issuer="Let's Encrypt R11",
    names=(HOST,),
    not_before=NOW - timedelta(days=10),
    not_after=NOW + timedelta(days=80),
    serial="1f",
    key="ECDSA secp256r1",
    weak=None,
    self_signed=False,
)


def handshake(trust_error: str | None = None, **changes: object) -> Handshake:
    return Handshake(HOST, "192.0.2.10", 443, replace(GOOD, **changes), "TLSv1.3", trust_error)


def judge(shown: Handshake, policy: TlsPolicy | None = None, now: datetime = NOW) -> tuple[Finding, ...]:
    return judge_certificate(shown, policy or TlsPolicy(), now)


def only(shown: Handshake, now: datetime = NOW) -> Finding:
    (finding,) = judge(shown, now=now)
    return finding


def with_life_left(share: float) -> dict[str, datetime]:
    life = timedelta(days=100)
    return {"not_before": NOW - life * (1 - share), "not_after": NOW + life * share}


def test_a_trusted_certificate_is_good_and_tells_its_issuer_and_days() -> None:
    finding = only(handshake())
    assert finding.name == "certificate-valid"
    assert finding.severity is Severity.OK
    assert "Let's Encrypt R11, valid for 80 more days" in finding.summary
    assert finding.remedy == ""


def test_the_evidence_says_where_what_and_until_when() -> None:
    assert only(handshake()).evidence == (
        "192.0.2.10:443 TLSv1.3",
        f"subject {HOST}, issuer Let's Encrypt R11, serial 1f, ECDSA secp256r1",
        f"names {HOST}",
        "valid 2026-04-21 12:00 to 2026-07-20 12:00 UTC",
    )
    assert f"verification: {CHAIN_BROKEN}" in only(handshake(CHAIN_BROKEN)).evidence


def test_without_a_handshake_the_reason_is_told() -> None:
    finding = only(Handshake(HOST, "192.0.2.10", 443, connection_error="connection refused"))
    assert finding.name == "certificate-unreachable"
    assert finding.is_problem
    assert finding.summary == f"{HOST} offers no TLS at 192.0.2.10:443: connection refused."
    assert "port is open" in finding.remedy


@pytest.mark.parametrize(
    ("name", "trust_error", "changes", "in_summary", "in_remedy"),
    [
        (
            "certificate-default",
            "self-signed certificate",
            {"subject": "TRAEFIK DEFAULT CERT", "issuer": "TRAEFIK DEFAULT CERT", "names": (), "self_signed": True},
            "the proxy's own default certificate",
            "port 80",
        ),
        (
            "certificate-default",
            CHAIN_BROKEN,
            {"subject": "", "issuer": "Caddy Local Authority - ECC Intermediate"},
            "the proxy's own default certificate",
            "CAA",
        ),
        (
            "certificate-staging",
            CHAIN_BROKEN,
            {"issuer": "(STAGING) Let's Encrypt (STAGING) Riddling Rhubarb R12"},
            "staging authority",
            "production",
        ),
        ("certificate-staging", CHAIN_BROKEN, {"issuer": "Fake LE Intermediate X1"}, "staging authority", "ACME"),
        (
            "certificate-self-signed",
            "self-signed certificate",
            {"issuer": HOST, "self_signed": True},
            "self-signed",
            "network.ca_file",
        ),
        (
            "certificate-wrong-host",
            "Hostname mismatch",
            {"names": ("example.com", "www.example.com")},
            "is for example.com, www.example.com",
            "Coolify",
        ),
        ("certificate-wrong-host", "Hostname mismatch", {"names": (), "subject": "old"}, "is for old", "Coolify"),
        ("certificate-untrusted", CHAIN_BROKEN, {}, CHAIN_BROKEN, "network.ca_file"),
        ("certificate-weak", None, {"weak": "its RSA key has only 1024 bits"}, "only 1024 bits", "RSA 2048"),
        ("certificate-not-yet-valid", None, {"not_before": NOW + timedelta(days=1)}, "2026-05-02 12:00", "clock"),
        ("certificate-expired", None, {"not_after": NOW - timedelta(days=1)}, "2026-04-30 12:00", "proxy's log"),
    ],
)
def test_every_defect_has_a_name_and_a_way_out(name, trust_error, changes, in_summary, in_remedy) -> None:
    finding = only(handshake(trust_error, **changes))
    assert finding.name == name
    assert finding.is_problem
    assert finding.subject == HOST
    assert HOST in finding.summary
    assert in_summary in finding.summary
    assert in_remedy in finding.remedy


@pytest.mark.parametrize(
    ("name", "trust_error", "changes"),
    [
        ("certificate-expired", "certificate has expired", {"not_after": NOW - timedelta(days=1)}),
        ("certificate-not-yet-valid", "certificate is not yet valid", {"not_before": NOW + timedelta(days=1)}),
        ("certificate-weak", "EE certificate key too weak", {"weak": "its RSA key has only 1024 bits"}),
    ],
)
def test_what_explains_the_failed_verification_is_not_told_as_a_broken_chain_again(name, trust_error, changes) -> None:
    assert only(handshake(trust_error, **changes)).name == name


def test_independent_defects_are_all_told() -> None:
    shown = handshake(
        "Hostname mismatch", not_after=NOW - timedelta(days=1), names=("example.net",), weak="it is signed with SHA1"
    )
    assert [one.name for one in judge(shown)] == ["certificate-expired", "certificate-wrong-host", "certificate-weak"]


def test_a_date_error_of_an_intermediate_certificate_is_an_untrusted_chain() -> None:
    assert only(handshake("certificate has expired")).name == "certificate-untrusted"


@pytest.mark.parametrize(
    ("names", "host", "covered"),
    [
        (("shop.example.com",), "shop.example.com", True),
        (("Shop.Example.COM",), "shop.example.com", True),
        (("shop.example.com",), "SHOP.example.com", True),
        (("*.example.com",), "shop.example.com", True),
        (("*.EXAMPLE.com",), "shop.example.com", True),
        (("*.example.com",), "example.com", False),
        (("*.example.com",), "a.shop.example.com", False),
        (("*.shop.example.com",), "shop.example.com", False),
        (("s*.example.com",), "shop.example.com", False),
        (("*",), "localhost", False),
        (("example.org", "*.example.com"), "shop.example.com", True),
        ((), "shop.example.com", False),
    ],
)
def test_a_wildcard_covers_exactly_one_label(names, host, covered) -> None:
    shown = replace(handshake("does not verify", names=names), host=host)
    assert only(shown).name == ("certificate-untrusted" if covered else "certificate-wrong-host")


@pytest.mark.parametrize(
    ("left", "name", "severity"),
    [
        (1.0, "certificate-valid", Severity.OK),
        (0.25, "certificate-valid", Severity.OK),
        (0.24, "certificate-near-expiry", Severity.WARNING),
        (0.05, "certificate-near-expiry", Severity.WARNING),
        (0.04, "certificate-near-expiry", Severity.ERROR),
    ],
)
def test_an_overdue_renewal_is_a_warning_first_and_then_a_problem(left, name, severity) -> None:
    first = judge(handshake(**with_life_left(left)))[0]
    assert (first.name, first.severity) == (name, severity)


def test_a_warning_stands_beside_the_good_news() -> None:
    findings = judge(handshake(**with_life_left(0.1)))
    assert [one.name for one in findings] == ["certificate-near-expiry", "certificate-valid"]
    assert "10% of its life left" in findings[0].summary
    assert "port 80" in findings[0].remedy


def test_the_thresholds_are_the_policys() -> None:
    strict = TlsPolicy(warn_below=0.9, error_below=0.5)
    assert judge(handshake(**with_life_left(0.4)), strict)[0].severity is Severity.ERROR
    assert judge(handshake(**with_life_left(0.6)), strict)[0].severity is Severity.WARNING


def test_the_borders_of_validity_belong_to_the_second_they_name() -> None:
    assert only(handshake(), now=GOOD.not_before).name == "certificate-valid"
    assert only(handshake(), now=GOOD.not_after).name == "certificate-expired"


@given(st.integers(1, 3650 * 86400), st.floats(-1, 2))
def test_the_older_a_certificate_the_worse_the_verdict(life_seconds: int, age: float) -> None:
    life = timedelta(seconds=life_seconds)
    not_before = NOW - life * age
    findings = judge(handshake(not_before=not_before, not_after=not_before + life))
    verdict = max((finding.severity for finding in findings), key=lambda severity: severity.rank)
    later = judge(handshake(not_before=not_before, not_after=not_before + life), now=NOW + life / 10)
    worse = max((finding.severity for finding in later), key=lambda severity: severity.rank)
    if findings[0].name != "certificate-not-yet-valid":
        assert worse.rank >= verdict.rank
    assert ("certificate-valid" in {one.name for one in findings}) == (verdict is not Severity.ERROR)


def at(address: str, serial: str | None) -> Handshake:
    certificate = None if serial is None else replace(GOOD, serial=serial)
    return Handshake(HOST, address, 443, certificate)


def test_different_certificates_at_the_addresses_of_one_host_are_a_warning() -> None:
    (finding,) = judge_sameness([at("192.0.2.10", "1f"), at("192.0.2.11", "2e"), at("192.0.2.12", "1f")])
    assert finding.name == "certificate-differs"
    assert finding.severity is Severity.WARNING
    assert "2 different certificates" in finding.summary
    assert finding.evidence == ("192.0.2.10: serial 1f", "192.0.2.11: serial 2e", "192.0.2.12: serial 1f")
    assert finding.remedy


@pytest.mark.parametrize("serials", [[], ["1f"], ["1f", "1f"], ["1f", None], [None, None]])
def test_one_certificate_or_none_is_no_difference(serials) -> None:
    assert judge_sameness([at("192.0.2.10", serial) for serial in serials]) == ()
