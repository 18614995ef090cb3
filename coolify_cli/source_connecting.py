"""The steps of `coolify source connect`, each harmless to repeat."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING

import click
from pydantic import SecretStr

from coolify.config import Config, Edit, GitHostKind, Source, edit_config
from coolify.config.writer import Key, Plain
from coolify.finding import Finding, Severity
from coolify.githosts import (
    GitHost,
    HookAction,
    decide_hook,
    ensure_hook,
    ensure_key,
    find_hook,
    kind_of_host,
    open_git_host,
    token_names,
)
from coolify.source import GitPrivateError
from coolify.source.address import GitAddress
from coolify.source.connect import (
    ConnectError,
    KeyAtCoolify,
    check_app,
    ensure_key_at_coolify,
    is_image,
    key_name,
    read_publicly,
    read_with_key,
    written_address,
)
from coolify.webhooks.route import hook_address
from coolify_cli.options import confirm
from coolify_cli.reaching import ApplicationMissingError, connection_of, find_application, load

if TYPE_CHECKING:
    from coolify.api import CoolifyClient

__all__ = ["Connected", "Wish", "connect_source", "print_connected"]

_OWN_KEYS = ("repository", "branch", "commit", "private_key", "github_app", "webhook", "image", "tag", "dockerfile")


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for on the command line."""

    source: str
    config: str
    environment: str
    branch: str | None
    github_app: str | None
    key_name: str | None
    webhook_url: str | None
    webhook_secret_env: str
    git_host: str | None
    git_api: str | None
    dry_run: bool
    yes: bool
    no_input: bool
    quiet: bool


@dataclass(frozen=True, slots=True)
class Connected:
    """What is so now."""

    kind: str
    """`public`, `deploy-key`, `github-app` or `image`."""
    source: str
    branch: str | None = None
    points_at: str | None = None
    """Commit or digest that was seen; None where it could not be."""
    private_key: str | None = None
    key_created: bool = False
    public_key: str | None = None
    key_at_host: str | None = None
    """`added`, `present`, or None where nobody asked the host."""
    github_app: str | None = None
    webhook: HookAction | None = None
    """What was done about the webhook, None where none was asked for."""
    webhook_secret: SecretStr | None = field(default=None, repr=False)
    """Generated for a new webhook; shown once."""
    webhook_secret_env: str | None = None
    """Variable in which the receiver and the next run expect it."""
    auto_deploy_switched_off: bool = False
    edits: tuple[Edit, ...] = ()
    findings: tuple[Finding, ...] = ()
    """What the API cannot change about the application that is there already."""


async def connect_source(wish: Wish) -> Connected:
    """Check access, bring about what is missing, and write the file once access is proved.

    Raises:
        OperatorError: Access cannot be had; the file is as it was.
        click.UsageError: The call contradicts itself, or needs an answer that it may not ask for.
    """
    config = load(wish.config, wish.environment)
    if is_image(wish.source):
        return await _connect_image(wish, config)
    address = written_address(wish.source)
    branch = wish.branch or (config.source.branch if config.source else "main")
    wish = _with_route(wish, address)
    host = _host_for_webhook(wish, address)
    try:
        async with connection_of(config).client() as client:
            connected, values = await _connect_repository(wish, config, address, branch, client)
            if wish.webhook_url is not None:
                values["webhook"] = _webhook_section(wish)
            edits = _write(wish, config, values)
            connected = replace(connected, edits=edits)
            if not wish.dry_run:
                connected = await _settle_application(load(wish.config, wish.environment), client, connected)
        # Last, so that nothing can fail between making a secret and showing it.
        return await _connect_webhook(wish, host, connected) if host is not None else connected
    finally:
        if host is not None:
            await host.aclose()


async def _connect_image(wish: Wish, config: Config) -> Connected:
    from coolify.source.image import check_image

    if wish.webhook_url or wish.github_app or wish.branch:
        raise click.UsageError("--branch, --github-app and --webhook-url are of use with a repository only.")
    name, _, tag = wish.source.rpartition(":")
    has_tag = bool(name) and "/" not in tag and "@" not in wish.source
    values: dict[str, Plain] = {"image": name, "tag": tag} if has_tag else {"image": wish.source}
    login = config.source.registry if config.source else None
    seen = await check_image(Source.model_validate({**values, "registry": login}), os.environ)
    if seen.finding.severity is Severity.ERROR:
        raise ConnectError(f"{seen.finding.summary} {seen.finding.remedy}")
    if seen.finding.severity is Severity.WARNING and not wish.dry_run:
        confirm(f"{seen.finding.summary} Write it all the same", yes=wish.yes, no_input=wish.no_input)
    return Connected("image", wish.source, points_at=seen.digest, edits=_write(wish, config, values))


