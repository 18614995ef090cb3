"""When a certificate is to be renewed, and what counts as renewed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from coolify.tls import (
    Certificate,
    Handshake,
    HostCertificates,
    HostRenewal,
    Renewal,
    Renewals,
    RenewalWindow,
    TlsPolicy,
    WebAnswer,
    WebAnswers,
    host_status,
    is_renewed,
    is_served,
    judge_proxy,
    why_due,
    why_hopeless,
)

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
HOST = "shop.example.com"
POLICY = TlsPolicy()
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


def seen(*serials: str | None, trust_error: str | None = None, **changes: object) -> HostCertificates:
    """A host whose addresses serve certificates with these serial numbers, None for no answer."""
    return HostCertificates(
        HOST,
        tuple(
            Handshake(HOST, f"192.0.2.{place}", 443, connection_error="connection refused")
            if serial is None
            else Handshake(
                HOST, f"192.0.2.{place}", 443, replace(GOOD, serial=serial, **changes), "TLSv1.3", trust_error
            )
            for place, serial in enumerate(serials)
        ),
    )


@pytest.mark.parametrize("lifetime", [timedelta(days=6), timedelta(days=90), timedelta(days=398)])
def test_the_share_of_the_lifetime_decides_whatever_the_lifetime(lifetime) -> None:
    def with_left(share: float) -> HostCertificates:
        return seen("1f", not_before=NOW - lifetime * (1 - share), not_after=NOW + lifetime * share)

    assert why_due(with_left(0.3), POLICY, NOW) is None
    assert "of its life left" in (why_due(with_left(0.2), POLICY, NOW) or "")
    assert "expired" in (why_due(with_left(-0.1), POLICY, NOW) or "")


def test_the_authoritys_window_makes_a_fresh_certificate_due_once_it_is_over() -> None:
    def with_window(begins: int, ends: int) -> HostCertificates:
        window = RenewalWindow(NOW + timedelta(days=begins), NOW + timedelta(days=ends))
        return replace(seen("1f"), window=window)

    assert why_due(with_window(1, 2), POLICY, NOW) is None
    assert why_due(with_window(-1, 1), POLICY, NOW) is None, "within it the proxy renews by itself"
    assert "authority wanted" in (why_due(with_window(-2, -1), POLICY, NOW) or "")


@pytest.mark.parametrize("subject", ["TRAEFIK DEFAULT CERT", HOST])
def test_what_no_authority_has_issued_is_due(subject) -> None:
    default = seen("1f", trust_error="self-signed certificate", subject=subject, issuer=subject, self_signed=True)
    assert why_due(default, POLICY, NOW)


def test_what_no_new_certificate_mends_is_not_due_but_broken() -> None:
    closed, stranger = seen(None), seen("1f", trust_error="unable to get local issuer certificate")
    for broken in (closed, stranger):
        assert why_due(broken, POLICY, NOW) is None
        assert why_hopeless(broken, POLICY, NOW)
    assert why_hopeless(seen("1f"), POLICY, NOW) is None


@pytest.mark.parametrize(
    ("before", "after", "renewed"),
    [
        (seen("1f"), seen("2e"), True),
        (seen("1f"), seen("1f"), False),
        (seen("1f", "1f"), seen("2e", "2e"), True),
        (seen("1f", "1f"), seen("2e", "1f"), False),
        (seen("1f", "1f"), seen("2e", None), False),
        (seen("1f"), seen(), False),
        (seen(None), seen("2e"), True),
        (seen("1f"), seen("2e", trust_error="self-signed certificate", self_signed=True), False),
        (seen("1f"), seen("2e", not_after=NOW - timedelta(seconds=1)), False),
    ],
)
def test_another_good_certificate_at_every_address_is_a_renewal_and_nothing_less(before, after, renewed) -> None:
    assert is_renewed(before, after, POLICY, NOW) is renewed


@pytest.mark.parametrize(
    ("http", "https", "served"),
    [(302, 404, True), (404, 200, True), (404, 401, True), (404, 404, False), (502, 503, False), (None, None, False)],
)
def test_what_answers_behind_the_proxy_runs(http, https, served) -> None:
    answers = (WebAnswers("192.0.2.0", WebAnswer(status=http), WebAnswer(status=https)),)
    assert is_served(replace(seen("1f"), answers=answers)) is served


def test_a_run_is_summed_up_with_the_first_that_needs_somebody() -> None:
    def row(result: Renewal) -> HostRenewal:
        return HostRenewal(subject=HOST, application="shop", result=result, reason=f"It is {result}.")

    good = Renewals(hosts=(row(Renewal.FINE), row(Renewal.RENEWED)))
    assert good.open == ()
    assert good.summary == "2 certificates: 1 fine, 1 renewed."
    bad = Renewals(hosts=(row(Renewal.FINE), row(Renewal.UNCHANGED)))
    assert [one.result for one in bad.open] == [Renewal.UNCHANGED]
    assert bad.summary == "2 certificates: 1 fine, 1 unchanged. It is unchanged."
    assert Renewals(hosts=()).summary == "No domain is served over HTTPS."


def test_a_row_tells_days_and_share_and_never_more_than_all_of_it() -> None:
    (row,) = host_status(seen("1f"), POLICY, NOW).addresses
    assert (row.days_left, row.life_left, row.serial) == (80, 0.889, "1f")
    (over,) = host_status(seen("1f", not_after=NOW - timedelta(days=2)), POLICY, NOW).addresses
    assert (over.days_left, over.life_left) == (-2, 0.0)


def test_problems_are_errors_first_and_without_good_news() -> None:
    status = host_status(seen("1f", None), POLICY, NOW)
    assert [one.name for one in status.problems] == ["certificate-unreachable"]
    near = host_status(seen("1f", not_before=NOW - timedelta(days=700)), POLICY, NOW)
    assert [one.name for one in near.problems] == ["certificate-near-expiry"]


@pytest.mark.parametrize(
    ("kind", "status", "name"),
    [
        ("NONE", None, "certificate-proxy-none"),
        ("none", "running", "certificate-proxy-none"),
        ("TRAEFIK", "exited", "certificate-proxy-stopped"),
        ("TRAEFIK", "running", None),
        (None, None, None),
    ],
)
def test_a_proxy_that_is_not_there_gets_no_certificates(kind, status, name) -> None:
    assert [one.name for one in judge_proxy("localhost", kind, status)] == ([name] if name else [])
