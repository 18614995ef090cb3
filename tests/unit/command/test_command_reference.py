"""The commands as they are declared: every one explains itself, and the page about them is the one they write."""

from pathlib import Path

import click
import pytest

from coolify_cli.reference import PAGE, commands, page

DOCS = Path(__file__).parents[3] / "docs"
LEAVES = {name: context for name, context in commands() if not isinstance(context.command, click.Group)}
WITHOUT_JSON = {"coolify project config edit", "coolify project config schema", "coolify completion"}


def options(name: str) -> set[str]:
    return {option for one in LEAVES[name].command.params for option in one.opts}


def test_the_page_is_up_to_date() -> None:
    assert (DOCS / PAGE).read_text() == page(), "run `make docs`"


@pytest.mark.parametrize("name", LEAVES)
def test_every_command_shows_an_example_of_itself(name) -> None:
    epilog = LEAVES[name].command.epilog or ""
    assert epilog.startswith("Example: ")
    assert name.rpartition(" ")[2] in epilog


@pytest.mark.parametrize("name", sorted(set(LEAVES) - WITHOUT_JSON))
def test_every_command_can_print_json(name) -> None:
    assert "--json" in options(name)


@pytest.mark.parametrize("name", [name for name in LEAVES if "--yes" in options(name)])
def test_what_asks_can_be_told_not_to(name) -> None:
    assert "--no-input" in options(name)
