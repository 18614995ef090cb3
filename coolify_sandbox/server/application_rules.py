"""What Coolify accepts in requests about applications (reference 2.1, 2.2), with its messages."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from coolify_sandbox.server.validation import (
    Rule,
    at_least,
    at_most,
    boolean,
    description,
    integer,
    is_base64,
    longest,
    matches,
    not_null,
    number,
    one_of,
    required,
    text,
)

__all__ = [
    "CREATE_ONLY",
    "SETTINGS_FIELDS",
    "UPDATE_RULES",
    "compose_errors",
    "hand_written_errors",
    "stored_compose_domains",
    "stored_image",
    "variant_rules",
]

_SHELL_SAFE: Final = r"^(?:'[^']*'|&&|\|\||[^;$`|&<>'\\\n])*$"
_PATH: Final = r"^/(?!.*\.\.)[A-Za-z0-9._/@~+-]*$"
_IMAGE: Final = r"^[a-z0-9]+(?:[._/:@-][A-Za-z0-9._-]+|[._-]*)*$"
_IMAGE_MESSAGE: Final = "The docker registry image name format is invalid. Use image:tag or image@sha256:hash format."


def _image(_: str, value: Any) -> str | None:  # noqa: ANN401 - JSON
    fine = value is None or (isinstance(value, str) and re.search(_IMAGE, value))
    return None if fine else _IMAGE_MESSAGE


_COMMAND: Final[tuple[Rule, ...]] = (text, longest(1000), matches(_SHELL_SAFE))
_ABSOLUTE: Final[tuple[Rule, ...]] = (text, matches(_PATH))

BUILD_PACKS: Final = ("nixpacks", "railpack", "static", "dockerfile", "dockercompose")

_GIT: Final[dict[str, tuple[Rule, ...]]] = {
    "git_repository": (text,),
    "git_branch": (text, matches(r"^[A-Za-z0-9][A-Za-z0-9._/#@+-]*$", "The {name} contains invalid characters.")),
    "git_commit_sha": (text, matches(r"^[A-Za-z0-9][A-Za-z0-9._/-]*$")),
}

_FLAGS: Final = (
    "health_check_enabled",
    "is_auto_deploy_enabled",
    "is_container_label_escape_enabled",
    "is_force_https_enabled",
    "is_http_basic_auth_enabled",
    "is_preserve_repository_enabled",
    "is_spa",
    "is_static",
    "connect_to_docker_network",
    "use_build_server",
    "use_build_secrets",
    "instant_deploy",
    "force_domain_override",
)

SETTINGS_FIELDS: Final = frozenset(
    {
        "custom_internal_name",
        "disable_build_cache",
        "docker_images_to_keep",
        "gpu_count",
        "gpu_device_ids",
        "gpu_driver",
        "gpu_options",
        "include_source_commit_in_build",
        "inject_build_args_to_dockerfile",
        "is_consistent_container_name_enabled",
        "is_env_sorting_enabled",
        "is_git_lfs_enabled",
        "is_git_shallow_clone_enabled",
        "is_git_submodules_enabled",
        "is_gpu_enabled",
        "is_gzip_enabled",
        "is_log_drain_enabled",
        "is_pr_deployments_public_enabled",
        "is_preview_deployments_enabled",
        "is_raw_compose_deployment_enabled",
        "is_stripprefix_enabled",
        "stop_grace_period",
    }
)
"""The settings block that is readable and writable since 4.2.0."""

_SETTINGS_TEXTS: Final = frozenset({"custom_internal_name", "gpu_count", "gpu_device_ids", "gpu_driver", "gpu_options"})

UPDATE_RULES: Final[Mapping[str, tuple[Rule, ...]]] = {
    "name": (text,),
    "description": (text, description),
    "domains": (text, longest(2048)),
    **_GIT,
    "build_pack": (one_of(*BUILD_PACKS),),
    "static_image": (one_of("nginx:alpine"),),
    **dict.fromkeys(
        (
            "install_command",
            "build_command",
            "start_command",
            "docker_compose_custom_build_command",
            "docker_compose_custom_start_command",
        ),
        _COMMAND,
    ),
    "custom_docker_run_options": (text, longest(2000), matches(_SHELL_SAFE)),
    "ports_exposes": (text,),
    "ports_mappings": (text, matches(r"^\d+:\d+(,\d+:\d+)*$")),
    **dict.fromkeys(
        ("base_directory", "publish_directory", "dockerfile_location", "docker_compose_location"), _ABSOLUTE
    ),
    "dockerfile_target_build": (text,),
    "docker_compose_domains": (),
    "docker_registry_image_name": (text, _image),
    "docker_registry_image_tag": (text, matches(r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$")),
    "watch_paths": (text,),
    **dict.fromkeys(
        (
            "pre_deployment_command",
            "pre_deployment_command_container",
            "post_deployment_command",
            "post_deployment_command_container",
            "custom_network_aliases",
            "custom_labels",
            "custom_nginx_configuration",
            "preview_url_template",
            "manual_webhook_secret_github",
            "manual_webhook_secret_gitlab",
            "manual_webhook_secret_bitbucket",
            "manual_webhook_secret_gitea",
        ),
        (text,),
    ),
    "health_check_type": (one_of("http", "cmd"),),
    "health_check_command": (text, longest(1000), matches(r"^[A-Za-z0-9 \-_./:=@,+]*$")),
    "health_check_path": (text, matches(r"^/[A-Za-z0-9._~/@:%+=,&-]*$")),
    "health_check_port": (integer, at_least(1), at_most(65535)),
    "health_check_host": (text,),
    "health_check_method": (one_of("GET", "HEAD", "POST", "OPTIONS"),),
    "health_check_scheme": (one_of("http", "https"),),
    "health_check_response_text": (text,),
    **dict.fromkeys(
        (
            "health_check_return_code",
            "health_check_interval",
            "health_check_timeout",
            "health_check_retries",
            "health_check_start_period",
            "limits_memory_swappiness",
            "limits_cpu_shares",
        ),
        (number,),
    ),
    **dict.fromkeys(
        ("limits_memory", "limits_memory_swap", "limits_memory_reservation", "limits_cpus", "limits_cpuset"), (text,)
    ),
    "redirect": (one_of("both", "www", "non-www"),),
    "noindex_domains": (),
    "max_restart_count": (integer, at_least(0)),
    "http_basic_auth_username": (not_null,),
    "http_basic_auth_password": (not_null,),
    **dict.fromkeys(_FLAGS, (boolean,)),
    **{name: (text,) if name in _SETTINGS_TEXTS else (boolean,) for name in SETTINGS_FIELDS},
    "stop_grace_period": (integer, at_least(1)),
    "docker_images_to_keep": (integer, at_least(0), at_most(100)),
}
"""All fields of PATCH; creating takes the same, and `CREATE_ONLY`, but not `dockerfile_target_build`."""

CREATE_ONLY: Final = frozenset(
    {
        "project_uuid",
        "server_uuid",
        "environment_name",
        "environment_uuid",
        "destination_uuid",
        "tags",
        "autogenerate_domain",
        "private_key_uuid",
        "github_app_uuid",
        "dockerfile",
    }
)

SINCE: Final[Mapping[str, str]] = {
    **dict.fromkeys(SETTINGS_FIELDS, "4.2.0"),
    "noindex_domains": "4.3.0",
    "max_restart_count": "4.3.0",
    "preview_url_template": "4.3.0",
}
"""First version that accepts a field; older ones refuse it as unknown."""

_REPOSITORY: Final = "The git repository must start with https://, http://, git://, or git@."
_LOCAL: Final = r"/|file://|[a-z_][a-z0-9_-]*@127\.0\.0\.1:"
"""The sandbox's one deliberate extension: a repository on this machine, over ssh under any name."""


