"""`coolify source`."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any

import click

from coolify_cli.options import config_options, dry_run_option, json_option, yes_options

if TYPE_CHECKING:
    from rich.console import Console

    from coolify.finding import Finding
    from coolify.source.status import SourceStatus

__all__ = ["connect", "status"]

_KINDS = ("github", "gitlab", "bitbucket", "gitea")


@click.command(
    epilog="Example: coolify source connect git@github.com:example/shop.git --webhook-url https://hooks.example.com"
)
@click.argument("source")
@click.option("--branch", metavar="NAME", help="Branch; that of the file by default, else main.")
@click.option("--github-app", metavar="NAME", help="GitHub App in Coolify that reads the repository.")
@click.option("--key-name", metavar="NAME", help="Name of the deploy key in Coolify; made from the repository.")
@click.option(
    "--webhook-url",
    metavar="URL",
    help="Address of `coolify webhooks serve`, called on every push; /webhooks/KIND is added where it has no path.",
)
@click.option(
    "--webhook-secret-env",
    metavar="NAME",
    default="COOLIFY_WEBHOOK_SECRET",
    show_default=True,
    help="Variable with the secret that signs deliveries; a new webhook gets a generated one when it is unset.",
)
@click.option("--git-host", type=click.Choice(_KINDS), help="Kind of the Git host, where its name does not tell.")
@click.option("--git-api", metavar="URL", help="Address of the Git host's API, where it is not the usual one.")
@config_options
@dry_run_option
@yes_options
@json_option
def connect(
    source: str,
    config: str,
    environment: str,
    *,
    dry_run: bool,
    yes: bool,
    no_input: bool,
    as_json: bool,
    **options: str | None,
) -> int:  # fmt: skip
    """Check access to a repository or an image, and write it into the file as `source`.

    SOURCE is a Git repository, or an image as in ghcr.io/team/app:1.2. For a private repository a deploy key is made;
    Coolify gets the private half, the Git host the public one, with the token in GITHUB_TOKEN, GITLAB_TOKEN,
    BITBUCKET_TOKEN or GITEA_TOKEN, or in the keyring (service coolify-flows, user git:HOST); without a token it is
    printed. Access is proved with the key before the file is written. Running it again does only what is missing.
    """
    from coolify_cli.source_connecting import Wish, connect_source, print_connected

    wish = Wish(
        source=source,
        config=config,
        environment=environment,
        branch=options["branch"],
        github_app=options["github_app"],
        key_name=options["key_name"],
        webhook_url=options["webhook_url"],
        webhook_secret_env=options["webhook_secret_env"] or "",
        git_host=options["git_host"],
        git_api=options["git_api"],
        dry_run=dry_run,
        yes=yes,
        no_input=no_input or as_json,
        quiet=as_json,
    )
    connected = asyncio.run(connect_source(wish))
    print_connected(connected, dry_run=dry_run, as_json=as_json)
    return 0


@click.command(epilog="Example: coolify source status --json")
@config_options
@json_option
def status(config: str, environment: str, *, as_json: bool) -> int:
    """Show what the source points at beside what is deployed; exit with 1 when something is wrong with it.

    Deploy key or app, webhook and automatic deployments are looked at too.
    """
    from coolify.finding import Severity, worst
    from coolify_cli.output import print_json, stdout_console

    seen, findings = asyncio.run(_look(config, environment))
    if as_json:
        print_json(_payload(seen, findings))
    else:
        _print(stdout_console(), seen, findings)
    return 1 if worst(findings).rank >= Severity.WARNING.rank else 0


async def _look(config: str, environment: str) -> tuple[SourceStatus, tuple[Finding, ...]]:
    from coolify.source.status import judge_status, read_status
    from coolify_cli.reaching import ApplicationMissingError, connection_of, find_application, load

    loaded = load(config, environment)
    source = loaded.source
    if source is None:
        raise click.UsageError(f"{loaded.path} has no section `source`: run `coolify source connect`.")
    async with connection_of(loaded).client() as client:
        try:
            application = await find_application(client, loaded)
        except ApplicationMissingError:
            application = None
        seen = await read_status(client, source, application, os.environ)
    return seen, judge_status(loaded, source, seen)


def _payload(seen: SourceStatus, findings: tuple[Finding, ...]) -> dict[str, Any]:
    return {
        "source": seen.name,
        "points_at": seen.points_at,
        "deployed": seen.serving,
        "deployed_at": seen.deployed.finished_at if seen.deployed else None,
        "private_key": seen.key.name if seen.key else None,
        "github_app": seen.app.name if seen.app else None,
        "webhook": seen.hook.url if seen.hook else None,
        "findings": [finding.model_dump(mode="json") for finding in findings],
    }


def _print(console: Console, seen: SourceStatus, findings: tuple[Finding, ...]) -> None:
    from coolify_cli.output import facts, print_findings

    pairs = (
        ("Source", seen.name),
        ("Points at", seen.points_at or "only Coolify can tell"),
        ("Deployed", seen.serving or "nothing"),
        ("Deploy key", seen.key.name if seen.key else ""),
        ("GitHub App", seen.app.name if seen.app else ""),
        ("Webhook", seen.hook.url if seen.hook else ""),
    )
    facts(console, pairs)
    print_findings(console, findings)
