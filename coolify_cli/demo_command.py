"""`coolify demo`."""

from __future__ import annotations

import asyncio
import sys

import click

from coolify_cli.options import json_option

__all__ = ["demo"]


@click.command(epilog="Example: coolify demo --keep")
@click.option("--keep", is_flag=True, help="Leave everything running at the end, with Prefect's UI, until Ctrl-C.")
@json_option
def demo(*, keep: bool, as_json: bool) -> int:
    """Watch three releases and a rollback in the sandbox.

    Starts an embedded Coolify and Prefect on loopback, then releases a small application: a first version, a second
    one, and a broken one that is rolled back. Every outcome is observed over HTTPS.
    """
    from coolify_cli.demo import run_demo

    try:
        return asyncio.run(run_demo(keep=keep, as_json=as_json))
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted; everything that was started has been ended.\n")
        return 130
