"""`coolify ssl`, as it is run."""

import json
from datetime import timedelta

import pytest

from coolify.api import ApplicationSettings
from tests.integration.serving import serve


@pytest.fixture
def ssl(coolify, prefect_server):
    """Run `coolify ssl` in the shop's directory; exit code, standard output, standard error."""

    async def go(*arguments: str) -> tuple[int, str, str]:
        done = await coolify("ssl", *arguments, **prefect_server.environment)
        assert "Traceback" not in done.stderr, done.stderr
        return done.code, done.stdout, done.stderr

    return go


@pytest.fixture
async def served(shop):
    await serve(shop)
    return shop


async def test_status_needs_no_coolify_and_tells_every_address(served, ssl, monkeypatch) -> None:
    monkeypatch.delenv("COOLIFY_TOKEN")
    code, out, _ = await ssl("status", "--json")
    assert code == 0
    (host,) = json.loads(out)
    (address,) = host["addresses"]
    assert host["host"] == served.host
    assert address["address"] == "127.0.0.1"
    assert address["protocols"] == ["TLSv1.2", "TLSv1.3"]
    assert address["days_left"] == 89
    assert served.sandbox.app.state.faults.requests == []
    code, out, _ = await ssl("status")
    assert code == 0
    assert "Sandbox Intermediate CA" in out


async def test_status_exits_with_1_when_something_is_wrong(shop, ssl) -> None:
    code, out, _ = await ssl("status")
    assert code == 1
    assert "certificate-default" in out
    code, out, _ = await ssl("status", "nobody.example.test")
    assert code == 1
    assert "could not be looked up (SERVFAIL)" in out, "the sandbox knows its own names only"


async def test_what_is_no_host_name_is_a_wrong_call(shop, ssl) -> None:
    code, _, err = await ssl("status", shop.host, f"https://{shop.host}")
    assert code == 2
    assert f"https://{shop.host}" in err


async def test_strict_status_counts_warnings(served, ssl) -> None:
    served.sandbox.authority.issue(served.host, lifetime=timedelta(days=90), age=timedelta(days=75))
    assert (await ssl("status"))[0] == 0
    assert (await ssl("status", "--strict"))[0] == 1


async def test_renew_tells_what_is_due_and_does_it_only_when_told(served, ssl) -> None:
    code, out, _ = await ssl("renew", "--dry-run")
    assert (code, out) == (0, f"{served.host}: Not due.\n")
    served.sandbox.authority.issue(served.host, lifetime=timedelta(days=90), age=timedelta(days=80))
    code, out, _ = await ssl("renew", "--dry-run", "--json")
    assert (code, [one["result"] for one in json.loads(out)["hosts"]]) == (0, ["due"])
    code, _, err = await ssl("renew", "--no-input")
    assert code == 2
    assert "--yes" in err
    assert "containers are replaced" in err
    assert served.requests("POST") == []
    code, out, _ = await ssl("renew", "--yes", "--json")
    assert code == 0, out
    assert json.loads(out)["hosts"][0]["result"] == "renewed"


async def test_renew_needs_no_coolify_where_nothing_is_due(served, ssl, monkeypatch) -> None:
    monkeypatch.delenv("COOLIFY_TOKEN")
    code, out, err = await ssl("renew", "--json")
    assert code == 0, err
    (host,) = json.loads(out)["hosts"]
    assert (host["result"], host["reason"]) == ("fine", "Not due.")


async def test_renew_tells_what_no_renewal_can_mend(served, ssl) -> None:
    served.sandbox.names.set(served.host, "A", "127.0.0.9")
    code, out, _ = await ssl("renew")
    assert code == 1
    assert "no TLS at 127.0.0.9" in out
    assert served.requests("POST") == []


async def test_renewing_by_the_proxy_names_who_loses_connections(served, ssl) -> None:
    served.sandbox.authority.issue(served.host, lifetime=timedelta(days=90), age=timedelta(days=80))
    code, out, err = await ssl("renew", "--proxy", "--yes")
    assert code == 0, err
    assert "renewed" in out


async def test_enable_switches_a_domain_that_somebody_set_to_http(served, ssl) -> None:
    async with served.client() as client:
        (application,) = await client.applications.list()
        await client.applications.update(application.uuid, ApplicationSettings(domains=f"http://{served.host}"))
        code, out, err = await ssl("enable", served.host, "--yes", "--json")
        assert code == 0, err
        assert json.loads(out) == {
            "hosts": [served.host],
            "changed": True,
            "valid": True,
            "summary": "trusted on every address",
        }
        assert (await client.applications.get(application.uuid)).fqdn == f"https://{served.host}"


async def test_a_host_that_is_no_domain_is_a_wrong_call(served, ssl) -> None:
    for command in ("enable", "renew"):
        code, _, err = await ssl(command, "other.example.test", "--yes")
        assert code == 2
        assert f"there are: {served.host}" in err
    assert served.requests("POST") == []


async def test_enable_shows_what_it_would_do(shop, ssl) -> None:
    shop.configure(domains=[{"primary": shop.host, "ssl": False}])
    before = shop.config.read_text()
    code, out, _ = await ssl("enable", "--dry-run")
    assert code == 0
    assert "domains.0.ssl: false -> true" in out
    code, out, _ = await ssl("enable", "--dry-run", "--json")
    assert json.loads(out) == {"hosts": [shop.host], "edits": ["domains.0.ssl"], "dry_run": True}
    assert shop.config.read_text() == before
    code, _, err = await ssl("renew", shop.host)
    assert code == 2
    assert f"coolify ssl enable {shop.host}" in err
