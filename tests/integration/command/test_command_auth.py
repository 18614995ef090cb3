"""`coolify auth`: a context is made only of what was seen to work, and its token is never in a file by accident."""

import socket
import stat
import sys
from pathlib import Path

import pytest


@pytest.fixture
def login(coolify, shop):
    async def go(*arguments: str, stdin: str | None = None, server: str | None = None, **environment: str | None):
        words = ("auth", "login", server or shop.sandbox.url, "--name", "shop", *arguments)
        return await coolify(*words, stdin=stdin, **({"COOLIFY_TOKEN": None} | environment))

    return go


def files(home: dict) -> list[Path]:
    return [one for one in Path(home["HOME"]).rglob("*") if one.is_file()]


async def test_without_a_keyring_the_alternatives_are_named(login, home) -> None:
    done = await login("--token-stdin", stdin="x\n")
    assert done.code == 2
    for alternative in ("--token-env", "--token-command", "--insecure-storage"):
        assert alternative in done.text
    assert files(home) == []


async def test_a_token_in_a_file_is_for_its_owner_only_and_works_afterwards(login, coolify, shop, home) -> None:
    done = await login("--token-stdin", "--insecure-storage", "--json", stdin=shop.sandbox.token + "\n")
    assert done.code == 0, done.stderr
    assert "Warning" in done.stderr
    assert done.json["context"] == "shop"
    assert done.json["missing"] == []
    (token,) = [one for one in files(home) if shop.sandbox.token in one.read_text()]
    assert stat.S_IMODE(token.stat().st_mode) == 0o600
    seen = await coolify("auth", "status", "--json", COOLIFY_TOKEN=None)
    assert seen.json["storage"] == "file"
    assert seen.json["version"] == "4.3.11"


async def test_the_token_may_come_from_the_environment_or_a_command(login, coolify, shop, home) -> None:
    done = await login("--token-env", "SHOP_TOKEN", "--json", SHOP_TOKEN=shop.sandbox.token)
    assert done.json["storage"] == "environment"
    printer = f"{sys.executable} -c \"print('{shop.sandbox.token}')\""
    done = await login("--token-command", printer, "--json")
    assert done.code == 0, done.stderr
    assert done.json["storage"] == "command"
    assert (await coolify("auth", "status", "--json", COOLIFY_TOKEN=None)).json["context"] == "shop"


async def test_logging_out_forgets_the_token(login, coolify, shop, home) -> None:
    await login("--token-stdin", "--insecure-storage", stdin=shop.sandbox.token + "\n")
    done = await coolify("auth", "logout", "shop")
    assert done.code == 0
    assert "revoke" in done.text
    assert not [one for one in files(home) if shop.sandbox.token in one.read_text()]
    assert (await coolify("auth", "status", "--all", "--json")).json == []


async def test_the_days_until_the_token_expires_are_told(login, shop) -> None:
    done = await login("--token-stdin", "--insecure-storage", "--expires", "2020-01-01", stdin=shop.sandbox.token)
    assert "has expired" in done.text
    assert "days ago" in done.text


async def test_another_context_is_chosen_by_name(login, coolify, shop) -> None:
    await login("--token-env", "SHOP_TOKEN", SHOP_TOKEN=shop.sandbox.token)
    done = await coolify("project", "list", "--context", "shp", "--json", SHOP_TOKEN=shop.sandbox.token)
    assert done.code == 2
    assert "did you mean `shop`" in done.text
    done = await coolify("project", "list", "--context", "shop", "--json", SHOP_TOKEN=shop.sandbox.token)
    assert done.code == 0, done.stderr


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"is_api_enabled": False}, ("API", "switch the API on", "Settings")),
        ({"allowed_ips": "192.0.2.1"}, ("not allowed", "allow")),
    ],
)
async def test_a_refusal_by_the_instance_is_told_apart(login, shop, settings, words) -> None:
    state = shop.sandbox.state
    state.update(state.by_id("instance", 0), **settings)
    done = await login("--token-stdin", "--insecure-storage", stdin=shop.sandbox.token)
    assert done.code == 1, done.text
    for word in words:
        assert word.lower() in done.text.lower()


async def test_a_wrong_token_is_told_apart(login) -> None:
    done = await login("--token-stdin", "--insecure-storage", stdin="1|wrong\n")
    assert done.code == 1
    assert "401" in done.text
    assert "1|wrong" not in done.text


async def test_a_name_that_does_not_exist_is_told_apart(login) -> None:
    done = await login("--token-stdin", "--insecure-storage", stdin="x", server="https://coolify.invalid")
    assert done.code == 1
    assert "coolify.invalid" in done.text


async def test_a_closed_port_is_told_apart(login) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        done = await login(
            "--token-stdin", "--insecure-storage", stdin="x", server=f"http://127.0.0.1:{taken.getsockname()[1]}"
        )
    assert done.code == 1
    assert "connect" in done.text.lower() or "refused" in done.text.lower()


async def test_an_untrusted_certificate_is_told_apart(login, shop) -> None:
    done = await login(
        "--token-stdin", "--insecure-storage", stdin="x", server=f"https://127.0.0.1:{shop.sandbox.edge.https_port}"
    )
    assert done.code == 1
    assert "certificate" in done.text.lower()
