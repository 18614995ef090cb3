"""`coolify project config push`: let the Prefect server know the application."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from coolify_cli.options import config_options, dry_run_option, json_option

if TYPE_CHECKING:
    from collections.abc import Mapping

    from coolify.config import Config

__all__ = ["push"]


@dataclass(frozen=True, slots=True)
class _Pushed:
    block: str
    changed: tuple[str, ...]
    """Fields that were changed, all of a block that is new."""
    missing: tuple[str, ...]
    """Variables that the configuration refers to and that the block has no value of."""


@click.command(epilog="Example: coolify project config push --values")
@config_options
@click.option("--name", default="", metavar="NAME", help="Name of the block; made of application and environment.")
@click.option("--values", is_flag=True, help="Store the values of the variables that the file refers to, encrypted.")
@dry_run_option
@json_option
def push(config: str, environment: str, *, name: str, values: bool, dry_run: bool, as_json: bool) -> int:
    """Save the file as a block on the Prefect server, where runs, schedules and events choose the application by it.

    Run it after each change of the file. Values that the block has, and the file still refers to, stay.
    """
    from coolify.wording import slug
    from coolify_cli.reaching import load
    from coolify_cli.running import prepare_prefect, require_prefect_server

    loaded = load(config, environment)
    prepare_prefect(config)
    require_prefect_server()
    block = name or f"{slug(loaded.application_name)}-{slug(loaded.environment)}"
    given = {one: os.environ[one] for one in _variables(loaded) if os.environ.get(one)} if values else {}
    pushed = asyncio.run(_push(loaded, block, environment, given, dry_run=dry_run))
    _tell(pushed, dry_run=dry_run, as_json=as_json)
    return 0


def _variables(config: Config) -> tuple[str, ...]:
    from coolify.config.interpolation import Reference

    return tuple(dict.fromkeys(Reference(config.model_dump_json(by_alias=True)).variables))


async def _push(config: Config, name: str, environment: str, given: Mapping[str, str], *, dry_run: bool) -> _Pushed:
    from prefect.types import SecretDict

    from blocks import Application

    there: Application | None = None
    with suppress(ValueError):
        there = await Application.aload(name)
    before = dict(there.values.get_secret_value()) if there else {}
    referred = _variables(config)
    after = {one: value for one, value in {**before, **given}.items() if one in referred}
    wanted = {
        "configuration": config.path.read_text(encoding="utf-8"),
        "environment": environment,
        "directory": str(config.root.resolve()),
    }
    changed = tuple(key for key, value in wanted.items() if there is None or getattr(there, key) != value)
    changed += ("values",) if after != before else ()
    if changed and not dry_run:
        block = (there or Application(configuration="")).model_copy(update={**wanted, "values": SecretDict(after)})
        await block.asave(name, overwrite=True)
    return _Pushed(name, changed, tuple(one for one in referred if one not in after))


def _tell(pushed: _Pushed, *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        from coolify_cli.output import print_json

        changed, missing = list(pushed.changed), list(pushed.missing)
        print_json({"block": pushed.block, "changed": changed, "missing": missing, "dry_run": dry_run})
        return
    done = "would be changed" if dry_run else "saved"
    told = f"{', '.join(pushed.changed)} {done}" if pushed.changed else "unchanged"
    click.echo(f"{pushed.block}: {told}.")
    if pushed.missing:
        click.echo(
            f"The worker's environment must have {', '.join(pushed.missing)}: the block has no value of it (--values)."
        )
