"""`coolify project config`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from coolify_cli.options import config_options, dry_run_option, json_option

if TYPE_CHECKING:
    from coolify.config import Edit

__all__ = ["edit", "get", "print_edits", "schema", "set_value", "show", "validate"]


@click.command(epilog="Example: coolify project config show --environment staging")
@config_options
@json_option
def show(config: str, environment: str, *, as_json: bool) -> int:
    """Show the configuration as it applies: overlay merged, defaults filled in, variables unresolved."""
    from coolify_cli.output import print_json
    from coolify_cli.reaching import load

    applied: dict[str, Any] = load(config, environment).model_dump(mode="json", exclude_none=True, by_alias=True)
    if as_json:
        print_json(applied)
        return 0
    from io import StringIO

    from ruamel.yaml import YAML

    stream = StringIO()
    yaml = YAML()
    yaml.dump(applied, stream)
    click.echo(stream.getvalue(), nl=False)
    return 0


@click.command(epilog="Example: coolify project config get source.branch")
@click.argument("path")
@config_options
@json_option
def get(path: str, config: str, environment: str, *, as_json: bool) -> int:  # noqa: ARG001 - the options belong together
    """Print one value of the file, as it is written there; PATH is like `domains.0.primary`."""
    from coolify.config import ConfigDocument, find_config, parse_path

    value = ConfigDocument.open(find_config(Path(config))).get(*parse_path(path))
    if value is None:
        raise click.UsageError(f"{path} is not set in the file.")
    click.echo(value if isinstance(value, str) and not as_json else json.dumps(value))
    return 0


@click.command("set", epilog="Example: coolify project config set build.port 8080")
@click.argument("path")
@click.argument("value")
@config_options
@dry_run_option
@json_option
def set_value(path: str, value: str, config: str, environment: str, *, dry_run: bool, as_json: bool) -> int:
    """Change one value of the file; comments and order stay, and a wrong result is not written.

    VALUE is read as YAML: `8080` is a number, `[a, b]` a list, an empty text removes the value.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    from coolify.config import edit_config, find_config, parse_path

    try:
        parsed = YAML(typ="safe").load(value)
    except YAMLError:
        raise click.UsageError(f"'{value}' is not valid YAML: put it in quotes.") from None
    keys = parse_path(path)
    edits = edit_config(find_config(Path(config)), {keys: parsed}, environment=environment or None, dry_run=dry_run)
    print_edits(edits, dry_run=dry_run, as_json=as_json)
    return 0


@click.command(epilog="Example: coolify project config validate")
@config_options
@json_option
def validate(config: str, environment: str, *, as_json: bool) -> int:
    """Check the file, with the overlays of all environments; every problem is told with its line."""
    from coolify_cli.output import print_json
    from coolify_cli.reaching import load

    loaded = load(config, environment)
    environments = list(dict.fromkeys((loaded.environment, *loaded.environment_names)))
    if as_json:
        print_json({"path": str(loaded.path), "valid": True, "environments": environments})
    else:
        click.echo(f"{loaded.path} is valid for {', '.join(environments)}.")
    return 0


@click.command(epilog="Example: EDITOR=vim coolify project config edit")
@config_options
def edit(config: str, environment: str) -> int:
    """Open the file in an editor, and check it afterwards."""
    from coolify.config import find_config, load_config

    path = find_config(Path(config))
    click.edit(filename=str(path))
    load_config(path, environment=environment or None)
    click.echo(f"{path} is valid.")
    return 0


@click.command(epilog="Example: coolify project config schema > .coolify/config.schema.json")
def schema() -> int:
    """Print the JSON Schema of the file, for completion and checks in editors."""
    from coolify.config.reference import json_schema

    click.echo(json.dumps(json_schema(), indent=2))
    return 0


def print_edits(edits: tuple[Edit, ...], *, dry_run: bool, as_json: bool) -> None:
    """Print what changes in the file."""
    if as_json:
        from coolify_cli.output import print_json

        changed = [{"path": one.path, "before": one.before, "after": one.after} for one in edits]
        print_json({"changed": changed, "dry_run": dry_run})
        return
    if not edits:
        click.echo("Nothing to change: the file says so already.")
    for one in edits:
        before = "nothing" if one.before is None else json.dumps(one.before)
        after = "nothing" if one.after is None else json.dumps(one.after)
        click.echo(f"  ~ {one.path}: {before} -> {after}")
    if edits and dry_run:
        click.echo("Not written: --dry-run.")
