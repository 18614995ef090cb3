"""The configuration of a disaster recovery drill: what of a real one is safe to bring to life in the sandbox.

Only what is named here is taken over. What reaches outside is not: DNS records, the bucket that backups go to, hooks on
this machine, webhooks, registries, other applications, and the values of secrets.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from coolify.config import Config
from coolify.config.hooks import Hook, HookPlace

__all__ = ["DrillStage", "drill_document", "drill_environment", "host_of", "left_out"]

_TOKEN: Final = "COOLIFY_DRILL_TOKEN"  # noqa: S105 - the name of a variable
_STAND_IN: Final = "drill"
_HOST: Final = "app.sandbox.test"
_DATABASE: Final = re.compile(r"\$\{databases\.([A-Za-z_][A-Za-z0-9_-]*)\.(url|host|port|user|password|name)\}")
_HEALTH: Final = (
    "path",
    "expect",
    "body",
    "timeout",
    "interval",
    "successes",
    "failures_allowed",
    "deadline",
    "warm_up",
    "container",
    "version",
)


@dataclass(frozen=True, slots=True)
class DrillStage:
    """Where a drill takes place."""

    url: str
    token: str
    resolver: str
    """Address and port of the sandbox's name server."""
    ca_file: Path
    http_port: int
    https_port: int
    repository: str
    """What the application is built from."""


def host_of(config: Config) -> str:
    """Return the name under which the application is reached in a drill: its first domain, or one of the sandbox."""
    return config.domains[0].host if config.domains else _HOST


def drill_document(
    config: Config, stage: DrillStage, connections: Mapping[str, Mapping[str, str]] | None = None
) -> dict[str, Any]:
    """Return the configuration of a drill, as it is written to a file.

    Args:
        config: The real one.
        stage: Where the drill takes place.
        connections: Parts of the connection of each database that really runs; None before they do, where the
            application's variables are left out.
    """
    document: dict[str, Any] = {
        "server": stage.url,
        "auth": {"token": f"${{{_TOKEN}}}"},
        "project": {"name": config.project.name},
        "environment": config.environment,
        "application": {"name": config.application_name},
        "source": {"repository": stage.repository},
        "build": config.build.model_dump(mode="json", exclude_unset=True),
        "databases": {
            key: section.model_dump(
                mode="json", by_alias=True, exclude_unset=True, include={"engine", "database", "user", "schema_"}
            )
            for key, section in config.databases.items()
        },
        "domains": [{"primary": host_of(config), "ssl": True}],
        "health": config.health.model_dump(mode="json", exclude_unset=True, include=set(_HEALTH)),
        "release": {
            moment: [one.model_dump(mode="json", exclude_unset=True) for one in hooks if _is_inside(one)]
            for moment, hooks in (("before", config.release.before), ("after", config.release.after))
        },
        "network": {
            "resolvers": [stage.resolver],
            "ca_file": str(stage.ca_file),
            "http_port": stage.http_port,
            "https_port": stage.https_port,
        },
    }
    if config.source is not None:
        document["source"]["branch"] = config.source.branch
        if config.source.dockerfile is not None:
            document["source"]["dockerfile"] = config.source.dockerfile
    if connections is not None:
        document["env"] = {key: _variable(key, config, connections) for key in config.env}
    return document


def drill_environment(
    config: Config, stage: DrillStage, connections: Mapping[str, Mapping[str, str]], environ: Mapping[str, str]
) -> dict[str, str]:
    """Return the environment variables that the configuration of a drill refers to.

    A variable NAME of the real configuration has the value of DRILL_NAME, or a stand-in: an application that runs for a
    drill must not have the keys to anything real.

    Args:
        config: The real configuration.
        stage: Where the drill takes place.
        connections: Parts of the connection of each database that really runs.
        environ: The environment of this process.
    """
    needed = {name for one in config.env.values() if one.value is not None for name in one.value.variables}
    needed |= {key for key, one in config.env.items() if one.from_file is not None}
    values = {name: environ.get(f"DRILL_{name}") or _STAND_IN for name in needed}
    for key, parts in connections.items():
        values |= {_name(key, part): value or _STAND_IN for part, value in parts.items()}
    return values | {_TOKEN: stage.token}


def left_out(config: Config) -> tuple[str, ...]:
    """Return what a drill does without, one sentence each."""
    told = []
    names = sorted({name for one in config.env.values() if one.value is not None for name in one.value.variables})
    names += sorted(key for key, one in config.env.items() if one.from_file is not None)
    if names:
        told.append(f"the values of {', '.join(names)}: stand-ins, or those of DRILL_{names[0]} and the like")
    if len(config.domains) > 1:
        told.append(f"all domains but {host_of(config)}")
    if any(not _is_inside(one) for one in (*config.release.before, *config.release.after)):
        told.append("hooks that run on this machine")
    if config.health.probes or config.health.addresses:
        told.append("further probes and addresses of the health gate")
    if config.resources.volumes:
        told.append("mounts of volumes")
    backed_up = {one.database for one in config.backups.schedules.values()} | {
        key for key, proof in config.backups.proofs.items() if proof.objects
    }
    unsaved = [key for key in config.databases if key not in backed_up]
    told += [f"the data of {key}, which nobody backs up: it would be lost" for key in unsaved]
    return tuple(told)


def _variable(key: str, config: Config, connections: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    section = config.env[key]
    written = section.model_dump(mode="json", exclude_unset=True, include={"literal", "build", "runtime"})
    if section.value is None:
        return written | {"value": f"${{{key}}}"}
    text = _DATABASE.sub(
        lambda match: f"${{{_name(match[1], match[2])}}}" if match[1] in connections else match[0], section.value.text
    )
    return written | {"value": text}


def _name(key: str, part: str) -> str:
    return f"COOLIFY_DRILL_{key}_{part}".upper().replace("-", "_")


def _is_inside(hook: Hook) -> bool:
    return hook.where is HookPlace.CONTAINER
