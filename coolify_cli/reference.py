"""The page about the command, written from its tree: `python -m coolify_cli.reference docs`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click

from coolify_cli.main import cli

__all__ = ["PAGE", "commands", "page"]

PAGE: Final = "cli.md"
_WIDTH: Final = 100
_HEADER: Final = """\
# The `coolify` command

Written by `make docs` from the commands themselves. Exit codes: 0 all went well, 1 it failed, 2 the call or the
configuration is wrong (and `coolify plan --detailed-exitcode`: there are changes), 130 interrupted. Results go to
standard output, questions and errors to standard error. With `--json` the result is the only output, as
described in [JSON](json.md). Colours are off where the output is no terminal, or `NO_COLOR` is set.
"""


def commands() -> Iterator[tuple[str, click.Context]]:
    """Yield every command with its full name, groups before what is in them, in the order of the tree."""
    yield from _below("coolify", cli, None)


def page() -> str:
    """Return the text of the page."""
    sections = [_HEADER]
    for name, context in commands():
        level = "##" if isinstance(context.command, click.Group) else "###"
        sections.append(f"{level} `{name}`\n\n```text\n{context.command.get_help(context).rstrip()}\n```\n")
    return "\n".join(sections)


def _below(name: str, command: click.Command, parent: click.Context | None) -> Iterator[tuple[str, click.Context]]:
    context = click.Context(
        command,
        parent=parent,
        info_name=name.rpartition(" ")[2],
        terminal_width=_WIDTH,
        help_option_names=["-h", "--help"],
    )
    yield name, context
    if isinstance(command, click.Group):
        for below in command.list_commands(context):
            child = command.get_command(context, below)
            if child is not None:
                yield from _below(f"{name} {below}", child, context)


if __name__ == "__main__":
    (Path(sys.argv[1]) / PAGE).write_text(page())
