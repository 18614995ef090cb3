"""The main job in the sandbox, from beginning to end, with outcomes that are observed and not reported."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import ssl
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import httpx
from rich.console import Console
from rich.rule import Rule

from coolify.release.record import Outcome
from coolify_cli.console import ProgressPrinter, print_report
from coolify_cli.failures import EXIT_FAILURE, EXIT_OK
from coolify_cli.prefect_server import PrefectServer, deliver_logs, run_prefect_server
from coolify_sandbox.samples import SampleRepository
from coolify_sandbox.sandbox import Sandbox

if TYPE_CHECKING:
    from coolify.release.report import ReleaseReport

__all__ = ["run_demo"]

_HOST: Final = "shop.sandbox.test"

_CONFIG: Final = """\
# The whole application in one file; see docs/configuration.md.
server: {url}
auth:
  token: ${{COOLIFY_TOKEN}}
project:
  name: demo shop
application:
  name: shop
source:
  repository: {repository}
  branch: main
build:
  start_command: {start_command}
domains:
  - primary: {host}
    ssl: true
env:
  GREETING: {greeting}
health:
  path: /health
  successes: 3
  interval: 0.5
  failures_allowed: 5
  deadline: 30
  container: {{interval: 1, retries: 5, start_period: 1}}
network:
  resolvers: ["{dns}"]
  ca_file: {ca_file}
  http_port: {http_port}
  https_port: {https_port}
