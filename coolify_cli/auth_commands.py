"""`coolify auth`."""

from __future__ import annotations

import asyncio
import os
import shlex
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from coolify_cli.completing import complete_context
from coolify_cli.options import context_option, json_option

if TYPE_CHECKING:
    from pydantic import SecretStr

    from coolify.api.models import Access
    from coolify.contexts import Connection, Context, TokenStorage

__all__ = ["login", "logout", "status", "use"]

_SOON_DAYS = 7.0


@click.command(epilog="Example: coolify auth login https://coolify.example.com --name production")
@click.argument("server", required=False)
@click.option("--name", metavar="NAME", help="Name of the context; the server's host name by default.")
@click.option("--token-stdin", is_flag=True, help="Read the token from standard input, for scripts.")
@click.option("--token-env", metavar="NAME", help="Keep no token: read it from this environment variable.")
@click.option("--token-command", metavar="COMMAND", help="Keep no token: read what this command prints.")
@click.option("--insecure-storage", is_flag=True, help="Keep the token in a file (0600), where there is no keyring.")
@click.option("--expires", type=click.DateTime(["%Y-%m-%d"]), help="Day on which the token expires.")
@click.option("--ca-file", type=click.Path(exists=True, dir_okay=False), help="PEM file of a private authority.")
@click.option("--prefect-api-url", metavar="URL", help="Prefect server that runs the releases of this instance.")
@click.option("--no-input", is_flag=True, help="Never ask, for scripts.")
@json_option
def login(
    server: str | None,
    name: str | None,
    token_env: str | None,
    token_command: str | None,
    expires: datetime | None,
    ca_file: str | None,
    prefect_api_url: str | None,
    *,
    token_stdin: bool,
    insecure_storage: bool,
    no_input: bool,
    as_json: bool,
) -> int:
    """Check an address and a token, and remember them as a context.

    Address, certificate, version, team and abilities are checked with requests that change nothing. The token goes into
    the keyring of the operating system, and never into a configuration file.
    """
    from coolify.contexts import Context, ContextStore, TokenStorage

    if sum(map(bool, (token_stdin, token_env, token_command))) > 1:
        raise click.UsageError("--token-stdin, --token-env and --token-command exclude each other.")
    if not server and no_input:
        raise click.UsageError("Name the server, as in `coolify auth login https://coolify.example.com`.")
    address = _checked(server or click.prompt("Address of Coolify, as in https://coolify.example.com", err=True))
    context = Context(
        name=name or urlsplit(address).hostname or "default",
        server=address,
        storage=_storage(token_env, token_command, insecure=insecure_storage),
        variable=token_env,
        command=tuple(shlex.split(token_command)) if token_command else (),
        expires=expires.replace(tzinfo=UTC) if expires else None,
        ca_file=str(Path(ca_file).resolve()) if ca_file else None,
        prefect_api_url=prefect_api_url,
    )
    store = ContextStore.open(os.environ)
    keeps = context.storage in {TokenStorage.KEYRING, TokenStorage.FILE}
    token, access = _authenticate(context, store.directory, keeps=keeps, from_stdin=token_stdin, no_input=no_input)
    if token is not None:
        from coolify.contexts import keep_token

        keep_token(context, store.directory, token)
    store.put(context)
    _tell(context, access, as_json=as_json)
    return 0


@click.command(epilog="Example: coolify auth status --all")
@click.option("--all", "every", is_flag=True, help="List all contexts, without asking their servers.")
@context_option
@json_option
def status(*, every: bool, as_json: bool) -> int:
    """Show server, version, team and abilities of the token.

    The instance is the one of --context, of the configuration file here, or of the current context.
    """
    if every:
        return _list_contexts(as_json=as_json)
    from coolify_cli.reaching import reachable

    connection = reachable(".coolify/config.yml")
    access = asyncio.run(_access(connection))
    payload = _payload(connection.server, connection.context, connection.expires, access)
    if as_json:
        from coolify_cli.output import print_json

        print_json(payload)
    else:
        _print_status(payload)
    return 0


@click.command(epilog="Example: coolify auth logout staging")
@click.argument("name", required=False, shell_complete=complete_context)
@json_option
def logout(name: str | None, *, as_json: bool) -> int:
    """Forget a context and its token, the current one by default. The token itself stays valid in Coolify."""
    from coolify.contexts import ContextError, ContextStore, forget_token

    store = ContextStore.open(os.environ)
    context = store.get(name) if name else store.current
    if context is None:
        raise ContextError("There is no context to forget: name one of `coolify auth status --all`.")
    forget_token(context, store.directory)
    store.remove(context.name)
    if as_json:
        from coolify_cli.output import print_json

        print_json({"context": context.name, "server": context.server})
    else:
        click.echo(f"Forgot {context.name}. The token is still valid: revoke it at {_token_page(context.server)}.")
    return 0


@click.command(epilog="Example: coolify auth use staging")
@click.argument("name", shell_complete=complete_context)
@json_option
def use(name: str, *, as_json: bool) -> int:
    """Make a context the current one."""
    from coolify.contexts import ContextStore

    context = ContextStore.open(os.environ).use(name)
    if as_json:
        from coolify_cli.output import print_json

        print_json({"context": context.name, "server": context.server})
    else:
        click.echo(f"The current context is {context.name} ({context.server}).")
    return 0


def _checked(server: str) -> str:
    from pydantic import TypeAdapter, ValidationError

    from coolify.config.fields import ServerUrl

    try:
        address: str = TypeAdapter(ServerUrl).validate_python(server.strip())
    except ValidationError as error:
        reason = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise click.UsageError(f"The address '{server}': {reason}") from None
    return address


