"""`coolify domain list` and `verify`: what names lead to, and what hinders them."""

import asyncio

import pytest
from click.testing import CliRunner

from coolify_cli.main import cli
from tests.integration.command.conftest import Done


@pytest.fixture
def quickly(shop, home, monkeypatch):
    """Run a command in this process: most of the time of another one goes into imports."""
    for name, value in home.items():
        monkeypatch.delenv(name, raising=False) if value is None else monkeypatch.setenv(name, value)
    monkeypatch.chdir(shop.directory)

    async def go(*arguments: str) -> Done:
        result = await asyncio.to_thread(CliRunner().invoke, cli, arguments, standalone_mode=False)
        if result.exception:
            raise result.exception
        return Done(result.return_value, result.stdout, result.stderr)

    return go


async def test_domains_of_the_file_and_of_coolify_are_listed_with_where_they_lead(
    shop, coolify, quickly, released
) -> None:
    await released()
    shop.sandbox.names.set("new.sandbox.test", "A", "192.0.2.7")
    shop.configure(domains=[{"primary": shop.host}, {"extra": "new.sandbox.test", "ssl": False, "path": "/shop"}])
    done = await coolify("domain", "list", "--json")
    assert done.code == 0, done.text
    assert done.json == [
        {
            "url": f"https://{shop.host}",
            "host": shop.host,
            "entry": "primary",
            "in_file": True,
            "in_coolify": True,
            "addresses": ["127.0.0.1"],
            "problem": None,
        },
        {
            "url": "http://new.sandbox.test/shop",
            "host": "new.sandbox.test",
            "entry": "extra",
            "in_file": True,
            "in_coolify": False,
            "addresses": ["192.0.2.7"],
            "problem": None,
        },
    ]
    shop.configure(domains=[{"primary": "nobody.elsewhere.test"}])
    text = (await quickly("domain", "list")).text
    assert "https://nobody.elsewhere.test primary yes no SERVFAIL" in text
    assert f"https://{shop.host} no yes 127.0.0.1" in text


async def test_domains_are_listed_before_the_application_exists(quickly) -> None:
    (listed,) = (await quickly("domain", "list", "--json")).json
    assert (listed["in_file"], listed["in_coolify"]) == (True, False)


async def test_a_good_domain_is_verified_against_the_server_of_coolify(shop, coolify, quickly) -> None:
    done = await coolify("domain", "verify", "--json")
    assert done.code == 0, done.text
    (status,) = done.json
    assert (status["host"], status["addresses"], status["ready"]) == (shop.host, ["127.0.0.1"], True)
    named = {one["name"]: one["severity"] for one in status["findings"]}
    assert named["domain-points-to-server"] == "ok"
    assert named["domain-reachable"] == "ok"
    text = (await quickly("domain", "verify")).text
    assert f"{shop.host} 127.0.0.1 ready" in text
    assert "leads to the server" not in text
    assert "leads to the server" in (await quickly("domain", "verify", "--all")).text


async def test_a_bad_domain_is_named_with_what_was_seen_and_what_to_do(shop, quickly) -> None:
    shop.sandbox.names.set("other.sandbox.test", "A", "192.0.2.7")
    done = await quickly("domain", "verify", "other.sandbox.test", shop.host, "--server", "127.0.0.1")
    assert done.code == 1
    assert "other.sandbox.test 192.0.2.7 not ready domain-points-elsewhere" in done.text
    assert "Set its A record to 127.0.0.1" in done.text
    assert f"{shop.host} 127.0.0.1 ready" in done.text


async def test_warnings_count_only_where_it_is_asked_for(shop, quickly) -> None:
    shop.sandbox.names.set("private.sandbox.test", "A", "10.1.2.3", "127.0.0.1")
    arguments = ("domain", "verify", "private.sandbox.test", "--server", "127.0.0.1", "--server", "10.1.2.3")
    assert (await quickly(*arguments, "--no-ports")).code == 0
    shop.sandbox.names.set("proxied.sandbox.test", "A", "104.16.1.1")
    arguments = ("domain", "verify", "proxied.sandbox.test", "--server", "127.0.0.1", "--no-ports")
    assert (await quickly(*arguments)).code == 0
    assert (await quickly(*arguments, "--strict")).code == 1


async def test_ownership_is_proved_by_the_record_that_the_command_names(shop, quickly) -> None:
    done = await quickly("domain", "verify", "--ownership")
    assert done.code == 1
    record = next(word for word in done.text.split() if word.startswith('"coolify-flows-owner='))
    assert f"and with it address records for {shop.host} itself" in done.text, "the sandbox answers by a wildcard"
    shop.sandbox.names.set(shop.host, "A", "127.0.0.1")
    shop.sandbox.names.set(f"_coolify-flows.{shop.host}", "TXT", record)
    done = await quickly("domain", "verify", "--ownership", "--all")
    assert done.code == 0, done.text
    assert f"{shop.host} is this application's" in done.text


async def test_caa_is_compared_with_the_configured_authority(shop, quickly) -> None:
    shop.sandbox.names.set(shop.host, "A", "127.0.0.1")
    shop.sandbox.names.set(shop.host, "CAA", '0 issue "ca.example"')
    assert (await quickly("domain", "verify")).code == 0, "a private authority does not ask"
    shop.configure(dns={"certificate_authority": "letsencrypt.org"})
    done = await quickly("domain", "verify")
    assert done.code == 1
    assert "domain-caa-forbids" in done.text
    shop.configure(dns={"certificate_authority": "ca.example"})
    assert (await quickly("domain", "verify")).code == 0


async def test_a_call_without_any_domain_is_a_mistake_of_the_call(shop, coolify) -> None:
    shop.configure(domains=None)
    done = await coolify("domain", "verify")
    assert done.code == 2
    assert "has no domain in the environment production" in done.text


async def test_without_coolify_a_server_can_be_named(shop, coolify) -> None:
    shop.configure(server="http://127.0.0.1:9")
    assert (await coolify("domain", "verify", "--server", "127.0.0.1", COOLIFY_TOKEN=None)).code == 0
