"""What Coolify tells of an application: container, deployments, backups, drift."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from coolify.api import Application, CoolifyClient
from coolify.api.models import Deployment, DeploymentStatus
from coolify.backup.proof import RestorePoint
from coolify.backup.record import RestorePointStore, last_proved, overdue
from coolify.backup.survey import Surveyed, survey
from coolify.config import Config
from coolify.config.monitoring import Aspect
from coolify.databases import resolve_with_databases
from coolify.finding import Finding, Severity
from coolify.monitor.instance import Instance
from coolify.monitor.judge import judge_container, judge_deployment, judge_restarts, judge_server
from coolify.monitor.memory import Memory
from coolify.monitor.model import Measure, Metric, Observation
from coolify.monitor.outcomes import ended_of, measure_recent
from coolify.plan import Plan, make_plan, read_actual
from coolify.security import resolve_security
from coolify.wording import counted

if TYPE_CHECKING:
    from coolify.release.record import History

__all__ = [
    "cost_of_backups",
    "cost_of_drift",
    "observe_backups",
    "observe_container",
    "observe_deployment",
    "observe_drift",
    "observe_missing",
    "observe_servers",
    "observe_unreachable",
    "restarts_of",
]

_SHOWN: Final = 10


def observe_container(application: Application, memory: Memory, restarts: int, now: datetime) -> Observation:
    """Say what Coolify says of the container; costs no request."""
    count = restarts_of(application)
    history = memory.restarts if count is None else (*memory.restarts, (now, count))
    running = application.parsed_status.is_running
    measures = [Measure(metric=Metric.RUNNING, value=float(running))]
    measures += [] if count is None else [Measure(metric=Metric.RESTARTS, value=float(count))]
    return Observation(
        aspect=Aspect.CONTAINER,
        at=now,
        findings=(judge_container(application), *judge_restarts(application.name, history, restarts, now)),
        measures=tuple(measures),
    )


def restarts_of(application: Application) -> int | None:
    """Return Coolify's count of restarts, None where it does not tell."""
    count = application.raw.get("restart_count")
    return count if isinstance(count, int) else None


def observe_missing(config: Config, now: datetime) -> Observation:
    """Say that Coolify has no such application."""
    finding = Finding(
        name="watch-application-missing",
        severity=Severity.ERROR,
        subject=config.application_name,
        summary=f"There is no application {config.application_name} in the project {config.project.name}, environment "
        f"{config.environment}.",
        remedy="Create it with `coolify release`, or correct `project`, `application` and `environment` of the file.",
    )
    return Observation(
        aspect=Aspect.CONTAINER, at=now, findings=(finding,), measures=(Measure(metric=Metric.RUNNING, value=0.0),)
    )


async def observe_deployment(
    client: CoolifyClient, application: Application, config: Config, history: History | None = None
) -> Observation:
    """Say how the latest deployments ended; costs one request.

    Args:
        client: The server.
        application: The application.
        config: Has the time that a deployment may take.
        history: Its releases, None where nobody knows them.
    """
    recent = await client.deployments.recent(application.uuid)
    newest = recent[0] if recent else None
    now = datetime.now(UTC)
    longest = config.release.deploy_timeout + config.release.stage_timeouts.queued
    ended = ended_of(recent)
    measures = [*_latest(newest), *measure_recent(ended)]
    if history is not None:
        # Only where records can be read: most commands need not load what belongs to them.
        from coolify.monitor.recorded import measure_releases

        measures += measure_releases(history, now)
    return Observation(
        aspect=Aspect.DEPLOYMENT,
        at=now,
        findings=judge_deployment(application.name, newest, now, longest),
        measures=tuple(measures),
        ended=ended,
    )


def _latest(newest: Deployment | None) -> Iterable[Measure]:
    if newest is None or not newest.status.is_terminal:
        return
    yield Measure(metric=Metric.DEPLOYMENT_OK, value=float(newest.status is not DeploymentStatus.FAILED))
    ended = newest.finished_at or newest.updated_at
    if newest.created_at and ended:
        yield Measure(metric=Metric.DEPLOYMENT_SECONDS, value=(ended - newest.created_at).total_seconds())
        yield Measure(metric=Metric.DEPLOYMENT_TIME, value=ended.timestamp())


def cost_of_backups(config: Config) -> int:
    """Return how many requests a look at the backups takes, 0 where none are configured."""
    if not (config.backups.schedules or config.backups.proofs):
        return 0
    return 3 + 3 * len(config.databases)


