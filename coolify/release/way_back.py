"""What a rollback brings back, what it cannot, and how: told before it is confirmed, and in its report."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from coolify.api import Application, ApplicationSettings, Variable, VariableWrite
from coolify.config import Config
from coolify.finding import Finding, Severity
from coolify.hostnames import as_ascii
from coolify.plan import plan_settings, plan_variables
from coolify.plan.domains import domain_urls
from coolify.release.snapshot import Snapshot
from coolify.release.strategy import NoWayBack, Strategy

__all__ = [
    "WayBack",
    "added_since",
    "earlier_questions",
    "earlier_settings",
    "earlier_variables",
    "judge_way_back",
]


@dataclass(frozen=True, slots=True)
class WayBack:
    """Everything that is known before a rollback."""

    release: int
    """Number of the release that recorded the state."""
    version: str
    snapshot: Snapshot
    strategy: Strategy | NoWayBack
    kept_images: tuple[str, ...] | None = None
    """Tags of the images on the server; None where Coolify does not tell, or none is needed."""


def earlier_settings(application: Application, snapshot: Snapshot) -> ApplicationSettings:
    """Return the settings that are to be again: domains and password have fields of their own in a snapshot."""
    password = {"http_basic_auth_password": snapshot.login_password} if snapshot.login_password else {}
    # Coolify refuses `domains` where a compose file has services with domains of their own (reference 2.1).
    domains = {} if application.build_pack == "dockercompose" else {"domains": snapshot.domains}
    return ApplicationSettings.model_validate({**snapshot.settings, **password, **domains})


def earlier_variables(snapshot: Snapshot) -> list[VariableWrite]:
    """Return the variables that are to be again."""
    return [VariableWrite(**one.model_dump()) for one in snapshot.variables]


def added_since(variables: Iterable[Variable], snapshot: Snapshot) -> list[Variable]:
    """Return the variables that came after a snapshot; those whose values Coolify never tells were there."""
    before = {one.key for one in snapshot.variables} | set(snapshot.unreadable)
    twins = set(snapshot.preview_keys)
    return [one for one in variables if one.key not in (twins if one.is_preview else before)]


def earlier_questions(config: Config, snapshot: Snapshot) -> Config:
    """Return the configuration with which the earlier version is asked: by the domains and the path that it knew.

    Args:
        config: The present configuration.
        snapshot: The earlier state.
    """
    services = snapshot.settings.get("docker_compose_domains")
    services = services if isinstance(services, list) else []
    listed = [str(one.get("domain") or "") for one in services if isinstance(one, dict)]
    urls = domain_urls(",".join((snapshot.domains or "", *listed)))
    hosts = {as_ascii(urlsplit(url).hostname or "") for url in urls}
    domains = tuple(one for one in config.all_domains if as_ascii(one.host) in hosts)
    path = snapshot.settings.get("health_check_path")
    health = config.health.model_copy(update={"path": path}) if isinstance(path, str) and path else config.health
    return config.model_copy(update={"all_domains": domains, "health": health})


def judge_way_back(
    way: WayBack, application: Application, variables: Sequence[Variable], config: Config
) -> tuple[Finding, ...]:
    """Tell what comes back, what does not, and from where the version comes.

    Args:
        way: The state to go back to.
        application: As it is now.
        variables: As they are now.
        config: The configuration: what it names beside the application stays as it is.
    """
    found = [_state(way, application, variables), _version(way, application.name)]
    if config.databases or config.resources.volumes:
        found.append(_data(config))
    return tuple(found)


def _state(way: WayBack, application: Application, variables: Sequence[Variable]) -> Finding:
    snapshot = way.snapshot
    changes = [f"setting {one}" for one in plan_settings(application, earlier_settings(application, snapshot)).changes]
    changes += [str(one) for one in plan_variables(variables, earlier_variables(snapshot)).changes]
    changes += [f"variable {one.key} deleted" for one in added_since(variables, snapshot) if not one.is_preview]
    if snapshot.custom_labels is not None and application.labels_known:
        changes += ["labels of the proxy"] if application.custom_labels != snapshot.custom_labels else []
    changes += [f"not variable {key}: Coolify never tells its value" for key in snapshot.unreadable]
    taken = f"{snapshot.taken_at:%Y-%m-%d %H:%M} UTC"
    return Finding(
        name="release-way-back",
        severity=Severity.INFO,
        subject=application.name,
        summary=f"Version {way.version[:12]} comes back, with settings and variables as they were on {taken}.",
        evidence=tuple(changes) or ("settings and variables are as they were",),
    )


def _version(way: WayBack, subject: str) -> Finding:
    if isinstance(way.strategy, NoWayBack):
        return Finding(
            name="release-no-way-back",
            severity=Severity.ERROR,
            subject=subject,
            summary=f"The version {way.version[:12]} cannot be run again: {way.strategy.reason}.",
            remedy="Mend the application and release again.",
        )
    if way.strategy is Strategy.NATIVE and way.kept_images is not None and way.version not in way.kept_images:
        return Finding(
            name="release-image-gone",
            severity=Severity.WARNING,
            subject=subject,
            summary=f"The image of {way.version[:12]} is not on the server any more: Coolify builds that commit again.",
            evidence=(f"kept images: {', '.join(tag[:12] for tag in way.kept_images) or 'none'}",),
            remedy="Expect the time of a build. For more images, raise Docker images to keep in Coolify.",
        )
    kept = way.strategy is Strategy.NATIVE and way.kept_images is not None
    how = "its image is on the server" if kept else f"by {way.strategy.value}"
    return Finding(
        name="release-version-there",
        severity=Severity.OK,
        subject=subject,
        summary=f"The version {way.version[:12]} can be run again: {how}.",
    )


def _data(config: Config) -> Finding:
    databases = sorted(config.databases)
    stays = [f"database {key}" for key in databases] + [f"volume {one.name}" for one in config.resources.volumes]
    backed_up = {one.database for one in config.backups.schedules.values()}
    offers = [f"coolify backup restore-plan {key} --proofs" for key in databases if key in backed_up]
    remedy = "If the earlier version cannot work with the present data, restore it by hand, and lose what came since"
    return Finding(
        name="release-data-stays",
        severity=Severity.WARNING,
        subject=config.application_name,
        summary=f"Data is not rolled back: {', '.join(stays)} stay as they are.",
        evidence=tuple(f"restore points: {one}" for one in offers),
        remedy=f"{remedy}: {'; '.join(offers)}." if offers else "",
    )
