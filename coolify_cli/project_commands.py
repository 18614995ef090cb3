"""`coolify project`."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from coolify_cli.completing import complete_project
from coolify_cli.options import (
    confirm_by_name,
    context_option,
    dry_run_option,
    json_option,
    yes_options,
)

if TYPE_CHECKING:
    from coolify.api.models import Project
    from coolify.api.team import Resource

__all__ = ["delete", "init", "list_projects"]

_CONFIG = ".coolify/config.yml"


@click.command(epilog="Example: coolify project init --name shop --domain shop.example.com")
@click.option("--name", metavar="NAME", help="Name of the project; the directory's by default.")
@click.option("--domain", "domains", multiple=True, metavar="HOST", help="Domain of the application; may be repeated.")
@click.option("--repository", metavar="URL", help="Git repository; the remote `origin` of this one by default.")
@click.option("--branch", metavar="NAME", help="Branch; the one that is checked out by default.")
@click.option("--image", metavar="IMAGE", help="Image of a registry instead of a repository.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port that the application listens on.")
@click.option("--server", metavar="URL", help="Address of Coolify; that of the current context by default.")
@context_option
@dry_run_option
@json_option
def init(
    name: str | None,
    domains: tuple[str, ...],
    repository: str | None,
    branch: str | None,
    image: str | None,
    port: int | None,
    server: str | None,
    *,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Write .coolify/config.yml for this repository; `coolify release` then creates everything.

    What the repository tells is taken from it: remote, branch, Dockerfile and its port.
    """
    from coolify.config import load_config
    from coolify.config.initial import Initial, initial_text, look_around
    from coolify.files import write_whole
    from coolify_cli.output import print_json

    path = Path(_CONFIG)
    if path.exists():
        raise click.UsageError(f"{path} exists already: change it with `coolify project config set`.")
    seen = look_around(Path.cwd())
    initial = Initial(
        server=server or _current_server(),
        name=_project_name(name or Path.cwd().resolve().name),
        repository=None if image else repository or seen.repository,
        branch=branch or seen.branch or "main",
        image=image,
        dockerfile=seen.dockerfile and not image,
        port=port or seen.port,
        domains=domains,
    )
    text = initial_text(initial)
    load_config(path, text=text)
    if not dry_run:
        path.parent.mkdir(exist_ok=True)
        write_whole(path, text, mode=0o644)
    if as_json:
        print_json({"path": str(path), "project": initial.name, "dry_run": dry_run})
    else:
        click.echo(text, nl=False)
        click.echo("\nNot written: --dry-run." if dry_run else f"\nWrote {path}. Next: coolify plan, coolify release.")
    return 0


@click.command("list", epilog="Example: coolify project list --json")
@context_option
@json_option
def list_projects(*, as_json: bool) -> int:
    """List the projects of the team."""
    from coolify_cli.output import make_table, print_json, stdout_console
    from coolify_cli.reaching import reachable

    async def read() -> tuple[Project, ...]:
        async with reachable(_CONFIG).client() as client:
            found = await client.projects.list()
            return tuple(await asyncio.gather(*(client.projects.get(one.uuid) for one in found)))

    projects = sorted(asyncio.run(read()), key=lambda project: project.name)
    if as_json:
        keys = ("name", "uuid", "description")
        print_json(
            [
                {key: getattr(one, key) for key in keys} | {"environments": [env.name for env in one.environments]}
                for one in projects
            ]
        )
    elif not projects:
        click.echo("There is no project yet: `coolify release` creates the one of a configuration file.")
    else:
        rows = [(one.name, ", ".join(env.name for env in one.environments), one.uuid) for one in projects]
        stdout_console().print(make_table("Project", "Environments", "UUID", rows=rows))
    return 0


@click.command(epilog="Example: coolify project delete shop")
@click.argument("name", required=False, shell_complete=complete_project)
@click.option("--delete-volumes", is_flag=True, help="Delete the data of applications and databases too.")
@context_option
@dry_run_option
@yes_options
@json_option
def delete(name: str | None, *, delete_volumes: bool, dry_run: bool, yes: bool, no_input: bool, as_json: bool) -> int:
    """Delete a project with everything in it: applications, databases, services and environments.

    NAME is a name or a UUID, the project of the configuration file by default. Volumes stay on the server unless
    --delete-volumes is given.
    """
    from coolify_cli.output import print_json
    from coolify_cli.reaching import coordinates, reachable

    wanted = name or coordinates(_CONFIG, "").project.name

    async def run() -> tuple[Project, tuple[Resource, ...]]:
        from coolify_cli.deleting import delete_project, find_project, resources_of

        async with reachable(_CONFIG).client() as client:
            project = await find_project(client, wanted)
            resources = await resources_of(client, project)
            if not as_json:
                _announce(project, resources, delete_volumes=delete_volumes)
            if not dry_run:
                confirm_by_name(f"Deleting the project {project.name}", project.name, yes=yes, no_input=no_input)
                await delete_project(client, project, resources, delete_volumes=delete_volumes)
            return project, resources

    project, resources = asyncio.run(run())
    if as_json:
        deleted = [{"type": one.type, "name": one.name, "uuid": one.uuid} for one in resources]
        print_json({"project": project.name, "uuid": project.uuid, "deleted": deleted, "dry_run": dry_run})
    else:
        click.echo("Not deleted: --dry-run." if dry_run else f"Deleted {project.name}.")
    return 0


def _announce(project: Project, resources: tuple[Resource, ...], *, delete_volumes: bool) -> None:
    click.echo(f"Project {project.name} ({project.uuid}):")
    for one in resources:
        click.echo(f"  - {one.type} {one.name} ({one.uuid})")
    if resources:
        click.echo(f"Their volumes are {'deleted too' if delete_volumes else 'kept on the server'}.")


def _project_name(name: str) -> str:
    from coolify.config.fields import check_project_name

    try:
        return check_project_name(name)
    except ValueError as error:
        raise click.UsageError(f"The project's name '{name}' {error} Choose another one with --name.") from None


def _current_server() -> str:
    from coolify.contexts import CONTEXT_VARIABLE, ContextError, ContextStore

    store = ContextStore.open(os.environ)
    named = os.environ.get(CONTEXT_VARIABLE)
    context = store.get(named) if named else store.current
    if context is None:
        raise ContextError("Name the Coolify server with --server, or run `coolify auth login` first.")
    return context.server
