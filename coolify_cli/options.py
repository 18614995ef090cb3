"""Options that many commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

__all__ = ["config_options", "json_option"]

F = TypeVar("F", bound=Callable[..., Any])


def config_options(command: F) -> F:
    """Add `--config` and `--environment`."""
    command = click.option(
        "--environment", "-e", default="", metavar="NAME", help="Environment to work on; the file's own by default."
    )(command)
    return click.option(
        "--config",
        "-c",
        default=".coolify/config.yml",
        show_default=True,
        metavar="PATH",
        help="Configuration file of the application; searched upwards from here.",
    )(command)


def json_option(command: F) -> F:
    """Add `--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print the result as JSON and nothing else.")(command)
