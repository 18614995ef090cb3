"""When the authority wants a certificate renewed (RFC 9773), asked of authorities on loopback."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from coolify.finding import Severity
from coolify.tls import Certificate, Detail, RenewalWindow, ask_renewal, check_certificate, inspect_host, why_due
from coolify.tls.certificate import read_certificate
from coolify.tls.renewal import directory_of
from coolify.tls.verdict import TlsPolicy
from coolify_sandbox.serving import serve_forever
from tests.integration.tls.issuing import DAY, HOST, LOOPBACK, answering, serving

WINDOW = {"suggestedWindow": {"start": "2026-01-02T04:00:00Z", "end": "2026-01-03T04:00:00Z"}}


def certificate_of_the_rfc() -> Certificate:
    """The example of RFC 9773, section 4.1: authority key identifier and serial number."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Example")])
    identifier = bytes.fromhex("69885B6B87464041E1B37B847BA0AE2CDE01C8D4")
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(0x87654321)
        .not_valid_before(datetime.now(UTC))
        .not_valid_after(datetime.now(UTC) + DAY)
        .add_extension(x509.AuthorityKeyIdentifier(identifier, None, None), critical=False)
        .sign(key, hashes.SHA256())
    )
    return read_certificate(built.public_bytes(Encoding.DER))


@asynccontextmanager
async def authority(answer: Response, *, directory: object = None) -> AsyncIterator[tuple[str, list[str]]]:
    """Serve a directory and one answer about any certificate; yields the directory's URL and the ids asked for."""
    asked: list[str] = []

    async def root(request: Request) -> Response:
        return JSONResponse(directory if directory is not None else {"renewalInfo": f"{request.base_url}info"})

    async def info(request: Request) -> Response:
        asked.append(request.path_params["id"])
        return answer

    app = Starlette(routes=[Route("/dir", root), Route("/info/{id}", info)])
    async with serve_forever(app) as port:
        yield f"http://{LOOPBACK}:{port}/dir", asked


async def test_a_certificate_is_asked_for_by_the_name_that_the_rfc_gives_it() -> None:
    answer = JSONResponse({**WINDOW, "explanationURL": "https://ca.example.com/incident"})
    async with authority(answer) as (url, asked):
        window = await ask_renewal(certificate_of_the_rfc(), url)
    assert asked == ["aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE"]
    assert window == RenewalWindow(
        datetime(2026, 1, 2, 4, tzinfo=UTC), datetime(2026, 1, 3, 4, tzinfo=UTC), "https://ca.example.com/incident"
    )


@pytest.mark.parametrize(
    "answer",
    [
        PlainTextResponse("no such certificate", 404),
        PlainTextResponse("<html>"),
        JSONResponse([]),
        JSONResponse({"suggestedWindow": {"start": "2026-01-02T04:00:00Z"}}),
        JSONResponse({"suggestedWindow": {"start": "2026-01-02T04:00:00Z", "end": "2026-01-02T04:00:00Z"}}),
        JSONResponse({"suggestedWindow": {"start": "2026-01-02T04:00:00", "end": "2026-01-03T04:00:00"}}),
        PlainTextResponse("", 302, {"Location": "https://elsewhere.example.com/"}),
    ],
    ids=["404", "html", "list", "half", "empty", "naive", "redirect"],
)
async def test_an_authority_that_answers_nonsense_has_no_say(answer) -> None:
    async with authority(answer) as (url, asked):
        assert await ask_renewal(certificate_of_the_rfc(), url) is None
    assert len(asked) == 1


@pytest.mark.parametrize("directory", [{}, {"renewalInfo": 7}, {"renewalInfo": "nonsense"}, {"renewalInfo": "x://["}])
async def test_an_authority_without_renewal_information_has_no_say(directory) -> None:
    async with authority(PlainTextResponse(""), directory=directory) as (url, _):
        assert await ask_renewal(certificate_of_the_rfc(), url) is None


async def test_an_authority_that_is_not_there_has_no_say() -> None:
    async with serving(None) as port:
        pass
    assert await ask_renewal(certificate_of_the_rfc(), f"https://{LOOPBACK}:{port}/dir") is None


def test_well_known_authorities_need_no_configuration() -> None:
    assert directory_of("Let's Encrypt R11") == "https://acme-v02.api.letsencrypt.org/directory"
    assert directory_of("(STAGING) Let's Encrypt Riddling Rhubarb R12") == (
        "https://acme-staging-v02.api.letsencrypt.org/directory"
    )
    assert directory_of("Example Authority") is None


@pytest.mark.parametrize(
    ("begins", "ends", "severity"), [(-2, -1, Severity.WARNING), (-1, 1, Severity.INFO), (1, 2, None)]
)
async def test_a_window_that_is_open_or_past_is_told(issuer, begins, ends, severity) -> None:
    now = datetime.now(UTC)
    window = {"start": (now + begins * DAY).isoformat(), "end": (now + ends * DAY).isoformat()}
    async with (
        authority(JSONResponse({"suggestedWindow": window})) as (url, _),
        answering(issuer.context(HOST)) as port,
    ):
        detail = Detail(http_port=port, acme_directory=url)
        found = await check_certificate(HOST, [LOOPBACK], port=port, ca_file=issuer.ca_file, detail=detail)
        seen = await inspect_host(HOST, [LOOPBACK], port=port, ca_file=issuer.ca_file, detail=detail)
    told = {one.name: one.severity for one in found}
    assert told.get("certificate-renewal-asked") == severity
    assert told["certificate-valid"] is Severity.OK
    assert bool(why_due(seen, TlsPolicy(), now)) == (severity is Severity.WARNING)