async def _connect_repository(
    wish: Wish, config: Config, address: GitAddress, branch: str, client: CoolifyClient
) -> tuple[Connected, dict[str, Plain]]:
    values: dict[str, Plain] = {"repository": address.text, "branch": branch}
    if wish.github_app is not None:
        app = await check_app(client, wish.github_app, address, branch)
        return Connected("github-app", address.text, branch, github_app=app), {**values, "github_app": app}
    head = None if wish.key_name else await read_publicly(address, branch)
    if head is not None:
        return Connected("public", address.text, branch, head.commit), values
    return await _connect_with_key(wish, config, address.over_ssh(), branch, client)


async def _connect_with_key(
    wish: Wish, config: Config, address: GitAddress, branch: str, client: CoolifyClient
) -> tuple[Connected, dict[str, Plain]]:
    if not address.is_ssh:
        raise ConnectError(
            f"{address.text} cannot be read, and a deploy key works over ssh only: name its ssh address."
        )
    named = config.source.private_key if config.source and config.source.repository == address.coolify else None
    name = wish.key_name or named or key_name(address)
    values: dict[str, Plain] = {"repository": address.coolify, "branch": branch, "private_key": name}
    connected = Connected("deploy-key", address.coolify, branch, private_key=name)
    if wish.dry_run:
        return connected, values
    key = await ensure_key_at_coolify(client, name, "coolify")
    connected = replace(connected, key_created=key.created, public_key=key.public)
    return await _give_access(wish, address, branch, key, connected), values


async def _give_access(
    wish: Wish, address: GitAddress, branch: str, key: KeyAtCoolify, connected: Connected
) -> Connected:
    """Bring the public half to the Git host, and prove that it is enough."""
    host = open_git_host(address, _kind(wish), wish.git_api, os.environ)
    at_host = None
    if host is not None:
        try:
            at_host = "added" if await ensure_key(host, connected.private_key or "", key.public) else "present"
        finally:
            await host.aclose()
    while True:
        try:
            head = await read_with_key(address, branch, key.private)
        except GitPrivateError as error:
            if at_host is not None:
                raise ConnectError(f"The Git host has the key, and yet: {error}") from None
            _ask_for_key(wish, address, key)
        else:
            return replace(connected, points_at=head.commit, key_at_host=at_host)


def _ask_for_key(wish: Wish, address: GitAddress, key: KeyAtCoolify) -> None:
    """Show the public half and wait until somebody has added it.

    Raises:
        ConnectError: Nobody is there to ask.
    """
    told = f"Add this deploy key to {address.name} (read access is enough):\n\n{key.public}\n"
    if wish.no_input or wish.yes:
        kind = _kind(wish) or kind_of_host(address.host)
        variable = f" or set {token_names(kind)[0]}," if kind else ""
        raise ConnectError(f"{told}\nThen{variable} and run this again: the key stays in Coolify.")
    click.echo(told, err=True)
    click.confirm("Is it added", abort=True, default=True, err=True)


def _with_route(wish: Wish, address: GitAddress) -> Wish:
    """Complete the receiver's address by the route of this kind of host, where it was written without a path."""
    kind = _kind(wish) or kind_of_host(address.host)
    if wish.webhook_url is None or kind is None:
        return wish
    return replace(wish, webhook_url=hook_address(wish.webhook_url, kind.value))


def _host_for_webhook(wish: Wish, address: GitAddress) -> GitHost | None:
    """Return the host that gets the webhook, None where none is wanted; found out before anything changes."""
    if wish.webhook_url is None:
        return None
    kind = _kind(wish) or kind_of_host(address.host)
    if kind is None:
        raise click.UsageError(f"What {address.host or address.text} runs is unknown: name it with --git-host.")
    host = open_git_host(address, kind, wish.git_api, os.environ)
    if host is None:
        raise click.UsageError(
            f"A webhook needs a token of {address.host}: run `export {token_names(kind)[0]}=...`, or keep it with "
            f"`keyring set coolify-flows git:{address.host}`."
        )
    return host


