"""What is asked at a terminal, and what the answers do."""

import os
from pathlib import Path

import pytest

from tests.integration.command.conftest import COMMAND
from tests.terminal import at_terminal


@pytest.fixture
def terminal(shop, home):
    """Run a command at a terminal in the shop's directory."""

    def go(*arguments: str, **environment: str | None):
        settings = (os.environ | home | environment) | {"COLUMNS": "200"}
        env = {name: value for name, value in settings.items() if value is not None}
        return at_terminal((*COMMAND, *arguments), shop.directory, env)

    return go


async def test_a_login_asks_for_address_and_token_and_never_shows_the_token(terminal, shop, home) -> None:
    async with terminal("auth", "login", "--insecure-storage", COOLIFY_TOKEN=None) as shown:
        await shown.sees("Address of Coolify")
        shown.types(shop.sandbox.url)
        await shown.sees("Token:")
        shown.types(shop.sandbox.token)
        await shown.sees("Logged in to")
        assert await shown.ends() == 0
        assert shop.sandbox.token not in shown.shown
    stored = [one for one in Path(home["HOME"]).rglob("*") if one.is_file() and shop.sandbox.token in one.read_text()]
    assert len(stored) == 1


async def test_a_deletion_wants_the_name_and_nothing_else(terminal, shop, released) -> None:
    await released()
    async with terminal("project", "delete", "shop") as shown:
        await shown.sees("Type the name 'shop'")
        shown.types("yes")
        assert await shown.ends() == 2
        assert "nothing was deleted" in shown.shown
    assert len(shop.sandbox.state.all("project")) == 1
    async with terminal("project", "delete", "shop") as shown:
        await shown.sees("Type the name 'shop'")
        shown.types("shop")
        assert await shown.ends() == 0
    assert shop.sandbox.state.all("project") == []


async def test_a_no_applies_nothing(terminal, shop) -> None:
    async with terminal("apply") as shown:
        await shown.sees("[y/N]")
        shown.types("n")
        assert await shown.ends() == 1
        assert "Not confirmed" in shown.shown
    assert shop.requests("POST") == []


async def test_an_interrupted_question_changes_nothing(terminal, shop) -> None:
    async with terminal("apply") as shown:
        await shown.sees("[y/N]")
        assert await shown.ends_when_interrupted() == 130
        assert "Traceback" not in shown.shown
    assert shop.requests("POST") == []


async def test_a_decision_is_asked_with_its_evidence_and_taken_as_answered(
    terminal, shop, released, prefect_server
) -> None:
    await released()
    shop.repository.commit("2.0.0", broken=True)
    shop.configure(decisions={"health-gate-failed": "ask"})
    async with terminal("release", "--local", **prefect_server.environment) as shown:
        await shown.sees("Number, or Enter for the default")
        assert "400" in shown.shown
        shown.types("nine")
        await shown.sees("That is none of the numbers.")
        shown.types("1")
        assert await shown.ends() == 1
        assert "Traceback" not in shown.shown
    assert await shop.version() == "1.0.0"


async def test_without_a_terminal_a_refused_token_is_told_once_and_no_question_is_printed(
    coolify, prefect_server
) -> None:
    done = await coolify("release", "--local", "--no-input", COOLIFY_TOKEN="1|wrong", **prefect_server.environment)
    assert done.code == 1
    default, refusal, *outcome = done.stdout.splitlines()
    assert default == "  → Coolify refused the API token: Read the token again and retry (It is the default.)"
    assert refusal.startswith("✗ preflight Coolify refused GET /version (401): ")
    assert [line.strip() for line in outcome if line][:1] == ["Release of shop: aborted"]
    assert done.text.count("401") == 1