def _storage(variable: str | None, command: str | None, *, insecure: bool) -> TokenStorage:
    from coolify.contexts import TokenStorage, has_keyring

    if variable:
        return TokenStorage.ENVIRONMENT
    if command:
        return TokenStorage.COMMAND
    if insecure:
        click.echo("Warning: the token will lie in a file that this account, and who becomes it, can read.", err=True)
        return TokenStorage.FILE
    if has_keyring():
        return TokenStorage.KEYRING
    raise click.UsageError(
        "There is no keyring on this machine to keep the token. Name an environment variable that holds it "
        "(--token-env COOLIFY_TOKEN), a command that prints it (--token-command 'pass show coolify'), or accept a file "
        "(--insecure-storage)."
    )


def _authenticate(
    context: Context, directory: Path, *, keeps: bool, from_stdin: bool, no_input: bool
) -> tuple[SecretStr | None, Access]:
    """Return a token that works, None where the context keeps none, and what it may do."""
    from coolify.api import AuthenticationError, StaticToken
    from coolify.contexts import Connection, token_source

    asks = keeps and not from_stdin and not no_input
    while True:
        token = _read_token(context, from_stdin=from_stdin, asks=asks) if keeps else None
        source = StaticToken(token) if token is not None else token_source(context, directory)
        ca_file = Path(context.ca_file) if context.ca_file else None
        try:
            return token, asyncio.run(_access(Connection(context.server, source, ca_file, context.expires, context)))
        except AuthenticationError as error:
            # The declared decision about a failed authentication: retry or abort.
            if not asks:
                raise
            click.echo(f"{error}", err=True)
            click.confirm("Try another token", default=True, abort=True, err=True)


def _read_token(context: Context, *, from_stdin: bool, asks: bool) -> SecretStr:
    from pydantic import SecretStr

    if from_stdin:
        text = sys.stdin.readline()
    elif asks:
        click.echo(
            f"Create a token with read, read:sensitive, write and deploy: {_token_page(context.server)}", err=True
        )
        text = click.prompt("Token", hide_input=True, err=True)
    else:
        raise click.UsageError("Give the token with --token-stdin, --token-env or --token-command.")
    if not text.strip():
        raise click.UsageError("The token is empty.")
    return SecretStr(text.strip())


async def _access(connection: Connection) -> Access:
    async with connection.client() as client:
        return await client.access()


def _token_page(server: str) -> str:
    return f"{server}/security/api-tokens"


def _payload(server: str, context: Context | None, expires: datetime | None, access: Access) -> dict[str, Any]:
    from coolify.api.models import Ability

    return {
        "context": context.name if context else None,
        "server": server,
        "version": str(access.version),
        "team": access.team.name,
        "abilities": sorted(ability.value for ability in access.abilities),
        "missing": [ability.value for ability in Ability if access.lacks(ability)],
        "unknown": sorted(ability.value for ability in access.unknown),
        "storage": context.storage.value if context else "configuration",
        "expires": expires.isoformat() if expires else None,
        "days_left": round((expires - datetime.now(UTC)).total_seconds() / 86400, 1) if expires else None,
    }


def _tell(context: Context, access: Access, *, as_json: bool) -> None:
    from coolify_cli.output import print_json

    payload = _payload(context.server, context, context.expires, access)
    if as_json:
        print_json(payload)
    else:
        click.echo(f"Logged in to {context.server} as context {context.name}.")
        _print_status(payload)


def _print_status(payload: dict[str, Any]) -> None:
    from coolify_cli.output import facts, stdout_console

    console = stdout_console()
    days = payload["days_left"]
    facts(
        console,
        (
            ("Context", payload["context"] or ""),
            ("Server", f"{payload['server']} (Coolify {payload['version']})"),
            ("Team", payload["team"]),
            ("Abilities", ", ".join(payload["abilities"])),
            ("Token", f"from the {payload['storage']}"),
            ("Expires", _expiry(days)),
        ),
    )
    if payload["missing"]:
        console.print(f"[yellow]! A release also needs {', '.join(payload['missing'])}.[/]", highlight=False)
    if payload["unknown"]:
        console.print(f"[dim]  Not to be found out here: {', '.join(payload['unknown'])}.[/]", highlight=False)
    if days is not None and days < _SOON_DAYS:
        told = "has expired" if days < 0 else f"expires {_expiry(days)}"
        console.print(f"[yellow]! The token {told}: create a new one and log in again.[/]", highlight=False)


def _expiry(days: float | None) -> str:
    from coolify.wording import counted

    if days is None:
        return "unknown: set it with --expires at login"
    return f"{counted(-int(days), 'day')} ago" if days < 0 else f"in {counted(int(days), 'day')}"


def _list_contexts(*, as_json: bool) -> int:
    from coolify.contexts import ContextStore
    from coolify_cli.output import make_table, print_json, stdout_console

    store = ContextStore.open(os.environ)
    current = store.current.name if store.current else None
    if as_json:
        shown = [one.model_dump(mode="json") | {"current": one.name == current} for one in store.contexts]
        print_json(shown)
    elif not store.contexts:
        click.echo("There is no context yet: run `coolify auth login`.")
    else:
        rows = [("*" if one.name == current else "", one.name, one.server, one.storage.value) for one in store.contexts]
        stdout_console().print(make_table("", "Context", "Server", "Token from", rows=rows))
    return 0
