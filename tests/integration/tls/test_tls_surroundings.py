"""What stands around a certificate, as real servers on loopback show it."""

import ssl
import warnings
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from coolify.finding import Finding, Severity
from coolify.tls import Detail, check_certificate, inspect_certificate, offered_protocols
from tests.integration.tls.issuing import HOST, LOOPBACK, Issuer, answering, refusing, serving

GOOD_HSTS = "Strict-Transport-Security: max-age=31536000; includeSubDomains"
TO_HTTPS = f"Location: https://{HOST}/"


def date(offset: timedelta = timedelta()) -> str:
    return f"Date: {format_datetime(datetime.now(UTC) + offset, usegmt=True)}"


@pytest.fixture
def look(issuer) -> Callable[..., object]:
    """Findings about a host whose ports answer as told, by name; good news left out."""

    async def check(
        *secure: str,
        plain: tuple[str, ...] | None = (TO_HTTPS,),
        plain_status: int = 302,
        prepare: Callable[[ssl.SSLContext], object] = lambda _: None,
    ) -> dict[str, Finding]:
        context = issuer.context(HOST)
        context.set_alpn_protocols(["h2", "http/1.1"])
        prepare(context)
        server = serving(None) if plain is None else answering(None, *plain, status=plain_status)
        async with server as http, answering(context, *secure) as https:
            detail = Detail(http_port=http)
            found = await check_certificate(HOST, [LOOPBACK], port=https, ca_file=issuer.ca_file, detail=detail)
        return {one.name: one for one in found if one.severity is not Severity.OK}

    return check


def versions(lowest: str, highest: str) -> Callable[[ssl.SSLContext], None]:
    def prepare(context: ssl.SSLContext) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = ssl.TLSVersion[lowest]
            context.maximum_version = ssl.TLSVersion[highest]

    return prepare


async def test_a_well_kept_host_has_nothing_to_be_told(look) -> None:
    assert await look(GOOD_HSTS, date()) == {}


async def test_old_protocols_are_a_warning_beside_new_ones(look) -> None:
    found = await look(GOOD_HSTS, prepare=versions("TLSv1", "TLSv1_3"))
    assert list(found) == ["https-old-protocol"]
    assert found["https-old-protocol"].severity is Severity.WARNING
    assert found["https-old-protocol"].evidence == (f"{LOOPBACK}: TLSv1, TLSv1.1, TLSv1.2, TLSv1.3",)


async def test_old_protocols_alone_are_an_error(issuer) -> None:
    context = issuer.context(HOST)
    versions("TLSv1_1", "TLSv1_1")(context)
    with refusing(context) as port:
        found = await check_certificate(HOST, [LOOPBACK], port=port, detail=Detail(http_port=port))
    names = {one.name: one for one in found}
    assert "only outdated versions" in names["certificate-unreachable"].summary
    assert names["https-old-protocol"].is_problem


async def test_a_host_without_tls_1_3_is_told(look) -> None:
    found = await look(GOOD_HSTS, prepare=versions("TLSv1_2", "TLSv1_2"))
    assert [(one.name, one.severity) for one in found.values()] == [("https-without-tls13", Severity.INFO)]


async def test_the_versions_that_are_offered_are_asked_one_by_one(issuer) -> None:
    context = issuer.context(HOST)
    versions("TLSv1_2", "TLSv1_3")(context)
    async with serving(context) as port:
        assert await offered_protocols(HOST, LOOPBACK, port) == ("TLSv1.2", "TLSv1.3")


@pytest.mark.parametrize("offered", [["http/1.1"], []])
async def test_a_host_without_http_2_is_told(look, offered) -> None:
    found = await look(GOOD_HSTS, prepare=lambda context: context.set_alpn_protocols(offered))
    assert list(found) == ["https-without-http2"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [((), 200), ((), 404), (("Location: http://www.example.test/",), 301), (("Location: /login",), 302), ((), 302)],
)
async def test_plain_http_that_does_not_lead_to_https_is_a_warning(look, headers, status) -> None:
    found = await look(GOOD_HSTS, plain=headers, plain_status=status)
    assert [(one.name, one.severity) for one in found.values()] == [("https-redirect-missing", Severity.WARNING)]
    assert str(status) in found["https-redirect-missing"].evidence[0]


async def test_a_redirect_to_https_elsewhere_is_good(look) -> None:
    assert await look(GOOD_HSTS, plain=("Location: https://www.example.test/",), plain_status=308) == {}