"""


@dataclass(frozen=True)
class _Chapter:
    """One release of the demonstration, and what must be seen after it."""

    title: str
    version: str
    greeting: str
    broken: bool
    outcome: Outcome
    served_version: str
    served_greeting: str


_STORY: Final = (
    _Chapter("First release", "1.0.0", "Hello", False, Outcome.COMPLETED, "1.0.0", "Hello"),
    _Chapter("Second release", "1.1.0", "Good morning", False, Outcome.COMPLETED, "1.1.0", "Good morning"),
    _Chapter("A broken release", "2.0.0", "Ahoy", True, Outcome.ROLLED_BACK, "1.1.0", "Good morning"),
)


@dataclass(frozen=True)
class _Result:
    """What happened in a chapter."""

    version: str
    outcome: str
    expected_outcome: str
    served_version: str
    served_page: str
    observed: bool
    """Whether outcome, version and page are what they must be, seen over HTTPS through the edge."""
    reason: str
    seconds: float


@dataclass(frozen=True)
class _Stage:
    sandbox: Sandbox
    prefect: PrefectServer
    repository: SampleRepository
    directory: Path

    @property
    def config(self) -> Path:
        return self.repository.path / ".coolify" / "config.yml"


async def run_demo(*, keep: bool, as_json: bool) -> int:
    """Run the demonstration and return the exit code: 0 only if every outcome was observed."""
    console = Console(stderr=as_json, quiet=as_json)
    started = time.monotonic()
    async with _stage(console) as stage:
        from coolify_cli.history_command import load_history, print_history

        results = [await _play(stage, chapter, console) for chapter in _STORY]
        records = await load_history(str(stage.config), "")
        console.print(Rule("History"))
        print_history(console, records)
        good = all(result.observed for result in results)
        _print_summary(console, results, time.monotonic() - started)
        if as_json:
            _print_json(results, stage, good=good, seconds=time.monotonic() - started)
        if keep:
            await _stay(console, stage)
    return EXIT_OK if good else EXIT_FAILURE


@contextlib.asynccontextmanager
async def _stage(console: Console) -> AsyncIterator[_Stage]:
    """Start Coolify, DNS, edge and Prefect; end them all, whatever happens."""
    directory = Path(tempfile.mkdtemp(prefix="coolify-demo-"))
    try:
        async with (
            run_prefect_server(directory / "prefect") as prefect,
            Sandbox(directory / "sandbox") as sandbox,
        ):
            with console.status("Starting an embedded Coolify and Prefect …"):
                # Before Prefect is imported: it reads its settings once.
                os.environ.update(prefect.environment)
                os.environ["COOLIFY_TOKEN"] = sandbox.token
                # Importing Prefect takes seconds, as its server does to start: side by side.
                await asyncio.to_thread(_import_flows)
                await prefect.ready()
            try:
                yield _Stage(sandbox, prefect, SampleRepository(directory / "shop"), directory)
            finally:
                await deliver_logs()
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _import_flows() -> None:
    from coolify_cli.running import quiet_prefect

    quiet_prefect()
    import flows.release  # noqa: F401


async def _play(stage: _Stage, chapter: _Chapter, console: Console) -> _Result:
    """Commit a version, release it, and look what visitors get."""
    from coolify_cli.running import execute
    from flows.release import ReleaseRequest, release
    from tasks.session import Target

    console.print(Rule(f"{chapter.title}: version {chapter.version}"))
    stage.repository.commit(chapter.version, broken=chapter.broken)
    _write_config(stage, chapter)
    request = ReleaseRequest(target=Target(config=str(stage.config)))
    printer = ProgressPrinter(console)
    started = time.monotonic()
    try:
        report: ReleaseReport = await execute(lambda: release(request, return_state=True), printer)
    finally:
        printer.close()
    print_report(console, report)
    version, page = await _visit(stage, "/version"), await _visit(stage, "/")
    observed = (
        report.outcome is chapter.outcome
        and version == chapter.served_version
        and f"{chapter.served_greeting} from version {chapter.served_version}" in page
    )
    style, symbol = ("green", "✓") if observed else ("red", "✗")
    console.print(f"[{style}]{symbol} https://{_HOST}/version answers {version}[/]", highlight=False)
    return _Result(
        version=chapter.version,
        outcome=report.outcome.value,
        expected_outcome=chapter.outcome.value,
        served_version=version,
        served_page=page,
        observed=observed,
        reason=report.reason,
        seconds=round(time.monotonic() - started, 1),
    )


def _write_config(stage: _Stage, chapter: _Chapter) -> None:
    host, port = stage.sandbox.dns_address
    stage.config.parent.mkdir(exist_ok=True)
    stage.config.write_text(
        _CONFIG.format(
            url=stage.sandbox.url,
            repository=stage.repository.path,
            start_command=SampleRepository.START_COMMAND,
            host=_HOST,
            greeting=chapter.greeting,
            dns=f"{host}:{port}",
            ca_file=stage.sandbox.ca_file,
            http_port=stage.sandbox.edge.http_port,
            https_port=stage.sandbox.edge.https_port,
        )
    )


async def _visit(stage: _Stage, path: str) -> str:
    """Ask the edge as a browser would, with the certificate verified; return the text or what went wrong."""
    context = ssl.create_default_context(cafile=str(stage.sandbox.ca_file))
    try:
        async with httpx.AsyncClient(verify=context, trust_env=False) as client:
            answer = await client.get(
                f"https://127.0.0.1:{stage.sandbox.edge.https_port}{path}",
                headers={"Host": _HOST},
                extensions={"sni_hostname": _HOST},
            )
    except httpx.HTTPError as error:
        return f"({error})"
    return answer.text.strip() if answer.is_success else f"({answer.status_code} {answer.text.strip()})"


def _print_summary(console: Console, results: list[_Result], seconds: float) -> None:
    console.print()
    good = sum(result.observed for result in results)
    style = "bold green" if good == len(results) else "bold red"
    console.print(f"[{style}]{good} of {len(results)} outcomes observed over HTTPS[/] in {seconds:.0f} s")


def _print_json(results: list[_Result], stage: _Stage, *, good: bool, seconds: float) -> None:
    document: dict[str, Any] = {
        "ok": good,
        "seconds": round(seconds, 1),
        "releases": [asdict(result) for result in results],
        # Of use with --keep only.
        "prefect_ui": stage.prefect.url,
        "coolify_api": stage.sandbox.url,
    }
    sys.stdout.write(json.dumps(document, indent=2) + "\n")
    sys.stdout.flush()


async def _stay(console: Console, stage: _Stage) -> None:
    console.print(f"\nPrefect UI   {stage.prefect.url}")
    console.print(f"Coolify API  {stage.sandbox.url} (token {stage.sandbox.token})")
    console.print(f"Application  https://{_HOST}:{stage.sandbox.edge.https_port} (CA {stage.sandbox.ca_file})")
    console.print(f"Directory    {stage.directory}")
    console.print("Ctrl-C ends everything.")
    await asyncio.Event().wait()
