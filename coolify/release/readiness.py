"""What a release depends on besides its source: other applications, and how it replaces the old version."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from coolify.api import Application
from coolify.config import BuildPack, Config
from coolify.finding import Finding, Severity

__all__ = ["judge_dependencies", "judge_rollout"]


def judge_dependencies(config: Config, applications: Iterable[Application]) -> tuple[Finding, ...]:
    """Return whether the applications that must come first (`release.requires`) are there, run and are healthy.

    Args:
        config: The application that is to be released.
        applications: The applications of its environment, as Coolify tells them.
    """
    present = {one.name: one for one in applications}
    return tuple(_judge(name, present.get(name), config) for name in config.release.requires)


def _judge(name: str, application: Application | None, config: Config) -> Finding:
    if application is None:
        return Finding(
            name="release-dependency-missing",
            severity=Severity.ERROR,
            subject=name,
            summary=f"{config.application_name} is released after {name}, which is not in {config.environment}.",
            remedy=f"Release {name} first, or correct release.requires.",
        )
    status = application.parsed_status
    # `unknown` is what an application without a health check is (reference 4.5).
    if not status.is_running or status.health == "unhealthy":
        return Finding(
            name="release-dependency-unhealthy",
            severity=Severity.ERROR,
            subject=name,
            summary=f"{config.application_name} is released after {name}, which is {application.status}.",
            remedy=f"Bring {name} back first: `coolify deploy` with its configuration, or look at its log in Coolify.",
        )
    return Finding(
        name="release-dependency-ready",
        severity=Severity.OK,
        subject=name,
        summary=f"{name} is {application.status}.",
    )


def judge_rollout(config: Config, application: Application | None = None) -> tuple[Finding, ...]:
    """Return why the old version would be stopped before the new one works (trap 4), nothing when it would not be.

    Args:
        config: The application as it is to be.
        application: As it is in Coolify, where it is: some of the reasons can be set there only.
    """
    reasons = _named(application.raw) if application else []
    if config.resources.port_mappings:
        reasons.append(f"resources.port_mappings holds {', '.join(config.resources.port_mappings)}")
    if config.source is not None and config.build.pack is BuildPack.DOCKERCOMPOSE:
        reasons.append("build.pack is dockercompose")
    return tuple(
        Finding(
            name="release-without-rolling-update",
            severity=Severity.WARNING,
            subject=config.application_name,
            summary=f"Coolify stops the old version before the new one works, because {reason}.",
            remedy="Expect a gap in every deployment, and no look at health in it; remove this where it is not needed.",
        )
        for reason in reasons
    )


def _named(raw: Mapping[str, Any]) -> list[str]:
    """Return what in Coolify gives the container a name or an address of its own, which two cannot have."""
    options = str(raw.get("custom_docker_run_options") or "")
    found = []
    if raw.get("is_consistent_container_name_enabled"):
        found.append("Coolify is set to give the container a consistent name")
    if raw.get("custom_internal_name"):
        found.append(f"Coolify is set to call the container {raw['custom_internal_name']}")
    found += [f"its Docker options hold {one}" for one in ("--ip", "--name") if one in options]
    return found