def variant_rules(variant: str) -> Mapping[str, tuple[Rule, ...]]:
    """Return the rules that hold only when an application of this variant is created."""
    git = {
        "git_repository": (required, text, matches(rf"^(https?://|git://|git@|{_LOCAL})", _REPOSITORY)),
        "git_branch": (required, *_GIT["git_branch"]),
        "build_pack": (required, *UPDATE_RULES["build_pack"]),
    }
    match variant:
        case "public":
            return git
        case "private-deploy-key":
            return git | {"private_key_uuid": (required, text)}
        case "private-github-app":
            # Here `owner/name` will do too.
            named = {"git_repository": (required, text)}
            return git | named | {"github_app_uuid": (required, text)}
        case "dockerfile":
            return {"dockerfile": (text,)}
        case _:
            return {"docker_registry_image_name": UPDATE_RULES["docker_registry_image_name"]}


def compose_errors(body: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return what is wrong with the domains of the services of a compose file."""
    items = body.get("docker_compose_domains")
    if items is None:
        return {}
    if not isinstance(items, list) or any(not isinstance(one, dict) or not one.get("name") for one in items):
        return {"docker_compose_domains": ["The docker compose domains field is invalid."]}
    unknown = {key for one in items for key in one} - {"name", "domain", "redirect"}
    return {f"docker_compose_domains.*.{key}": ["This field is not allowed."] for key in sorted(unknown)}


def stored_compose_domains(body: Mapping[str, Any]) -> dict[str, str]:
    """Return the domains of compose services as they are stored, nothing where the request has none."""
    items = body.get("docker_compose_domains")
    if items is None:
        return {}
    return {"docker_compose_domains": json.dumps({one["name"]: {"domain": one.get("domain")} for one in items})}


def stored_image(name: str, tag: str | None) -> tuple[str, str]:
    """Return name and tag as they are stored: a digest moves into the tag, and marks the name (reference 2.1)."""
    base, pinned, digest = name.partition("@sha256:")
    if pinned:
        return f"{base}@sha256", digest
    if tag and re.fullmatch(r"[0-9a-f]{64}", tag):
        return f"{name.removesuffix('@sha256')}@sha256", tag
    base, colon, own = name.rpartition(":")
    if not colon or "/" in own:
        base, own = name, ""
    return base, tag or own or "latest"


def hand_written_errors(body: Mapping[str, Any]) -> dict[str, str]:
    """Return what Coolify checks by hand: these errors are strings, not lists (reference 0.3)."""
    errors = {
        field: f"The {field} should be base64 encoded."
        for field in ("custom_labels", "custom_nginx_configuration", "dockerfile")
        if field in body and not is_base64(body[field])
    }
    hosts = [pair.partition(":")[0] for pair in str(body.get("ports_mappings") or "").split(",")]
    if len(hosts) != len(set(hosts)):
        errors["ports_mappings"] = "The ports_mappings must not map a host port twice."
    ports = body.get("ports_exposes")
    if ports is not None and not re.fullmatch(r"\d+(,\d+)*", str(ports)):
        errors["ports_exposes"] = "The ports_exposes should be a comma separated list of numbers."
    return errors
