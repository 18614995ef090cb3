"""What is watched: applications with a configuration file, and applications that only Coolify knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from pydantic import ValidationError

from coolify.api.models import Application
from coolify.config import Config, find_config, load_config
from coolify.monitor.model import Subject

__all__ = ["Watched", "declared", "discovered"]

_ANSWERS: Final = range(200, 500)
"""What an application that nobody has described may answer: anything but an error of the server."""


@dataclass(frozen=True, slots=True)
class Watched:
    """An application to look at."""

    subject: Subject
    config: Config
    is_declared: bool = True
    """Whether there is a configuration file, so that backups and drift can be judged."""


def declared(path: str, environment: str) -> Watched:
    """Return the application of a configuration file.

    Args:
        path: The file.
        environment: Environment whose overlay applies; empty for the file's own.

    Raises:
        ConfigError: The file is missing or wrong.
    """
    return of_config(load_config(find_config(Path(path)), environment=environment or None))


def of_config(config: Config) -> Watched:
    """Return the application of a configuration."""
    identity = (config.server, config.project.name, config.environment, config.application_name)
    subject = Subject(
        key="|".join(identity),
        coolify=config.server,
        project=config.project.name,
        application=config.application_name,
        environment=config.environment,
    )
    return Watched(subject, config)


def discovered(application: Application, server: str, place: tuple[str, str] | None, base: Config) -> Watched | None:
    """Return an application as Coolify describes it, None where its description cannot be understood.

    Args:
        application: As Coolify lists it.
        server: Address of the Coolify server.
        place: Names of project and environment, None where they are not known.
        base: Has the section `network`.
    """
    project, environment = place or ("", "")
    raw = application.raw
    health: dict[str, Any] = {"expect": tuple(_ANSWERS)}
    if raw.get("health_check_enabled") and str(raw.get("health_check_path") or "").startswith("/"):
        health = {"path": raw["health_check_path"], "expect": raw.get("health_check_return_code") or 200}
    try:
        config = Config.model_validate(
            {
                "server": server,
                "project": {"name": project or "unknown"},
                "environment": environment or "unknown",
                "application": {"name": application.name, "uuid": application.uuid},
                "domains": _domains(application.fqdn or ""),
                "health": health,
                "network": base.network.model_dump(),
            }
        )
    except ValidationError:
        return None
    config = config.model_copy(update={"path": base.path})
    subject = Subject(
        key=f"{server}|{application.uuid}",
        coolify=server,
        project=project,
        application=application.name,
        environment=environment,
    )
    return Watched(subject, config, is_declared=False)


def _domains(urls: str) -> list[Mapping[str, Any]]:
    """Return the entries for comma-separated URLs; a port there is the container's, not the world's."""
    entries: dict[tuple[str, str], Mapping[str, Any]] = {}
    for place, url in enumerate(one.strip() for one in urls.split(",") if one.strip()):
        parts = urlsplit(url)
        path = parts.path.rstrip("/") or "/"
        entry = {f"url-{place}": parts.hostname or "", "ssl": parts.scheme == "https", "path": path}
        entries.setdefault((parts.hostname or "", path), entry)
    return list(entries.values())
