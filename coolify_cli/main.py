"""Entry point of the `coolify` command."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import NamedTuple

import click

from coolify import __version__
from coolify_cli.failures import EXIT_INTERRUPTED, EXIT_USAGE, explain

__all__ = ["cli", "main"]


class _Lazy(NamedTuple):
    target: str
    summary: str


_COMMANDS = {
    "release": _Lazy("coolify_cli.release_command:release", "Release the application through every phase."),
    "rollback": _Lazy(
        "coolify_cli.rollback_command:rollback", "Bring back an earlier release, configuration included."
    ),
    "history": _Lazy("coolify_cli.history_command:history", "List the releases of the application."),
    "demo": _Lazy("coolify_cli.demo_command:demo", "Watch three releases and a rollback in the sandbox."),
    "sandbox": _Lazy("coolify_cli.sandbox_command:sandbox", "An embedded Coolify to try things out."),
}


class LazyGroup(click.Group):
    """A group that imports a command's module when the command is used, so that `--help` stays fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - signature of click
        """Return the commands in the order in which they are declared."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click
        """Import and return a command."""
        lazy = _COMMANDS.get(cmd_name)
        if lazy is None:
            return None
        module, _, attribute = lazy.target.partition(":")
        command = getattr(import_module(module), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{lazy.target} is not a command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click
        """Write the command table from the declared summaries, importing nothing."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, lazy.summary) for name, lazy in _COMMANDS.items()])


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 all went well, 1 it failed, 2 the call or the configuration is wrong.",
)
@click.version_option(__version__, prog_name="coolify", message="%(prog)s-flows %(version)s")
def cli() -> None:
    """Release applications on Coolify and know that they work.

    One file, .coolify/config.yml, describes the application. Start with `coolify demo`.
    """


def main() -> None:
    """Run the command; every failure ends as one sentence on standard error."""
    try:
        code = cli.main(standalone_mode=False)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.Abort:
        click.echo("Interrupted.", err=True)
        sys.exit(EXIT_INTERRUPTED)
    except click.ClickException as error:
        error.show()
        sys.exit(EXIT_USAGE)
    except KeyboardInterrupt:
        click.echo("Interrupted.", err=True)
        sys.exit(EXIT_INTERRUPTED)
    except Exception as error:
        failure = explain(error)
        if failure is None:
            raise
        click.echo(failure.message, err=True)
        sys.exit(failure.exit_code)
    sys.exit(code if isinstance(code, int) else 0)


if __name__ == "__main__":
    main()
