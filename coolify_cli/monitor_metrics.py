"""`coolify monitor serve` and `coolify monitor metrics`."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from coolify_cli.monitor_options import duration_of, prepared, wanted_of, watched_options
from coolify_cli.options import json_option

if TYPE_CHECKING:
    from coolify.monitor.keeper import Keeper
    from coolify.monitor.keeping import CountsFile
    from coolify.monitor.metrics import Exposed
    from tasks.recorded import PrefectRecords

__all__ = ["metrics", "serve"]

_SINCE = "6h"
_PASSWORD = "COOLIFY_PUSHGATEWAY_PASSWORD"  # noqa: S105 - the name of a variable
_STALE_FACTOR = 3
"""Intervals without a finished look after which the process calls itself unwell."""


@click.command(epilog="Example: coolify monitor metrics --prometheus http://localhost:9090 --since 2d")
@watched_options
@click.option(
    "--prometheus",
    metavar="URL",
    envvar="COOLIFY_PROMETHEUS",
    help="Prometheus that has kept them; `monitoring.prometheus` when left out. Also: COOLIFY_PROMETHEUS.",
)
@click.option("--since", metavar="DURATION", help="How far back, as in 90s, 10m, 6h or 7d; 6h when left out.")
@click.option("--metric", "only", default="", metavar="TEXT", help="Only metrics whose name has this text.")
@click.option("--now", is_flag=True, help="Measure now, also where a Prometheus is named.")
@click.option(
    "--textfile", metavar="PATH", help="Measure now and write them there, for the textfile collector of node_exporter."
)
@click.option(
    "--push",
    "gateway",
    metavar="URL",
    help="Measure now and replace what a Pushgateway has of this instance.",
)
@click.option("--instance", default="", metavar="NAME", help="Its label there; the name of this machine when left out.")
@json_option
def metrics(
    configs: tuple[str, ...],
    environment: str,
    *,
    everything: bool,
    prometheus: str | None,
    since: str | None,
    only: str,
    now: bool,
    textfile: str | None,
    gateway: str | None,
    instance: str,
    as_json: bool,
) -> int:
    """Show how metrics went in the last hours, as Prometheus has kept them; without one, measure once and print that.

    A bearer token for Prometheus is taken from COOLIFY_PROMETHEUS_TOKEN, the password for a Pushgateway, whose user is
    in its URL, from COOLIFY_PUSHGATEWAY_PASSWORD.
    """
    from coolify_cli.monitor_history import show_history, sources_of

    measured = now or textfile is not None or gateway is not None
    sources = () if measured else sources_of(prepared(configs, environment, everything=everything), prometheus)
    if sources:
        show_history(sources, duration_of(since or _SINCE), only, as_json=as_json)
        return 0
    if since is not None:
        raise click.UsageError("--since needs a Prometheus: name it with --prometheus, or as `monitoring.prometheus`.")
    keeper = _keeper(configs, environment, everything=everything)
    exposed = asyncio.run(keeper.look())
    if textfile is not None:
        _write(Path(textfile), exposed)
    if gateway is not None:
        _push(gateway, exposed, instance)
    if as_json:
        from coolify_cli.output import print_json

        print_json([one for one in _plain(exposed) if only in str(one["metric"])])
    elif textfile is None and gateway is None:
        from coolify.monitor.metrics import exposition

        click.echo(exposition(exposed).decode(), nl=False)
    return 0


def _push(gateway: str, exposed: Exposed, instance: str) -> None:
    from pydantic import SecretStr

    from coolify.monitor.push import push

    password = os.environ.get(_PASSWORD)
    push(gateway, exposed, instance, SecretStr(password) if password else None)


def _write(path: Path, exposed: Exposed) -> None:
    from coolify.errors import OperatorError
    from coolify.monitor.metrics import write_textfile

    try:
        write_textfile(path, exposed)
    except OSError as error:
        raise OperatorError(f"{path} cannot be written: {error.strerror}.") from None


def _plain(exposed: Exposed) -> list[dict[str, object]]:
    from coolify.monitor.model import Subject

    seen = [(look.subject, measure) for look in exposed.looks for one in look.observations for measure in one.measures]
    nobody = Subject(key="", coolify="")
    return [
        {
            "metric": measure.metric.value,
            "value": measure.value,
            "detail": measure.detail,
            "application": subject.application,
            "environment": subject.environment,
            "project": subject.project,
            "coolify": subject.coolify,
        }
        for subject, measure in (*seen, *((nobody, one) for one in exposed.of_prefect))
    ]


@click.command(epilog="Example: coolify monitor serve --all --context production --interval 60")
@watched_options
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=9456, show_default=True, help="Port; 0 for a free one.")
@click.option(
    "--interval", type=click.FloatRange(1), default=60.0, show_default=True, help="Seconds between two looks."
)
@click.option("--textfile", metavar="PATH", help="Write the metrics there too, after each look.")
@click.option(
    "--state",
    metavar="PATH",
    help="Keep counts in this file, so that they go on after a restart; from 0 when left out.",
)
@json_option
def serve(
    configs: tuple[str, ...],
    environment: str,
    *,
    everything: bool,
    host: str,
    port: int,
    interval: float,
    textfile: str | None,
    state: str | None,
    as_json: bool,
) -> int:
    """Look at everything again and again, and let Prometheus scrape /metrics. Runs until Ctrl-C.

    /health answers 200 while looks come to an end, for whoever watches the watcher. With --state, deployments that
    ended while nobody looked are counted by the first look, once.
    """
    from coolify.monitor.keeping import CountsFile

    file = CountsFile(Path(state)) if state is not None else None
    keeper = _keeper(configs, environment, everything=everything, counting=True, file=file)
    listener = _listen(host, port)
    url = f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}/metrics"
    click.echo(json.dumps({"metrics": url}) if as_json else f"Metrics at {url}")
    asyncio.run(_serve(keeper, listener, interval, Path(textfile) if textfile else None))
    return 0


def _keeper(
    configs: tuple[str, ...],
    environment: str,
    *,
    everything: bool,
    counting: bool = False,
    file: CountsFile | None = None,
) -> Keeper:
    from coolify.monitor.keeper import Keeper
    from coolify.monitor.look import OnRecord
    from coolify.monitor.watch import prepare

    # What is wrong with the call is told now; what becomes wrong with a file later is a problem that is shown.
    prepared(configs, environment, everything=everything)
    wanted = wanted_of(configs, environment, everything=everything)
    records = _records()
    on_record = OnRecord(proofs=records, releases=records)
    return Keeper(partial(prepare, wanted, os.environ), os.environ, on_record, records, counting=counting, file=file)


def _records() -> PrefectRecords | None:
    """Return what the Prefect server has on record, None where there is no server."""
    if "PREFECT_API_URL" not in os.environ:
        return None
    from coolify_cli.running import quiet_prefect

    quiet_prefect()
    from tasks.recorded import PrefectRecords

    return PrefectRecords()


async def _serve(keeper: Keeper, listener: socket.socket, interval: float, textfile: Path | None) -> None:
    import uvicorn
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import PlainTextResponse, Response
    from starlette.routing import Route

    from coolify.monitor.metrics import exposition

    async def answer_metrics(_: Request) -> Response:
        return Response(exposition(keeper.exposed), media_type="text/plain; version=0.0.4; charset=utf-8")

    async def answer_health(_: Request) -> Response:
        problem = keeper.trouble or _unwell(keeper.exposed, interval)
        return PlainTextResponse(problem or "ok", 503 if problem else 200)

    def keep(exposed: Exposed) -> None:
        if textfile is not None:
            _write(textfile, exposed)

    app = Starlette(routes=[Route("/metrics", answer_metrics), Route("/health", answer_health)])
    config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=3)
    server = uvicorn.Server(config)
    looking = asyncio.create_task(keeper.run(interval, keep))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    # Whichever ends first ends the process: metrics that nobody renews would look like a calm night.
    await asyncio.wait((looking, serving), return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    looking.cancel()
    outcomes = await asyncio.gather(looking, serving, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, Exception):
            raise outcome


def _unwell(exposed: Exposed, interval: float) -> str:
    """Return why this process is not to be relied on, empty where it is."""
    from datetime import UTC, datetime

    if exposed.at is None:
        return ""
    age = (datetime.now(UTC) - exposed.at).total_seconds()
    allowed = _STALE_FACTOR * max(interval, exposed.seconds) + 60
    return f"the last look ended {age:.0f} s ago" if age > allowed else ""


def _listen(host: str, port: int) -> socket.socket:
    from coolify.errors import OperatorError

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise OperatorError(
            f"{host}:{port} cannot be listened on ({error.strerror}): choose another one with --host and --port."
        ) from None
    return listener
