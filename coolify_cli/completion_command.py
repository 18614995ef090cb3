"""`coolify completion`."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

__all__ = ["completion"]


@click.command(epilog="Example: coolify completion bash > ~/.local/share/bash-completion/completions/coolify")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> int:
    """Print the completion script of a shell.

    Commands and options are completed, and names of contexts, environments, projects, deployments and releases: those
    of the server are asked for when Tab is pressed.
    """
    from coolify_cli.main import cli

    kind = get_completion_class(shell)
    assert kind is not None, "the choices are those that click knows"  # noqa: S101 - invariant
    click.echo(kind(cli, {}, "coolify", "_COOLIFY_COMPLETE").source())
    return 0
