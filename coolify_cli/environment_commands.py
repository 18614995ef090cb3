"""`coolify environment`."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from coolify_cli.completing import complete_environment
from coolify_cli.config_commands import print_edits
from coolify_cli.options import config_options, dry_run_option, json_option

__all__ = ["list_environments", "set_environment"]


@click.command("set", epilog="Example: coolify environment set staging")
@click.argument("name", shell_complete=complete_environment)
@config_options
@dry_run_option
@json_option
def set_environment(name: str, config: str, environment: str, *, dry_run: bool, as_json: bool) -> int:  # noqa: ARG001
    """Choose the environment that commands work on when none is named; a release creates it in Coolify."""
    from coolify.config import edit_config, find_config

    edits = edit_config(find_config(Path(config)), {("environment",): name}, dry_run=dry_run)
    print_edits(edits, dry_run=dry_run, as_json=as_json)
    return 0


@click.command("list", epilog="Example: coolify environment list")
@config_options
@json_option
def list_environments(config: str, environment: str, *, as_json: bool) -> int:
    """List the environments of the file and of the project in Coolify."""
    from coolify_cli.output import make_table, print_json, stdout_console
    from coolify_cli.reaching import connection_of, load

    loaded = load(config, environment)

    async def on_server() -> frozenset[str]:
        async with connection_of(loaded).client() as client:
            project = await client.projects.locate(loaded.project.name, loaded.project.uuid)
            return frozenset(one.name for one in project.environments) if project else frozenset()

    there = asyncio.run(on_server())
    names = sorted({loaded.environment, *loaded.environment_names, *there})
    listed = [
        {
            "name": name,
            "current": name == loaded.environment,
            "overlay": name in loaded.environment_names,
            "in_coolify": name in there,
        }
        for name in names
    ]
    if as_json:
        print_json(listed)
        return 0
    rows = [
        ("*" if one["current"] else "", str(one["name"]), _yes(one["overlay"]), _yes(one["in_coolify"]))
        for one in listed
    ]
    stdout_console().print(make_table("", "Environment", "Overlay in the file", "In Coolify", rows=rows))
    return 0


def _yes(value: object) -> str:
    return "yes" if value else "no"
