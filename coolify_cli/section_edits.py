"""Write what a command has been given into a section of the configuration file."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf, isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from coolify.config.writer import Plain

__all__ = ["NONE", "NumberOrNone", "given_settings", "write_section"]

NONE: Final = "none"
"""What removes a setting from the file."""


class NumberOrNone(click.ParamType[object]):
    """A number, or `none`."""

    def __init__(self, name: str) -> None:
        self.name = name

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> object:
        """Return a number as the file has it: whole where it is written so."""
        if not isinstance(value, str) or value == NONE:
            return value
        try:
            number = float(value)
        except ValueError:
            number = inf
        if not isfinite(number):
            self.fail(f"{value!r} is neither a number nor '{NONE}'.", param, ctx)
        return int(number) if number.is_integer() else number


def given_settings(settings: Mapping[str, Plain]) -> dict[tuple[str, ...], Plain]:
    """Return the options that were given, by the key of the section that has their name; None removes one."""
    return {(name,): None if value == NONE else value for name, value in settings.items() if value is not None}


def write_section(
    section: str,
    values: Mapping[tuple[str, ...], Plain],
    config: str,
    environment: str,
    *,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Set keys of a section and print what changes; an environment with an overlay has values of its own.

    Raises:
        UsageError: There is nothing to set.
        ConfigError: The file is missing, or would be wrong.
    """
    from coolify.config import edit_config, find_config, load_config
    from coolify_cli.config_commands import print_edits

    if not values:
        raise click.UsageError("Nothing to change: give at least one option, see --help.")
    path = find_config(Path(config))
    overlaid = environment and environment in load_config(path).environment_names
    above = ("environments", environment) if overlaid else ()
    placed = {(*above, section, *keys): value for keys, value in values.items()}
    print_edits(
        edit_config(path, placed, environment=environment or None, dry_run=dry_run), dry_run=dry_run, as_json=as_json
    )
    return 0