async def observe_backups(
    client: CoolifyClient, config: Config, environ: Mapping[str, str], proofs: RestorePointStore | None
) -> Observation:
    """Say what the newest backups are worth, and how old the last proof by restore is.

    Args:
        client: The server.
        config: The application.
        environ: Where keys of buckets are looked up.
        proofs: Restore points on record; None where nobody can read them, so that proofs are not judged.

    Raises:
        OperatorError: The server cannot be read, or a database does not exist.
    """
    now = datetime.now(UTC)
    # The sizes of earlier ones tell whether the newest has shrunk.
    surveyed = await survey(client, config, environ, now, limit=1)
    findings: list[Finding] = []
    measures: list[Measure] = []
    for one in surveyed:
        findings += one.problems
        measures += _measured(one, now)
        if proofs is None or one.key not in config.backups.proofs:
            continue
        points = await proofs.load(one.database.uuid)
        late = overdue(one.key, points, config.backups.proof_of(one.key).max_age_days, now)
        findings += [late] if late else []
        measures += _proved(one.key, points, now)
    return Observation(aspect=Aspect.BACKUP, at=now, findings=tuple(findings), measures=tuple(measures))


def _measured(surveyed: Surveyed, now: datetime) -> list[Measure]:
    good = next((one.execution for one in surveyed.judged if one.is_good and one.execution.created_at), None)
    if good is None or good.created_at is None:
        return []
    age = (now - good.created_at).total_seconds()
    measures = [Measure(metric=Metric.BACKUP_AGE, value=age, detail=surveyed.key)]
    if good.size is not None:
        measures.append(Measure(metric=Metric.BACKUP_SIZE, value=float(good.size), detail=surveyed.key))
    return measures


def _proved(key: str, points: Sequence[RestorePoint], now: datetime) -> list[Measure]:
    proved = last_proved(points)
    if proved is None:
        return []
    age = (now - proved.proved_at).total_seconds()
    return [
        Measure(metric=Metric.PROOF_AGE, value=age, detail=key),
        Measure(metric=Metric.RESTORE_SECONDS, value=proved.seconds, detail=key),
    ]


def cost_of_drift(config: Config) -> int:
    """Return how many requests a comparison takes."""
    return 6 + 4 * len(config.databases)


async def observe_drift(client: CoolifyClient, config: Config, environ: Mapping[str, str]) -> Observation:
    """Compare with the configuration.

    Raises:
        OperatorError: The server cannot be read, or a variable of the configuration is not set here.
    """
    security = resolve_security(config, environ)
    variables = await resolve_with_databases(client, config, environ)
    plan = make_plan(config, variables, await read_actual(client, config), security)
    return Observation(
        aspect=Aspect.DRIFT,
        at=datetime.now(UTC),
        findings=(_drift(plan),),
        measures=(Measure(metric=Metric.DRIFT, value=float(len(plan.changes))),),
    )


def _drift(plan: Plan) -> Finding:
    """Return one finding for all that differs: it is mended in one go."""
    name, changes = plan.application, plan.changes
    if not changes:
        return Finding(
            name="watch-no-drift",
            severity=Severity.OK,
            subject=name,
            summary=f"{name} is as its configuration says.",
        )
    more = (f"and {len(changes) - _SHOWN} more",) if len(changes) > _SHOWN else ()
    return Finding(
        name="watch-drift",
        severity=Severity.WARNING,
        subject=name,
        summary=f"{name} differs from its configuration by {counted(len(changes), 'change')}.",
        evidence=(*(str(one) for one in changes[:_SHOWN]), *more),
        remedy="Look at it with `coolify drift`; bring it back with `coolify apply`, or write it into the file.",
    )


async def observe_servers(instance: Instance, config: Config, used: Callable[[str], bool]) -> Observation:
    """Say whether Coolify reaches its servers, and how full their disks are; costs a request for each.

    Args:
        instance: The server as it was seen.
        config: Has the thresholds.
        used: Whether the server of an identifier runs something that is watched.
    """
    measures = [Measure(metric=Metric.REACHED, value=1.0)]
    findings: list[Finding] = []
    for one in instance.servers:
        if not used(one.uuid):
            continue
        disk = await instance.disk_of(one)
        settings = one.settings
        findings += judge_server(one, disk, config.monitoring.thresholds)
        measures += [
            Measure(metric=Metric.SERVER_REACHABLE, value=float(settings.is_reachable), detail=one.name),
            Measure(metric=Metric.SERVER_USABLE, value=float(settings.is_usable), detail=one.name),
        ]
        measures += [] if disk is None else [Measure(metric=Metric.SERVER_DISK, value=disk.percent, detail=one.name)]
    return Observation(aspect=Aspect.SERVER, at=datetime.now(UTC), findings=tuple(findings), measures=tuple(measures))


def observe_unreachable(coolify: str, why: str, now: datetime) -> Observation:
    """Say that Coolify itself cannot be asked."""
    finding = Finding(
        name="watch-coolify-unreachable",
        severity=Severity.ERROR,
        subject=coolify,
        summary=f"Coolify cannot be asked: {why}",
        remedy="Applications may well work: they are still looked at from the outside.",
    )
    return Observation(
        aspect=Aspect.SERVER, at=now, findings=(finding,), measures=(Measure(metric=Metric.REACHED, value=0.0),)
    )
