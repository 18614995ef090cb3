"""What a release depends on besides its source: other applications."""

from __future__ import annotations

from collections.abc import Iterable

from coolify.api import Application
from coolify.config import Config
from coolify.finding import Finding, Severity

__all__ = ["judge_dependencies"]


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
