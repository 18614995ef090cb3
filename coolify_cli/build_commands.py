"""`coolify build` and `coolify resources`: what they set stands in the configuration file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from coolify_cli.options import config_options, dry_run_option, json_option
from coolify_cli.section_edits import NONE, given_settings, write_section

if TYPE_CHECKING:
    from coolify.config import VolumeMount
    from coolify.config.writer import Plain

__all__ = ["allocate", "configure"]

_PACKS: Final = ("nixpacks", "railpack", "static", "dockerfile", "dockercompose")
_VOLUME_PATHS: Final = ("mount_path", "host_path")


@click.command(epilog="Example: coolify build configure --pack dockerfile --port 8080")
@click.option("--pack", type=click.Choice(_PACKS), help="How Coolify turns the source into an image.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port that the application listens on.")
@click.option("--install-command", metavar="COMMAND", help="Command that installs dependencies.")
@click.option("--build-command", metavar="COMMAND", help="Command that builds.")
@click.option("--start-command", metavar="COMMAND", help="Command that starts the application.")
@click.option("--base-directory", metavar="PATH", help="Directory of the repository in which to build.")
@click.option("--publish-directory", metavar="PATH", help="Directory whose files are served, with `static`.")
@click.option("--dockerfile", metavar="PATH", help="Dockerfile below the base directory, with `dockerfile`.")
@click.option("--compose-file", metavar="PATH", help="Compose file below the base directory, with `dockercompose`.")
@config_options
@dry_run_option
@json_option
def configure(config: str, environment: str, *, dry_run: bool, as_json: bool, **settings: str | int | None) -> int:
    """Choose build pack, commands and port; only what is given changes, `none` removes a setting.

    Commands are checked against what Coolify allows in a shell, with the offending character named.
    """
    return write_section("build", given_settings(settings), config, environment, dry_run=dry_run, as_json=as_json)


@click.command(epilog="Example: coolify resources allocate --cpu 500m --memory 1Gi")
@click.option("--cpu", metavar="QUANTITY", help="Processors, as in 2 or 500m.")
@click.option("--memory", metavar="QUANTITY", help="Memory, as in 512Mi or 4Gi.")
@click.option("--memory-swap", metavar="QUANTITY", help="Memory and swap together.")
@click.option("--storage", metavar="QUANTITY", help="Disk that must be free on the server before a release.")
@click.option(
    "--volume",
    "volumes",
    metavar="NAME:PATH",
    multiple=True,
    help="Volume and where the container has it, NAME:PATH:DIRECTORY for a directory of the server; repeatable.",
)
@click.option(
    "--port-mapping",
    "port_mappings",
    metavar="PORT:PORT",
    multiple=True,
    help="Port of the server that leads straight to one of the container, as in 8080:80; repeatable.",
)
@config_options
@dry_run_option
@json_option
def allocate(
    config: str,
    environment: str,
    *,
    volumes: tuple[str, ...],
    port_mappings: tuple[str, ...],
    dry_run: bool,
    as_json: bool,
    **settings: str | None,
) -> int:
    """Set limits, volumes and port mappings; only what is given changes.

    `none` removes a limit, all volumes or all port mappings from the file. Volumes on the server and their data stay.
    """
    from coolify.config import find_config, load_config

    resources = load_config(find_config(Path(config)), environment=environment or None).resources
    lists: dict[str, Plain] = {}
    if volumes:
        lists["volumes"] = _volumes(resources.volumes, volumes)
    if port_mappings:
        mapped = _port_mappings(resources.port_mappings, port_mappings)
        lists["port_mappings"] = mapped
        if mapped != NONE:
            click.echo(
                "! With port mappings Coolify stops the old version before the new one works: no rolling update.",
                err=True,
            )
    given = given_settings({**settings, **lists})
    return write_section("resources", given, config, environment, dry_run=dry_run, as_json=as_json)


def _volumes(present: tuple[VolumeMount, ...], given: tuple[str, ...]) -> Plain:
    """Return the volumes of the file with those that are given, each instead of the one with its name."""
    if given == (NONE,):
        return NONE
    mounts = {one.name: one.model_dump(exclude_none=True) for one in present}
    for text in given:
        name, *paths = text.split(":")
        if not 1 <= len(paths) <= len(_VOLUME_PATHS):
            raise click.BadParameter(f"{text} is not NAME:PATH, as in uploads:/app/uploads.", param_hint="--volume")
        mounts[name] = {"name": name, **dict(zip(_VOLUME_PATHS, paths, strict=False))}
    return list(mounts.values())


def _port_mappings(present: tuple[str, ...], given: tuple[str, ...]) -> Plain:
    """Return the mappings of the file with those that are given, each instead of the one of the server's port."""
    if given == (NONE,):
        return NONE
    return list({one.partition(":")[0]: one for one in (*present, *given)}.values())
