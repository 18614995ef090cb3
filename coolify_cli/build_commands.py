"""`coolify build` and `coolify resources`: what they set stands in the configuration file."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from coolify_cli.config_commands import print_edits
from coolify_cli.options import config_options, dry_run_option, json_option

__all__ = ["allocate", "configure"]

_PACKS: Final = ("nixpacks", "railpack", "static", "dockerfile", "dockercompose")
_NONE: Final = "none"


@click.command(epilog="Example: coolify build configure --pack dockerfile --port 8080")
@click.option("--pack", type=click.Choice(_PACKS), help="How Coolify turns the source into an image.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port that the application listens on.")
@click.option("--install-command", metavar="COMMAND", help="Command that installs dependencies.")
@click.option("--build-command", metavar="COMMAND", help="Command that builds.")
@click.option("--start-command", metavar="COMMAND", help="Command that starts the application.")
@click.option("--base-directory", metavar="PATH", help="Directory of the repository in which to build.")
@click.option("--publish-directory", metavar="PATH", help="Directory whose files are served, with `static`.")
@click.option("--dockerfile", metavar="PATH", help="Dockerfile below the base directory, with `dockerfile`.")
@config_options
@dry_run_option
@json_option
def configure(config: str, environment: str, *, dry_run: bool, as_json: bool, **settings: str | int | None) -> int:
    """Choose build pack, commands and port; only what is given changes, `none` removes a setting.

    Commands are checked against what Coolify allows in a shell, with the offending character named.
    """
    return _write("build", settings, config, environment, dry_run=dry_run, as_json=as_json)


@click.command(epilog="Example: coolify resources allocate --cpu 500m --memory 1Gi")
@click.option("--cpu", metavar="QUANTITY", help="Processors, as in 2 or 500m.")
@click.option("--memory", metavar="QUANTITY", help="Memory, as in 512Mi or 4Gi.")
@click.option("--memory-swap", metavar="QUANTITY", help="Memory and swap together.")
@click.option("--storage", metavar="QUANTITY", help="Disk that must be free on the server before a release.")
@config_options
@dry_run_option
@json_option
def allocate(config: str, environment: str, *, dry_run: bool, as_json: bool, **settings: str | None) -> int:
    """Set limits of processors, memory and disk; only what is given changes, `none` removes a limit."""
    return _write("resources", settings, config, environment, dry_run=dry_run, as_json=as_json)


def _write(
    section: str,
    settings: dict[str, str | int | None] | dict[str, str | None],
    config: str,
    environment: str,
    *,
    dry_run: bool,
    as_json: bool,
) -> int:
    from coolify.config import edit_config, find_config, load_config

    path = find_config(Path(config))
    given = {name: None if value == _NONE else value for name, value in settings.items() if value is not None}
    if not given:
        raise click.UsageError("Nothing to change: give at least one option, see --help.")
    # An environment with an overlay has values of its own.
    overlaid = environment and environment in load_config(path).environment_names
    above = ("environments", environment) if overlaid else ()
    values = {(*above, section, name): value for name, value in given.items()}
    edits = edit_config(path, values, environment=environment or None, dry_run=dry_run)
    print_edits(edits, dry_run=dry_run, as_json=as_json)
    return 0
