"""What the configuration wants, in the words of Coolify's API. What it does not mention is not managed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from coolify.api import ApplicationSettings, VariableWrite
from coolify.api.extras import VolumeWrite
from coolify.api.settings import ComposeDomain
from coolify.config import BuildPack, Config, ResolvedVariable
from coolify.security import WantedSecurity
from coolify.source.address import parse_address

__all__ = [
    "desired_compose_domains",
    "desired_domains",
    "desired_settings",
    "desired_variables",
    "desired_volumes",
    "fingerprint",
]


def desired_domains(config: Config) -> str | None:
    """Return the URLs as Coolify lists them, None when there are none or they belong to compose services."""
    if _is_compose(config):
        return None
    return ",".join(domain.url for domain in config.domains) or None


def desired_compose_domains(config: Config) -> tuple[ComposeDomain, ...] | None:
    """Return the URLs of each service of a compose file (reference 2.1), None where there is no compose file."""
    if not _is_compose(config) or not config.domains:
        return None
    urls: dict[str, list[str]] = {}
    for domain in config.domains:
        urls.setdefault(domain.service or "", []).append(domain.url)
    return tuple(ComposeDomain(name=name, domain=",".join(listed)) for name, listed in urls.items())


def desired_volumes(config: Config) -> tuple[VolumeWrite, ...]:
    """Return the volumes that the configuration names."""
    return tuple(VolumeWrite(**one.model_dump()) for one in config.resources.volumes)


def desired_settings(config: Config, security: WantedSecurity | None = None) -> ApplicationSettings:
    """Return the settings that the configuration mentions, and those that a trustworthy release needs.

    Coolify's own health check is among the latter: it is off by default, and without it the old container is removed
    before the new one works (trap 4).

    Args:
        config: The configuration.
        security: Its section `security` with secrets; without, name and password of visitors are left alone.
    """
    wanted: dict[str, Any] = {
        **_source(config),
        **_build(config),
        **_limits(config),
        **_container_health(config),
        "is_auto_deploy_enabled": config.release.auto_deploy,
        "description": config.application.description,
        "domains": desired_domains(config),
        "docker_compose_domains": desired_compose_domains(config),
        **(security.settings() if security else {}),
    }
    return ApplicationSettings(**{name: value for name, value in wanted.items() if value is not None})


def desired_variables(variables: Iterable[ResolvedVariable]) -> tuple[VariableWrite, ...]:
    """Return the variables as they are written."""
    return tuple(
        VariableWrite(
            key=variable.key,
            value=variable.value,
            is_literal=variable.literal,
            is_multiline=variable.multiline,
            is_buildtime=variable.build,
            is_runtime=variable.runtime,
            comment=variable.comment,
        )
        for variable in variables
    )


def fingerprint(
    settings: ApplicationSettings,
    variables: Iterable[VariableWrite],
    security: WantedSecurity | None = None,
    volumes: Iterable[VolumeWrite] = (),
) -> str:
    """Return a digest of a whole configuration; it covers secret values and is itself kept secret."""
    content: dict[str, Any] = {
        "settings": settings.model_dump(mode="json", exclude_unset=True),
        "variables": sorted((one.body() for one in variables), key=lambda body: str(body["key"])),
    }
    if security is not None and (protection := security.content()) is not None:
        content["security"] = protection
    if mounted := [volume.model_dump() for volume in volumes]:
        # Left out where there are none, so that what was proved before there were volumes still counts.
        content["volumes"] = mounted
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _source(config: Config) -> dict[str, Any]:
    source = config.source
    if source is None:
        return {}
    if source.image is not None:
        return {"docker_registry_image_name": source.image_name, "docker_registry_image_tag": source.image_tag}
    if source.repository is not None:
        return {
            "git_repository": parse_address(source.repository).coolify,
            "git_branch": source.branch,
            "git_commit_sha": source.commit or "HEAD",
            "build_pack": config.build.pack.value,
        }
    return {}


def _build(config: Config) -> dict[str, Any]:
    build = config.build
    if _is_compose(config):
        fields: dict[str, Any] = {
            "docker_compose_custom_build_command": build.build_command,
            "docker_compose_custom_start_command": build.start_command,
            "docker_compose_location": build.compose_file,
            "base_directory": build.base_directory,
        }
        return {name: value for name, value in fields.items() if value is not None}
    from_git = config.source is not None and config.source.repository is not None
    fields = {
        "install_command": build.install_command,
        "build_command": build.build_command,
        "start_command": build.start_command,
        "base_directory": build.base_directory if from_git else None,
        "publish_directory": build.publish_directory,
        "dockerfile_location": build.dockerfile if build.pack is BuildPack.DOCKERFILE else None,
        "ports_exposes": build.ports_exposes if build.port or build.ports else None,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _limits(config: Config) -> dict[str, Any]:
    resources = config.resources
    return {
        "limits_cpus": resources.docker_cpus if resources.cpu else None,
        "limits_memory": resources.docker_memory if resources.memory else None,
        "limits_memory_swap": resources.docker_memory_swap if resources.memory_swap else None,
        "ports_mappings": ",".join(resources.port_mappings) or None,
    }


def _is_compose(config: Config) -> bool:
    from_git = config.source is not None and config.source.repository is not None
    return from_git and config.build.pack is BuildPack.DOCKERCOMPOSE


def _container_health(config: Config) -> dict[str, Any]:
    health = config.health
    if not health.container.enabled:
        return {"health_check_enabled": False}
    return {
        "health_check_enabled": True,
        "health_check_path": health.path,
        "health_check_port": str(health.port) if health.port else None,
        "health_check_return_code": health.expect[0],
        "health_check_interval": health.container.interval,
        "health_check_timeout": health.container.timeout,
        "health_check_retries": health.container.retries,
        "health_check_start_period": health.container.start_period,
    }
