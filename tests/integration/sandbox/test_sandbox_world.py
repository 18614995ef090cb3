"""The sandbox's names, certificates and edge, as the usual programs see them."""

import asyncio
from dataclasses import dataclass

import pytest

HOST = "shop.sandbox.test"


@dataclass
class Done:
    code: int
    output: str


async def run(*command: object) -> Done:
    """Run a program while the sandbox goes on serving; standard error is part of the output."""
    process = await asyncio.create_subprocess_exec(
        *map(str, command),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(30):
            output, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        pytest.fail(f"{command[0]} does not come to an end")
    return Done(process.returncode or 0, output.decode(errors="replace"))


# Names


@pytest.fixture(params=["+notcp", "+tcp"], ids=["UDP", "TCP"])
def dig(request, sandbox):
    async def ask(*question: str) -> str:
        address, port = sandbox.dns_address
        done = await run("dig", f"@{address}", "-p", port, request.param, "+tries=1", "+time=5", *question)
        assert done.code == 0, done.output
        return done.output

    return ask


@pytest.mark.component("dig")
async def test_every_name_of_the_zone_leads_to_the_edge(dig) -> None:
    for name in (HOST, "anything.sandbox.test", "deep.below.sandbox.test"):
        assert (await dig(name, "A", "+short")).split() == ["127.0.0.1"]
    answer = await dig(HOST, "A")
    assert "status: NOERROR" in answer
    assert " aa " in answer.replace(";", " ; ").replace("aa;", "aa "), "it is the authority"


@pytest.mark.component("dig")
async def test_a_name_without_such_records_has_an_empty_answer(dig) -> None:
    answer = await dig(HOST, "AAAA")
    assert "status: NOERROR" in answer
    assert "ANSWER: 0" in answer
    assert "SOA" in answer


@pytest.mark.component("dig")
async def test_a_name_that_does_not_exist_is_nxdomain(dig, sandbox) -> None:
    sandbox.add_domain("shop.example")
    assert (await dig("shop.example", "A", "+short")).split() == ["127.0.0.1"]
    assert "status: NXDOMAIN" in await dig("nothing.shop.example", "A")


@pytest.mark.component("dig")
async def test_other_zones_are_refused(dig) -> None:
    assert "status: REFUSED" in await dig("example.com", "A")


@pytest.mark.component("dig")
async def test_an_answer_too_long_for_a_datagram_is_fetched_by_tcp(dig, sandbox) -> None:
    addresses = [f"127.0.{high}.{low}" for high in range(2) for low in range(1, 151)]
    sandbox.names.set("many.sandbox.test", "A", *addresses)
    answer = await dig("many.sandbox.test", "A", "+noedns", "+ignore")
    if "Truncated" in answer or " tc " in answer:
        answer = await dig("many.sandbox.test", "A", "+noignore")
    short = await dig("many.sandbox.test", "A", "+short")
    assert sorted(line for line in short.splitlines() if not line.startswith(";")) == sorted(addresses)


# The edge


@pytest.fixture
def curl(sandbox):
    """Run curl with the edge behind every name; its output is the body, a line, and what is asked for."""

    async def fetch(url: str, *arguments: object, ask: str = "%{http_code}") -> Done:
        ports = {"https": sandbox.edge.https_port, "http": sandbox.edge.http_port}
        scheme, _, rest = url.partition("://")
        host, slash, path = rest.partition("/")
        resolve = [item for port in ports.values() for item in ("--resolve", f"{host}:{port}:127.0.0.1")]
        url = f"{scheme}://{host}:{ports[scheme]}{slash}{path}"
        return await run(
            "curl", "--silent", "--show-error", "--noproxy", "*", "--cacert", sandbox.ca_file, *resolve,
            "--write-out", ask, *arguments, url,
        )  # fmt: skip

    return fetch


@pytest.mark.component("curl")
async def test_a_page_is_fetched_over_verified_https(served, curl) -> None:
    done = await curl(f"https://{HOST}/")
    assert done.code == 0, done.output
    page, status = done.output.splitlines()
    assert page == "<h1>Hello from version 1.0.0</h1>"
    assert status == "200"


@pytest.mark.component("curl")
async def test_without_the_sandboxes_authority_nothing_is_trusted(served, curl) -> None:
    done = await curl(f"https://{HOST}/", "--cacert", "/dev/null")
    assert done.code in {60, 77}, done.output


@pytest.mark.component("curl")
async def test_plain_http_is_redirected_to_https(served, curl, sandbox) -> None:
    done = await curl(f"http://{HOST}/version?a=1", ask="%{http_code} %{redirect_url}")
    assert done.output.split() == ["302", f"https://{HOST}:{sandbox.edge.https_port}/version?a=1"]
    followed = await curl(f"http://{HOST}/version", "--location", ask="%{http_code} %{scheme}")
    assert followed.output.lower().split() == ["1.0.0", "200", "https"]


@pytest.mark.component("curl")
async def test_plain_http_is_served_where_no_redirect_is_wanted(served, curl) -> None:
    # Alone it leaves the labels as they are (trap 8).
    await served.call("PATCH", is_force_https_enabled=False, domains=f"https://{HOST}")
    await served.deploy()
    assert (await curl(f"http://{HOST}/version")).output.split() == ["1.0.0", "200"]


@pytest.mark.component("curl")
async def test_an_unknown_host_is_404_behind_the_default_certificate(served, curl) -> None:
    trusted = await curl("https://unknown.sandbox.test/")
    assert trusted.code == 60, trusted.output
    insecure = await curl("https://unknown.sandbox.test/", "--insecure")
    assert insecure.output.splitlines() == ["404 page not found", "404"]
    assert (await curl("http://unknown.sandbox.test/")).output.splitlines()[-1] == "404"


@pytest.mark.component("curl")
async def test_an_answer_without_a_body_and_one_that_says_no_pass_the_edge(served, curl) -> None:
    head = await curl(f"https://{HOST}/", "--head")
    assert head.code == 0, head.output
    assert head.output.startswith("HTTP/1.1 200")
    assert (await curl(f"https://{HOST}/nowhere")).output.splitlines() == ["not found", "404"]


@pytest.mark.component("curl")
async def test_paths_lead_to_different_applications(served, outsider, repository, curl) -> None:
    repository.commit("2.0.0")
    other = await outsider.create_application(repository.path, "api.sandbox.test", domains=f"https://{HOST}/api")
    await other.deploy()
    assert (await curl(f"https://{HOST}/version")).output.split() == ["1.0.0", "200"]
    assert (await curl(f"https://{HOST}/api/version")).output.split() == ["2.0.0", "200"]
    assert (await curl(f"https://{HOST}/apiversion")).output.splitlines()[-1] == "404"


# Certificates


@pytest.fixture
def s_client(sandbox):
    async def shake_hands(name: str | None, *arguments: object) -> Done:
        indication = ("-servername", name) if name else ("-noservername",)
        address = f"127.0.0.1:{sandbox.edge.https_port}"
        return await run("openssl", "s_client", "-connect", address, *indication, "-showcerts", *arguments)

    return shake_hands


@pytest.mark.component("openssl")
async def test_a_domain_has_a_certificate_that_verifies_against_the_authority(served, s_client, sandbox) -> None:
    done = await s_client(HOST, "-CAfile", sandbox.ca_file, "-verify_hostname", HOST, "-verify_return_error")
    assert done.code == 0, done.output
    assert "Verify return code: 0 (ok)" in done.output
    assert f"subject=CN = {HOST}" in done.output.replace("CN=", "CN = ")
    assert done.output.count("BEGIN CERTIFICATE") == 2, "the intermediate comes along"


@pytest.mark.component("openssl")
async def test_a_certificate_is_for_its_own_domain_only(served, s_client, sandbox) -> None:
    done = await s_client(
        HOST, "-CAfile", sandbox.ca_file, "-verify_hostname", "other.sandbox.test", "-verify_return_error"
    )
    assert done.code != 0
    assert "hostname mismatch" in done.output.lower()


@pytest.mark.component("openssl")
@pytest.mark.parametrize("name", ["unknown.sandbox.test", "sandbox.test", None], ids=["unknown", "zone", "no name"])
async def test_other_names_get_the_default_certificate(served, s_client, sandbox, name) -> None:
    done = await s_client(name, "-CAfile", sandbox.ca_file)
    assert "TRAEFIK DEFAULT CERT" in done.output
    assert HOST not in done.output
    assert "Verify return code: 0 (ok)" not in done.output


@pytest.mark.component("openssl")
async def test_a_domain_given_later_gets_its_certificate_with_the_deployment(served, s_client, sandbox) -> None:
    await served.call("PATCH", domains=f"https://{HOST},https://new.sandbox.test")
    assert "TRAEFIK DEFAULT CERT" in (await s_client("new.sandbox.test")).output
    await served.deploy()
    for name in (HOST, "new.sandbox.test"):
        done = await s_client(name, "-CAfile", sandbox.ca_file, "-verify_hostname", name, "-verify_return_error")
        assert done.code == 0, done.output
