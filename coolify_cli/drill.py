"""A disaster recovery drill: an application and its databases are built in the sandbox, deleted, and brought back.

Everything happens on this machine. The real configuration is read, dumps are fetched from the real buckets, and nothing
else of the real world is touched: Coolify, Prefect, DNS and proxy are those of the drill, end with it, and the flows
run only after the configuration of the drill was seen to lead to them.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from coolify.backup.choosing import Chosen, choose_object, newest_object
from coolify.backup.decrypting import decrypted
from coolify.backup.drill import DrillStage, drill_document, drill_environment, host_of, left_out
from coolify.backup.dumps import DumpFormat, recognise
from coolify.backup.survey import bucket_of, chosen_databases
from coolify.config import Config, load_config
from coolify.contexts import ContextStore, connection_for
from coolify.engines import DatabaseEngine
from coolify.errors import OperatorError
from coolify.finding import Finding
from coolify.wording import counted
from coolify_cli.deleting import delete_project, find_project, resources_of
from coolify_cli.prefect_server import PrefectServer, deliver_logs, run_prefect_server
from coolify_sandbox.sandbox import Sandbox
from coolify_sandbox.server.settings import ServerSettings

if TYPE_CHECKING:
    from coolify.backup.engines import Connection
    from coolify.release.report import ReleaseReport

__all__ = ["Drill", "DrillFailedError", "DrillStep", "DrilledDump", "lost_seconds", "run_drill"]

_CONTEXT: Final = "COOLIFY_CONTEXT"


class DrillFailedError(OperatorError):
    """A step of the recovery did not succeed."""


@dataclass(frozen=True, slots=True)
class DrillStep:
    """One step, timed."""

    name: str
    seconds: float
    good: bool
    recovery: bool
    """Whether it counts for the recovery; preparing and deleting do not."""
    note: str = ""


@dataclass(frozen=True, slots=True)
class DrilledDump:
    """A dump that was brought back."""

    database: str
    engine: DatabaseEngine
    place: str
    made: datetime | None
    size: int
    path: Path
    in_sandbox: bool
    """Whether it was restored into the database of the drill; others are proved in a scratch server."""


@dataclass
class Drill:
    """What came of it."""

    steps: list[DrillStep] = field(default_factory=list)
    dumps: list[DrilledDump] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    left_out: tuple[str, ...] = ()

    @property
    def good(self) -> bool:
        """Whether everything came back and is what it must be."""
        return (
            bool(self.steps)
            and all(one.good for one in self.steps)
            and not any(one.is_problem for one in self.findings)
        )

    @property
    def recovery_seconds(self) -> float:
        """Time from the decision to recover until the application was proved healthy with its data."""
        return sum(one.seconds for one in self.steps if one.recovery)

    @property
    def oldest_data(self) -> datetime | None:
        """When the oldest of the dumps was made: what was written after it would be lost."""
        return min((one.made for one in self.dumps if one.made), default=None)


@dataclass(frozen=True)
class _Stage:
    """The world of the drill."""

    sandbox: Sandbox
    facts: DrillStage
    directory: Path

    @property
    def config(self) -> Path:
        return self.directory / ".coolify" / "config.yml"


Told = Callable[[DrillStep], None]


async def run_drill(
    config: Config,
    *,
    database: str = "",
    key: str = "",
    repository: str = "",
    with_application: bool = True,
    told: Told = lambda _: None,
) -> Drill:
    """Carry out a drill.

    Args:
        config: The real configuration; what it names is read and never written.
        database: One database instead of all that are backed up.
        key: Object to restore into it instead of the newest.
        repository: What to build the application from instead of the repository that holds the configuration.
        with_application: Whether the application is built and proved too.
        told: Hears of each step when it is over.

    Returns:
        What came of it; a step that failed is the last one.
    """
    drill = Drill(left_out=left_out(config))
    directory = Path(tempfile.mkdtemp(prefix="coolify-drill-"))
    try:
        with contextlib.suppress(DrillFailedError):
            async with _step(drill, told, "fetch the dumps", recovery=True) as done:
                drill.dumps = await _fetch(config, database, key, directory)
                size = counted(sum(one.size for one in drill.dumps), "byte")
                done(f"{counted(len(drill.dumps), 'dump')}, {size}")
            async with contextlib.AsyncExitStack() as stack:
                async with _step(drill, told, "start a Coolify of our own", recovery=False):
                    stage = await stack.enter_async_context(_stage(config, repository, directory))
                await _rebuild(stage, config, drill, told, with_application, recovery=False)
                async with _step(drill, told, "delete everything, data included", recovery=False) as done:
                    done(await _lose(stage, config))
                await _rebuild(stage, config, drill, told, with_application, recovery=True)
    finally:
        # Dumps of real data lie there.
        shutil.rmtree(directory, ignore_errors=True)
    return drill


async def _fetch(config: Config, database: str, key: str, directory: Path) -> list[DrilledDump]:
    keys = chosen_databases(config, database)
    if not keys:
        raise OperatorError(f"{config.path}: `backups` names no database: there is nothing that could be restored.")
    fetched = []
    for one in keys:
        engine = config.databases[one].engine
        chosen = await (choose_object(config, os.environ, key) if key else newest_object(config, os.environ, one))
        path = directory / f"{one}.dump"
        seconds = config.backups.proof_of(one).timeout
        size = await asyncio.to_thread(_write, config, chosen, path, time.monotonic() + seconds)
        async with decrypted(path, config.backups.proof_of(one).decrypt) as plain:
            dump = await asyncio.to_thread(recognise, plain)
        runs = engine is DatabaseEngine.POSTGRESQL and dump.format is DumpFormat.POSTGRESQL_CUSTOM
        fetched.append(DrilledDump(one, engine, chosen.place, chosen.made, size, path, runs))
    return fetched


def _write(config: Config, chosen: Chosen, path: Path, deadline: float) -> int:
    bucket = bucket_of(config, config.backups.storages[chosen.storage or ""], os.environ)
    return bucket.fetch(chosen.place, path, deadline=deadline).size


@contextlib.asynccontextmanager
async def _stage(config: Config, repository: str, directory: Path) -> AsyncIterator[_Stage]:
    """Start Coolify, DNS, edge and Prefect of the drill; end them all, whatever happens."""
    source = repository or _repository(config)
    # Nobody else asks this Coolify: a limit of requests would only make the drill wait.
    unlimited = ServerSettings(rate_limit=10**6)
    async with (
        run_prefect_server(directory / "prefect") as prefect,
        Sandbox(directory / "sandbox", unlimited) as sandbox,
    ):
        _enter(prefect)
        sandbox.add_domain(host_of(config))
        host, port = sandbox.dns_address
        facts = DrillStage(
            url=sandbox.url,
            token=sandbox.token,
            resolver=f"{host}:{port}",
            ca_file=sandbox.ca_file,
            http_port=sandbox.edge.http_port,
            https_port=sandbox.edge.https_port,
            repository=source,
        )
        await asyncio.to_thread(_import_flows)
        await prefect.ready()
        try:
            yield _Stage(sandbox, facts, directory / "work")
        finally:
            await deliver_logs()


def _enter(prefect: PrefectServer) -> None:
    """Leave the real world: no context, and the Prefect server of the drill, before Prefect reads its settings."""
    os.environ.pop(_CONTEXT, None)
    os.environ.update(prefect.environment)


def _import_flows() -> None:
    from coolify_cli.running import quiet_prefect

    quiet_prefect()
    import flows.release  # noqa: F401


def _repository(config: Config) -> str:
    if (config.root / ".git").exists():
        return str(config.root)
    if config.source is not None and config.source.repository is not None:
        return config.source.repository
    raise OperatorError(
        f"{config.path}: there is no repository that the sandbox could build: name one by --repository, or leave the "
        "application out by --databases-only."
    )


async def _rebuild(
    stage: _Stage, config: Config, drill: Drill, told: Told, with_application: bool, *, recovery: bool
) -> None:
    """Bring databases, data and application into being."""
    from flows.set_up_databases import set_up_databases
    from tasks.session import Target

    before = "" if recovery else "prepare: "
    target = Target(config=str(stage.config))
    async with _step(drill, told, f"{before}create the databases", recovery=recovery):
        _configure(stage, config, None)
        await _result(await set_up_databases(target, return_state=True))
    for dump in drill.dumps:
        if dump.in_sandbox:
            async with _step(drill, told, f"{before}restore {dump.database}", recovery=recovery) as done:
                done(await _restore(stage, config, dump, drill if recovery else Drill()))
        elif recovery:
            async with _step(drill, told, f"restore {dump.database} into a scratch server", recovery=True) as done:
                done(await _prove(config, dump, drill))
    if with_application:
        async with _step(drill, told, f"{before}release the application", recovery=recovery) as done:
            _configure(stage, config, _connections(stage, config))
            done(await _release(target))


async def _restore(stage: _Stage, config: Config, dump: DrilledDump, drill: Drill) -> str:
    from coolify.backup.checks import run_checks
    from coolify.backup.engines import restore_into_function

    server = _connection(stage, config, dump.database)
    proof = config.backups.proof_of(dump.database)
    async with decrypted(dump.path, proof.decrypt) as plain:
        restored = await restore_into_function(dump.engine)(recognise(plain), server, clean=True)
    if not restored.tables:
        raise OperatorError(f"The dump of {dump.database} restores, but there is nothing in it.")
    findings = await run_checks(dump.database, proof, restored.questions, dump.made)
    drill.findings += findings
    problems = [one.summary for one in findings if one.is_problem]
    if problems:
        raise OperatorError(" ".join(problems))
    return f"{counted(len(restored.tables), 'table')}, {counted(len(findings), 'check')} passed"


async def _prove(config: Config, dump: DrilledDump, drill: Drill) -> str:
    from coolify.backup.proof import Origin, digest, prove

    proof = config.backups.proof_of(dump.database)
    checksum = await asyncio.to_thread(digest, dump.path)
    origin = Origin(dump.database, dump.engine, dump.place, checksum, made=dump.made)
    point = await prove(dump.path, origin, proof)
    drill.findings += point.findings
    if not point.proved:
        raise OperatorError(" ".join(one.summary for one in point.findings if one.is_problem))
    return counted(point.tables, "table") if point.whole else "structure only"


async def _release(target: Any) -> str:  # noqa: ANN401 - importing its type would import Prefect
    from coolify.release import Outcome
    from flows.release import ReleaseRequest, release

    report: ReleaseReport = await _result(await release(ReleaseRequest(target=target), return_state=True))
    if report.outcome is not Outcome.COMPLETED:
        raise OperatorError(f"The release ended as {report.outcome.value}: {report.reason}")
    return f"healthy at {report.url}" if report.url else "healthy"


async def _result(state: Any) -> Any:  # noqa: ANN401 - what the flow returns
    result = await state.aresult(raise_on_failure=False)
    if isinstance(result, Exception):
        raise result
    return result


async def _lose(stage: _Stage, config: Config) -> str:
    """Delete the project of the drill with everything in it."""
    async with connection_for(_drilled(stage), ContextStore.open(os.environ), os.environ).client() as client:
        project = await find_project(client, config.project.name)
        resources = await resources_of(client, project)
        await delete_project(client, project, resources, delete_volumes=True)
    return ", ".join(f"{one.type} {one.name}" for one in resources)


def _configure(stage: _Stage, config: Config, connections: Mapping[str, Mapping[str, str]] | None) -> None:
    """Write the configuration of the drill, and make sure that it leads into the sandbox and nowhere else.

    Raises:
        DrillFailedError: It does not.
    """
    import ruamel.yaml

    os.environ.update(drill_environment(config, stage.facts, connections or {}, os.environ))
    stage.config.parent.mkdir(parents=True, exist_ok=True)
    with stage.config.open("w") as stream:
        ruamel.yaml.YAML(typ="safe").dump(drill_document(config, stage.facts, connections), stream)
    reached = connection_for(_drilled(stage), ContextStore.open(os.environ), os.environ).server
    if reached != stage.sandbox.url:
        raise DrillFailedError(f"The drill would have reached {reached} instead of its sandbox: nothing was done.")


def _drilled(stage: _Stage) -> Config:
    return load_config(stage.config)


def _connection(stage: _Stage, config: Config, key: str) -> Connection:
    """Return the PostgreSQL of the drill, which listens on a private socket."""
    from coolify.backup.engines import Connection

    row = _row(stage, config, key)
    server = stage.sandbox.databases.server(str(row.uuid))
    return Connection.parse(f"postgresql://{row['postgres_user']}@/{row['postgres_db']}?host={server.socket}")


def _row(stage: _Stage, config: Config, key: str) -> Any:  # noqa: ANN401 - a row of the sandbox
    name = f"{config.project.name}-{key}"
    return next(row for row in stage.sandbox.state.all("database postgresql") if row["name"] == name)


def _connections(stage: _Stage, config: Config) -> dict[str, dict[str, str]]:
    """Return how the application of the drill reaches its databases: as a process, and no network has their names."""
    found = {}
    for key, section in config.databases.items():
        if section.engine is DatabaseEngine.POSTGRESQL:
            row = _row(stage, config, key)
            socket = str(stage.sandbox.databases.server(str(row.uuid)).socket)
            user, name = str(row["postgres_user"]), str(row["postgres_db"])
            # In the notation that takes `?sslmode=...` behind it.
            url = f"postgresql://{quote(user)}@{quote(socket, safe='')}/{quote(name)}"
            found[key] = {"url": url, "host": socket, "port": "5432", "user": user, "password": "", "name": name}
    return found


@contextlib.asynccontextmanager
async def _step(drill: Drill, told: Told, name: str, *, recovery: bool) -> AsyncIterator[Callable[[str], None]]:
    """Time a step; what an operator can understand ends the drill with it, and is told."""
    note: list[str] = []
    started = time.monotonic()
    problem = ""
    try:
        yield note.append
    except OperatorError as error:
        problem = str(error)
    step = DrillStep(name, round(time.monotonic() - started, 3), not problem, recovery, problem or "".join(note))
    drill.steps.append(step)
    told(step)
    if problem:
        raise DrillFailedError(problem)


def lost_seconds(drill: Drill) -> float | None:
    """Return how old the data is that came back: what was written since would be lost."""
    return (datetime.now(UTC) - drill.oldest_data).total_seconds() if drill.oldest_data else None