async def _connect_webhook(wish: Wish, host: GitHost, connected: Connected) -> Connected:
    url = wish.webhook_url or ""
    given = os.environ.get(wish.webhook_secret_env)
    connected = replace(connected, webhook_secret_env=wish.webhook_secret_env)
    if wish.dry_run:
        return replace(connected, webhook=decide_hook(await find_hook(host, url), has_secret=bool(given)))
    generated = SecretStr(secrets.token_urlsafe(32))
    action = await ensure_hook(host, url, SecretStr(given) if given else None, generated)
    return replace(connected, webhook=action, webhook_secret=generated if action == "created" and not given else None)


def _webhook_section(wish: Wish) -> dict[str, Plain]:
    given: dict[str, Plain] = {"url": wish.webhook_url, "host": wish.git_host, "api": wish.git_api}
    return {name: value for name, value in given.items() if value is not None}


def _write(wish: Wish, config: Config, values: dict[str, Plain]) -> tuple[Edit, ...]:
    """Write the section; what belongs to another kind of source goes, everything else stays."""
    overlaid = wish.environment and wish.environment in config.environment_names
    above: tuple[Key, ...] = ("environments", wish.environment) if overlaid else ()
    kept = {"webhook"} if "repository" in values else {"registry"}
    whole = {(*above, "source", name): values.get(name) for name in _OWN_KEYS if name in values or name not in kept}
    if "registry" not in kept:
        whole[(*above, "source", "registry")] = None
    return edit_config(config.path, whole, environment=wish.environment or None, dry_run=wish.dry_run)


async def _settle_application(config: Config, client: CoolifyClient, connected: Connected) -> Connected:
    """Leave deployments to the pipeline, where there is an application already, and tell what does not fit it."""
    from coolify.api import ApplicationSettings
    from coolify.source.origin import check_origin

    try:
        application = await find_application(client, config)
    except ApplicationMissingError:
        return connected
    if config.source is not None:
        connected = replace(connected, findings=await check_origin(client, config.source, application))
    if config.release.auto_deploy or application.raw.get("is_auto_deploy_enabled") is False:
        return connected
    await client.applications.update(application.uuid, ApplicationSettings(is_auto_deploy_enabled=False))
    return replace(connected, auto_deploy_switched_off=True)


def _kind(wish: Wish) -> GitHostKind | None:
    return GitHostKind(wish.git_host) if wish.git_host else None


def print_connected(connected: Connected, *, dry_run: bool, as_json: bool) -> None:
    """Print what is so now."""
    secret = connected.webhook_secret.get_secret_value() if connected.webhook_secret else None
    if as_json:
        from coolify_cli.output import print_json

        edits = [{"path": one.path, "before": one.before, "after": one.after} for one in connected.edits]
        findings = [finding.model_dump(mode="json") for finding in connected.findings]
        shown = {name: value for name, value in asdict(connected).items() if name != "edits"}
        told = {"webhook_secret": secret, "changed": edits, "findings": findings, "dry_run": dry_run}
        print_json({**shown, **told})
        return
    from coolify_cli.config_commands import print_edits

    for line in _told(connected, dry_run=dry_run):
        click.echo(f"✓ {line}")
    print_edits(connected.edits, dry_run=dry_run, as_json=False)
    if connected.findings:
        from coolify_cli.output import print_findings, stdout_console

        print_findings(stdout_console(), connected.findings)
    if secret is not None:
        click.echo("\nThe webhook's secret, shown this once; the receiver needs it:\n")
        click.echo(f"  export {connected.webhook_secret_env}={secret}")
    elif connected.webhook == "unchanged":
        click.echo(
            f"The webhook keeps its secret. Where nobody has it, set {connected.webhook_secret_env} to a new one "
            "and run this again."
        )


def _told(connected: Connected, *, dry_run: bool) -> Iterator[str]:
    if connected.points_at is not None:
        branch = f" ({connected.branch})" if connected.branch else ""
        yield f"{connected.source}{branch} is at {connected.points_at}"
    if connected.github_app is not None:
        yield f"the GitHub App {connected.github_app} reads {connected.source} ({connected.branch})"
    if connected.private_key is not None:
        done = "would be used" if dry_run else "made" if connected.key_created else "used"
        at_host = f", {connected.key_at_host} at the Git host" if connected.key_at_host else ""
        yield f"deploy key '{connected.private_key}' {done}{at_host}"
    if connected.webhook is not None:
        yield f"webhook {'would be ' if dry_run else ''}{connected.webhook}"
    if connected.auto_deploy_switched_off:
        yield "Coolify's own deployments on a push switched off: the pipeline deploys"
