"""Where the token comes from, and what is said when it does not."""

import sys

import pytest
from pydantic import SecretStr

from coolify.api import token
from coolify.api.token import CommandToken, EnvironmentToken, StaticToken, TokenError


def printing(program: str) -> CommandToken:
    return CommandToken((sys.executable, "-c", program))


async def test_a_variable_is_read_anew_each_time(monkeypatch) -> None:
    source = EnvironmentToken("SHOP_TOKEN")
    for value in ("1|first", "2|second\n"):
        monkeypatch.setenv("SHOP_TOKEN", value)
        assert (await source.read()).get_secret_value() == value.strip()


@pytest.mark.parametrize("value", [None, "", "  \n"])
async def test_an_empty_variable_is_named(monkeypatch, value) -> None:
    monkeypatch.delenv("SHOP_TOKEN", raising=False)
    if value is not None:
        monkeypatch.setenv("SHOP_TOKEN", value)
    with pytest.raises(TokenError, match=r"variable SHOP_TOKEN holds no API token.*export SHOP_TOKEN="):
        await EnvironmentToken("SHOP_TOKEN").read()


async def test_the_first_line_of_a_command_is_the_token() -> None:
    assert (await printing("print('1|abc'); print('more')").read()).get_secret_value() == "1|abc"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (CommandToken(("/nonexistent/pass", "show")), "cannot be run: No such file"),
        (printing("print('1|abc'); raise SystemExit(3)"), r"printed no token \(exit code 3\)"),
        (printing("print()"), r"printed no token \(exit code 0\)"),
    ],
)
async def test_a_command_that_gives_none_is_named_and_its_output_is_not(source, message) -> None:
    with pytest.raises(TokenError, match=message) as caught:
        await source.read()
    assert "1|abc" not in str(caught.value)


async def test_a_command_that_hangs_is_ended(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(token, "_COMMAND_SECONDS", 0.5)
    mark = tmp_path / "survived"
    with pytest.raises(TokenError, match="did not end"):
        await printing(f"import time, pathlib; time.sleep(3); pathlib.Path({str(mark)!r}).touch()").read()
    assert not mark.exists()


def test_a_token_shows_itself_nowhere() -> None:
    assert "abc" not in f"{StaticToken(SecretStr('1|abc'))!r} {StaticToken(SecretStr('1|abc'))}"
