"""Entry point of the `coolify` command."""

from __future__ import annotations

import sys

import click

from coolify import __version__
from coolify_cli.failures import EXIT_INTERRUPTED, EXIT_USAGE, explain
from coolify_cli.frame import DeclaredGroup
from coolify_cli.sparing import spare_at_start
from coolify_cli.tree import TREE

__all__ = ["cli", "main"]

_HELP = f"""{TREE.summary}

One file, .coolify/config.yml, describes the application. Start with `coolify demo`, or with `coolify auth login`,
`coolify project init` and `coolify release`.
"""

cli = DeclaredGroup(
    TREE,
    "coolify",
    help=_HELP,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 all went well, 1 it failed, 2 the call or the configuration is wrong.",
)
cli = click.version_option(__version__, prog_name="coolify", message="%(prog)s-flows %(version)s")(cli)


def main() -> None:
    """Run the command; every failure ends as one sentence on standard error."""
    spare_at_start()
    try:
        code = cli.main(prog_name="coolify", standalone_mode=False)
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
    except BrokenPipeError:
        # Whoever read our output has seen enough (`coolify history | head`).
        sys.stderr.close()
        sys.exit(EXIT_INTERRUPTED)
    except BaseException as error:
        failure = explain(error)
        if failure is None:
            raise
        click.echo(failure.message, err=True)
        sys.exit(failure.exit_code)
    sys.exit(code if isinstance(code, int) else 0)


if __name__ == "__main__":
    main()
