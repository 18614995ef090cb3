"""`coolify webhooks`."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from coolify_cli.options import context_option, json_option

if TYPE_CHECKING:
    from deployments.webhooks.settings import ReceiverSettings

__all__ = ["serve", "status"]

F = TypeVar("F", bound=Callable[..., Any])

_PORT: Final = 8087
_MEGABYTE: Final = 1024 * 1024


def _spool_option(command: F) -> F:
    return click.option(
        "--spool",
        type=click.Path(file_okay=False, path_type=Path),
        metavar="DIR",
        help="Where accepted deliveries are kept; by default below XDG_STATE_HOME (~/.local/state).",
    )(command)


@click.command(epilog="Example: coolify webhooks serve --host 0.0.0.0 --settings /etc/coolify-flows/webhooks.yml")
@click.option(
    "--settings",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="PATH",
    help="File with sources and where their secrets are; without it all kinds, with COOLIFY_WEBHOOK_SECRET.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=_PORT, show_default=True, type=click.IntRange(0, 65535), help="Port; 0 for a free one.")
@_spool_option
@click.option(
    "--body-limit",
    default=5,
    show_default=True,
    type=click.IntRange(1, 100),
    metavar="MB",
    help="Largest delivery that is read.",
)
@context_option
@json_option
def serve(
    settings: Path | None, host: str, port: int, spool: Path | None, body_limit: int, *, as_json: bool
) -> int:  # fmt: skip
    """Receive webhooks of Git hosts and registries, and tell the Prefect server of pushes, until Ctrl-C.

    A delivery goes to /webhooks/NAME; without a file the names are github, gitlab, bitbucket, gitea, dockerhub, harbor
    and generic. What is answered with 202 is on disk, and delivered once Prefect is there. Put a proxy with TLS before
    it. The secrets are COOLIFY_WEBHOOK_SECRET and, while it is exchanged, COOLIFY_WEBHOOK_SECRET_OLD.
    """
    from coolify.config import DEFAULT_PATH
    from coolify_cli.running import prepare_prefect

    prepare_prefect(str(DEFAULT_PATH))
    # The receiver tries again itself, and knows better when.
    os.environ.setdefault("PREFECT_CLIENT_MAX_RETRIES", "0")
    from prefect.settings import PREFECT_API_URL

    if not PREFECT_API_URL.value():
        raise click.UsageError(
            "Pushes are told to a Prefect server: name it, as in `export PREFECT_API_URL=http://...`."
        )
    from deployments.webhooks.service import ServiceOptions
    from deployments.webhooks.service import serve as run
    from deployments.webhooks.settings import load_settings

    loaded = load_settings(settings, os.environ)
    options = ServiceOptions(host, port, spool or _default_spool(), body_limit * _MEGABYTE)
    asyncio.run(run(loaded, options, lambda url: _announce(url, loaded, as_json=as_json)))
    return 0


@click.command(epilog="Example: coolify webhooks status --json")
@_spool_option
@json_option
def status(spool: Path | None, *, as_json: bool) -> int:
    """Show what was accepted and Prefect has not stored yet; exit with 1 when Prefect refuses something."""
    from datetime import UTC, datetime

    from coolify_cli.output import facts, print_json, stdout_console
    from deployments.webhooks.spool import look_into

    directory = spool or _default_spool()
    backlog = look_into(directory)
    oldest = datetime.fromtimestamp(backlog.oldest, UTC) if backlog.oldest is not None else None
    if as_json:
        print_json(
            {
                "spool": str(directory),
                "waiting": backlog.waiting,
                "oldest": oldest.isoformat(timespec="seconds") if oldest else None,
                "refused": backlog.refused,
                "reason": backlog.reason,
            }
        )
    else:
        pairs = (
            ("Spool", str(directory)),
            ("Waiting", str(backlog.waiting)),
            ("Oldest", f"{oldest:%Y-%m-%d %H:%M:%S} UTC" if oldest else ""),
            ("Refused", f"{backlog.refused}: {backlog.reason}" if backlog.refused else ""),
        )
        facts(stdout_console(), pairs)
    return 1 if backlog.refused else 0


def _default_spool() -> Path:
    """Return where the receiver keeps its state (XDG Base Directory Specification)."""
    home = os.environ.get("XDG_STATE_HOME")
    return (Path(home) if home else Path.home() / ".local" / "state") / "coolify" / "webhooks"


def _announce(url: str, settings: ReceiverSettings, *, as_json: bool) -> None:
    from coolify.webhooks.route import PREFIX

    routes = {name: f"{url}{PREFIX}/{name}" for name in settings.sources}
    if as_json:
        from coolify_cli.output import print_json

        print_json({"url": url, "health": f"{url}/health", "routes": routes})
    else:
        click.echo(f"Receiving webhooks at {url}. Ctrl-C ends it.\n")
        for name, route in routes.items():
            click.echo(f"  {name:<12} {route}")
    sys.stdout.flush()
