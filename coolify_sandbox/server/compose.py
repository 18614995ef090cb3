"""What Coolify makes of the compose file of a service: parts, domains, variables, volumes (reference 5.5)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from io import StringIO
from typing import Any, Final
from urllib.parse import urlsplit

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

__all__ = ["TEMPLATES", "Part", "deployed_compose", "normalised_compose", "parse_parts"]

TEMPLATES: Final = {
    "uptime-kuma": """\
services:
  uptime-kuma:
    image: louislam/uptime-kuma:2
    environment:
      - SERVICE_URL_UPTIMEKUMA_3001
    volumes:
      - uptime-kuma-data:/app/data
    healthcheck:
      test: ["CMD-SHELL", "extra/healthcheck"]
      interval: 5s
      timeout: 5s
      retries: 10
"""
}
"""The one-click services of this installation. The real catalogue has hundreds."""

_DATABASES: Final = frozenset(
    {"postgres", "mysql", "mariadb", "mongo", "redis", "keydb", "dragonfly", "clickhouse-server", "memcached", "valkey"}
)
"""Image names that Coolify takes for a database."""
_ADDRESS: Final = re.compile(r"^SERVICE_(?:FQDN|URL)_([A-Z0-9_]+?)(?:_(\d+))?$")


@dataclass(frozen=True)
class Part:
    """One container of a service."""

    name: str
    image: str
    is_database: bool
    fqdn: str | None
    variables: dict[str, str]
    """What Coolify generates: names and values."""
    volumes: dict[str, str]
    """Named volumes: name -> path in the container."""


def parse_parts(compose: str, uuid: str, wildcard: str) -> tuple[Part, ...]:
    """Read the parts of a service.

    Args:
        compose: The compose file.
        uuid: The service's UUID, which is part of every generated name.
        wildcard: Wildcard domain of the server, with scheme.

    Raises:
        ValueError: The text is no compose file.
    """
    try:
        document = YAML(typ="safe").load(compose)
    except YAMLError as error:
        raise ValueError("not YAML") from error
    services = document.get("services") if isinstance(document, dict) else None
    if not isinstance(services, dict):
        raise ValueError("no services")  # noqa: TRY004 - the caller's text is wrong, not a type
    return tuple(_part(str(name), one or {}, uuid, wildcard) for name, one in services.items())


def normalised_compose(compose: str) -> str:
    """Return the file as Coolify stores it: the same content, written anew."""
    return _dumped(YAML(typ="safe").load(compose))


def deployed_compose(compose: str, uuid: str, parts: tuple[Part, ...], version: str, name: str) -> str:
    """Return the file that is sent to the server: own names, the generated variables, Coolify's labels."""
    document = YAML(typ="safe").load(compose)
    by_name = {part.name: part for part in parts}
    for key, service in document["services"].items():
        part = by_name[str(key)]
        service["environment"] = _environment(service.get("environment"), part) | {
            "COOLIFY_RESOURCE_UUID": uuid,
            "COOLIFY_CONTAINER_NAME": f"{key}-{uuid}",
        }
        if part.volumes:
            service["volumes"] = [f"{uuid}_{volume}:{path}" for volume, path in part.volumes.items()]
        service |= {
            "container_name": f"{key}-{uuid}",
            "restart": "unless-stopped",
            "labels": [
                "coolify.managed=true",
                f"coolify.version={version}",
                "coolify.type=service",
                f"coolify.name={key}-{uuid}",
                f"coolify.resourceName={name}",
                f"coolify.serviceName={key}",
            ],
            "networks": {uuid: None},
            "env_file": [".env"],
        }
    volumes = {f"{uuid}_{volume}": {"name": f"{uuid}_{volume}"} for part in parts for volume in part.volumes}
    networks = {uuid: {"name": uuid, "external": True}}
    return _dumped(document | ({"volumes": volumes} if volumes else {}) | {"networks": networks})


def _part(name: str, service: dict[str, Any], uuid: str, wildcard: str) -> Part:
    image = str(service.get("image", ""))
    variables: dict[str, str] = {}
    fqdn = None
    for key in _pairs(service.get("environment")):
        match = _ADDRESS.match(key)
        if match is None:
            continue
        label, port = match.groups()
        parts = urlsplit(wildcard)
        host = f"{label.lower().replace('_', '-')}-{uuid}.{parts.netloc}"
        for suffix, tail in (("", ""), *([(f"_{port}", f":{port}")] if port else [])):
            variables[f"SERVICE_FQDN_{label}{suffix}"] = host + tail
            variables[f"SERVICE_URL_{label}{suffix}"] = f"{parts.scheme}://{host}{tail}"
            fqdn = f"{parts.scheme}://{host}{tail}"
    is_database = image.partition(":")[0].rpartition("/")[2] in _DATABASES
    return Part(name, image, is_database, fqdn, variables, _volumes(service.get("volumes")))


def _pairs(environment: Any) -> dict[str, Any]:  # noqa: ANN401 - YAML
    """Return the variables of a service; both spellings of compose files are allowed."""
    if isinstance(environment, dict):
        return {str(key): value for key, value in environment.items()}
    split = (str(one).partition("=") for one in environment or [])
    return {key: value for key, _, value in split}


def _environment(environment: Any, part: Part) -> dict[str, Any]:  # noqa: ANN401 - YAML
    return {key: part.variables.get(key, value) for key, value in _pairs(environment).items()}


def _volumes(volumes: Any) -> dict[str, str]:  # noqa: ANN401 - YAML
    named = (str(one).split(":") for one in volumes or [] if isinstance(one, str))
    return {one[0]: one[1] for one in named if len(one) > 1 and not one[0].startswith(("/", ".", "~"))}


def _dumped(document: Any) -> str:  # noqa: ANN401 - YAML
    yaml = YAML(typ="safe")
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    stream = StringIO()
    yaml.dump(document, stream)
    return stream.getvalue()
