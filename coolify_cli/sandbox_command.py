"""`coolify sandbox`."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping
from pathlib import Path

import click

from coolify_cli.options import json_option

__all__ = ["sandbox"]


@click.group()
def sandbox() -> None:
    """An embedded Coolify to try things out: API, DNS, certificates and edge on loopback. Not for real data."""


@sandbox.command(epilog="Example: coolify sandbox up --directory ./sandbox")
@click.option("--port", default=0, type=click.IntRange(0, 65535), help="Port of the API; a free one by default.")
@click.option(
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where its state is kept; by default it is thrown away at the end.",
)
@click.option("--version", "coolify_version", default="4.3.11", show_default=True, help="Coolify version to be.")
@json_option
def up(port: int, directory: Path | None, coolify_version: str, *, as_json: bool) -> int:
    """Start the sandbox and run until Ctrl-C."""
    from coolify_sandbox.server.settings import ServerSettings

    try:
        asyncio.run(_run(port, directory, ServerSettings(version=coolify_version), as_json=as_json))
    except KeyboardInterrupt:
        click.echo("The sandbox has ended.", err=True)
    return 0


async def _run(port: int, directory: Path | None, settings: object, *, as_json: bool) -> None:
    from coolify_sandbox.sandbox import ZONE, Sandbox
    from coolify_sandbox.server.settings import ServerSettings

    assert isinstance(settings, ServerSettings)  # noqa: S101 - made by the caller
    async with Sandbox(directory, settings, port=port) as running:
        host, dns_port = running.dns_address
        facts = {
            "url": running.url,
            "token": running.token,
            "dns": f"{host}:{dns_port}",
            "ca_file": str(running.ca_file),
            "http_port": running.edge.http_port,
            "https_port": running.edge.https_port,
            "zone": ZONE,
        }
        if as_json:
            sys.stdout.write(json.dumps(facts) + "\n")
        else:
            _print(facts)
        sys.stdout.flush()
        await asyncio.Event().wait()


def _print(facts: Mapping[str, object]) -> None:
    click.echo("The sandbox is up. Ctrl-C ends it.\n")
    for label, name in (
        ("Coolify API", "url"),
        ("API token", "token"),
        ("DNS server", "dns"),
        ("CA file", "ca_file"),
        ("HTTP port", "http_port"),
        ("HTTPS port", "https_port"),
    ):
        click.echo(f"  {label:<12} {facts[name]}")
    click.echo(f"\nEvery name below {facts['zone']} leads to its edge. In .coolify/config.yml:\n")
    click.echo(f"  server: {facts['url']}")
    click.echo("  network:")
    click.echo(f'    resolvers: ["{facts["dns"]}"]')
    click.echo(f"    ca_file: {facts['ca_file']}")
    click.echo(f"    http_port: {facts['http_port']}")
    click.echo(f"    https_port: {facts['https_port']}\n")
    click.echo(f"  export COOLIFY_TOKEN='{facts['token']}'")