async def test_a_silent_port_80_is_a_warning_because_the_next_renewal_needs_it(look) -> None:
    found = await look(GOOD_HSTS, plain=None)
    assert [(one.name, one.severity) for one in found.values()] == [("certificate-port-80-closed", Severity.WARNING)]


@pytest.mark.parametrize(
    "header", [None, "max-age=600", "includeSubDomains", "max-age=0", "max-age=nonsense", "x-max-age=31536000"]
)
async def test_hsts_that_is_missing_or_short_is_a_hint(look, header) -> None:
    found = await look(*([f"Strict-Transport-Security: {header}"] if header else []))
    assert [(one.name, one.severity) for one in found.values()] == [("https-hsts-missing", Severity.INFO)]


@pytest.mark.parametrize("header", ['max-age="31536000"', "includeSubDomains; Max-Age=31536000; preload"])
async def test_hsts_may_be_written_as_the_grammar_allows(look, header) -> None:
    assert await look(f"Strict-Transport-Security: {header}") == {}


@pytest.mark.parametrize(("hours", "side"), [(2, "ahead"), (-2, "behind")])
async def test_clocks_that_are_apart_are_a_warning(look, hours, side) -> None:
    found = await look(GOOD_HSTS, date(timedelta(hours=hours)))
    assert list(found) == ["https-clock-skew"]
    assert side in found["https-clock-skew"].evidence[0]


@pytest.mark.parametrize("header", ["Date: yesterday", "X-Date: none"])
async def test_a_server_without_a_readable_clock_is_not_accused(look, header) -> None:
    assert await look(GOOD_HSTS, header) == {}


@pytest.mark.parametrize("alert", [ssl.ALERT_DESCRIPTION_INTERNAL_ERROR, ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME])
async def test_a_proxy_that_has_no_certificate_for_the_name_says_so(issuer, alert) -> None:
    context = issuer.context("other.example.test")
    context.sni_callback = lambda *_: alert
    with refusing(context) as port:
        (finding,) = await check_certificate(HOST, [LOOPBACK], port=port, ca_file=issuer.ca_file)
    assert finding.name == "certificate-missing"
    assert finding.is_problem


async def test_a_staging_authority_is_recognised(tmp_path) -> None:
    staging = Issuer(tmp_path, "(STAGING) Riddling Rhubarb")
    async with serving(staging.context(HOST)) as port:
        (finding,) = await check_certificate(HOST, [LOOPBACK], port=port)
    assert finding.name == "certificate-staging"


async def test_every_address_is_looked_at_with_its_own_certificate(issuer) -> None:
    async with serving(issuer.context(HOST)) as port:
        first = issuer.context(HOST)
        second = issuer.context("other.example.test")
        async with serving(first, address="127.0.0.2", port=port), serving(second, address="::1", port=port):
            found = await check_certificate(HOST, [LOOPBACK, "127.0.0.2", "::1"], port=port, ca_file=issuer.ca_file)
    assert [one.name for one in found] == [
        "certificate-valid",
        "certificate-valid",
        "certificate-wrong-host",
        "certificate-differs",
    ]
    assert found[2].evidence[0].startswith(f"[::1]:{port}")
    assert "3 different certificates" in found[3].summary


async def test_a_whole_chain_of_a_stranger_is_untrusted_and_half_of_it_incomplete(issuer, tmp_path) -> None:
    (tmp_path / "stranger").mkdir()
    stranger = Issuer(tmp_path / "stranger", "Stranger")
    async with serving(stranger.context(HOST)) as port:
        shown = await inspect_certificate(HOST, LOOPBACK, port, ca_file=issuer.ca_file)
        (finding,) = await check_certificate(HOST, [LOOPBACK], port=port, ca_file=issuer.ca_file)
    assert [one.subject for one in shown.served] == [f"CN={HOST}", "CN=Stranger Intermediate"]
    assert finding.name == "certificate-untrusted"
    async with serving(stranger.context(HOST, whole_chain=False)) as port:
        (finding,) = await check_certificate(HOST, [LOOPBACK], port=port, ca_file=issuer.ca_file)
    assert finding.name == "certificate-chain-incomplete"


async def test_a_name_without_address_does_not_count_as_good() -> None:
    (finding,) = await check_certificate(HOST, [])
    assert finding.name == "certificate-unreachable"
    assert "no address" in finding.summary
