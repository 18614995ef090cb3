"""How a deployment will replace the old version: with a gap, or without."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from coolify.api import Application
from coolify.config import BuildPack, Config
from coolify.finding import Finding, Severity

__all__ = ["judge_rollout"]


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
