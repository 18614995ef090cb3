"""What the shell offers after the Tab key: names from the file and from the server. Silent when it cannot find any."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Final

import click
from click.shell_completion import CompletionItem

from coolify.errors import OperatorError

__all__ = [
    "complete_context",
    "complete_database",
    "complete_deployment",
    "complete_environment",
    "complete_project",
    "complete_release",
]

_SECONDS: Final = 3.0
"""A shell that waits longer feels broken."""


def complete_context(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001
    """Offer the contexts of this person."""
    from coolify.contexts import ContextStore

    with contextlib.suppress(OperatorError):
        contexts = ContextStore.open(os.environ).contexts
        return _fitting(((one.name, one.server) for one in contexts), incomplete)
    return []


def complete_environment(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001
    """Offer the environments of the file."""
    from coolify.config import find_config, load_config
    from coolify.config.model import USUAL_ENVIRONMENTS

    names: tuple[str, ...] = ()
    with contextlib.suppress(OperatorError):
        names = load_config(find_config(Path(_config_of(ctx)))).environment_names
    return _fitting(((name, "") for name in dict.fromkeys((*names, *USUAL_ENVIRONMENTS))), incomplete)


def complete_database(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001
    """Offer the databases of the file, and the volumes that are backed up where the command takes them too."""
    from coolify.config import find_config, load_config

    with contextlib.suppress(OperatorError):
        config = load_config(find_config(Path(_config_of(ctx))))
        names = [(key, one.engine.value) for key, one in config.databases.items()]
        if ctx.info_name in {"run", "list", "verify", "restore-plan"}:
            names += [(key, "volume") for key in config.backups.volumes]
        return _fitting(names, incomplete)
    return []


def complete_project(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001
    """Offer the projects of the server."""

    async def names() -> list[tuple[str, str]]:
        from coolify_cli.reaching import reachable

        async with reachable(_config_of(ctx)).client() as client:
            return [(one.name, one.description or "") for one in await client.projects.list()]

    return _fitting(_in_time(names), incomplete)


def complete_deployment(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001
    """Offer the latest deployments of the application."""

    async def names() -> list[tuple[str, str]]:
        from coolify_cli.reaching import coordinates, find_application, reachable

        config = coordinates(_config_of(ctx), str(ctx.params.get("environment") or ""))
        async with reachable(_config_of(ctx)).client() as client:
            application = await find_application(client, config)
            page = await client.deployments.for_application(application.uuid)
            return [(one.deployment_uuid, f"{one.status.value} {one.commit_message or ''}") for one in page.deployments]

    return _fitting(_in_time(names), incomplete)


def complete_release(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001
    """Offer the commits and tags that were deployed."""

    async def names() -> list[tuple[str, str]]:
        from coolify_cli.reaching import coordinates, find_application, reachable

        config = coordinates(_config_of(ctx), str(ctx.params.get("environment") or ""))
        async with reachable(_config_of(ctx)).client() as client:
            application = await find_application(client, config)
            page = await client.deployments.for_application(application.uuid)
            return [(one.commit, one.commit_message or "") for one in page.deployments]

    return _fitting([("previous", "the release before"), *_in_time(names)], incomplete)


def _config_of(ctx: click.Context) -> str:
    return str(ctx.params.get("config") or ".coolify/config.yml")


def _in_time(names: Callable[[], Awaitable[list[tuple[str, str]]]]) -> list[tuple[str, str]]:
    async def limited() -> list[tuple[str, str]]:
        async with asyncio.timeout(_SECONDS):
            return await names()

    # Completion has no place to say what is wrong; the command itself will.
    with contextlib.suppress(OperatorError, TimeoutError):
        return asyncio.run(limited())
    return []


def _fitting(names: Iterable[tuple[str, str]], incomplete: str) -> list[CompletionItem]:
    unique = dict(names)
    return [CompletionItem(name, help=told) for name, told in unique.items() if name.startswith(incomplete)]
