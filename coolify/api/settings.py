"""Settings of an application that the API can change (reference table 2.2), and how they are written."""

import base64
from collections.abc import Mapping
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, SecretStr

from coolify.api.capabilities import Capabilities, Feature

__all__ = ["ApplicationSettings", "ComposeDomain"]

_BASE64: Final = frozenset({"custom_labels", "custom_nginx_configuration"})
_BLOCK: Final = (
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
)
_SINCE: Final[Mapping[str, Feature]] = (
    {"noindex_domains": Feature.NOINDEX_DOMAINS}
    | dict.fromkeys(("max_restart_count", "preview_url_template"), Feature.RESTART_LIMIT)
    | dict.fromkeys(_BLOCK, Feature.APPLICATION_SETTINGS)
)


class ComposeDomain(BaseModel):
    """Addresses of one container of a compose application."""

    model_config = ConfigDict(frozen=True, defer_build=True, extra="forbid")

    name: str
    domain: str
    """Comma-separated URLs."""
    redirect: Literal["both", "www", "non-www"] | None = None


class ApplicationSettings(BaseModel):
    """The fields that create and PATCH accept; what is not set is not sent.

    `domains` is the list of URLs that is read back as `fqdn`. Labels are plain text here, base64 on the wire. A PATCH
    of `domains` regenerates all labels (reference 3.5): labels of one's own go into a PATCH of their own afterwards.
    """

    model_config = ConfigDict(frozen=True, defer_build=True, extra="forbid")

    name: str | None = None
    description: str | None = None
    domains: str | None = None
    git_repository: str | None = None
    git_branch: str | None = None
    git_commit_sha: str | None = None
    build_pack: Literal["nixpacks", "railpack", "static", "dockerfile", "dockercompose"] | None = None
    static_image: str | None = None
    install_command: str | None = None
    build_command: str | None = None
    start_command: str | None = None
    base_directory: str | None = None
    publish_directory: str | None = None
    dockerfile_location: str | None = None
    dockerfile_target_build: str | None = None
    docker_compose_location: str | None = None
    docker_compose_custom_build_command: str | None = None
    docker_compose_custom_start_command: str | None = None
    docker_registry_image_name: str | None = None
    docker_registry_image_tag: str | None = None
    custom_docker_run_options: str | None = None
    custom_network_aliases: str | None = None
    ports_exposes: str | None = None
    ports_mappings: str | None = None
    watch_paths: str | None = None
    pre_deployment_command: str | None = None
    pre_deployment_command_container: str | None = None
    post_deployment_command: str | None = None
    post_deployment_command_container: str | None = None
    health_check_enabled: bool | None = None
    health_check_type: Literal["http", "cmd"] | None = None
    health_check_command: str | None = None
    health_check_path: str | None = None
    health_check_port: str | None = None
    health_check_host: str | None = None
    health_check_method: str | None = None
    health_check_scheme: str | None = None
    health_check_return_code: int | None = None
    health_check_response_text: str | None = None
    health_check_interval: int | None = None
    health_check_timeout: int | None = None
    health_check_retries: int | None = None
    health_check_start_period: int | None = None
    limits_memory: str | None = None
    limits_memory_swap: str | None = None
    limits_memory_swappiness: int | None = None
    limits_memory_reservation: str | None = None
    limits_cpus: str | None = None
    limits_cpuset: str | None = None
    limits_cpu_shares: int | None = None
    redirect: Literal["both", "www", "non-www"] | None = None
    noindex_domains: tuple[str, ...] | None = None
    is_force_https_enabled: bool | None = None
    is_auto_deploy_enabled: bool | None = None
    is_preview_deployments_enabled: bool | None = None
    is_static: bool | None = None
    is_spa: bool | None = None
    is_http_basic_auth_enabled: bool | None = None
    http_basic_auth_username: str | None = None
    http_basic_auth_password: SecretStr | None = None
    custom_labels: str | None = None
    custom_nginx_configuration: str | None = None
    connect_to_docker_network: bool | None = None
    use_build_server: bool | None = None
    use_build_secrets: bool | None = None
    docker_images_to_keep: int | None = None
    stop_grace_period: int | None = None
    include_source_commit_in_build: bool | None = None
    docker_compose_domains: tuple[ComposeDomain, ...] | None = None
    is_container_label_escape_enabled: bool | None = None
    is_preserve_repository_enabled: bool | None = None
    manual_webhook_secret_github: SecretStr | None = None
    manual_webhook_secret_gitlab: SecretStr | None = None
    manual_webhook_secret_bitbucket: SecretStr | None = None
    manual_webhook_secret_gitea: SecretStr | None = None
    max_restart_count: int | None = None
    preview_url_template: str | None = None
    custom_internal_name: str | None = None
    disable_build_cache: bool | None = None
    gpu_count: str | None = None
    gpu_device_ids: str | None = None
    gpu_driver: str | None = None
    gpu_options: str | None = None
    inject_build_args_to_dockerfile: bool | None = None
    is_consistent_container_name_enabled: bool | None = None
    is_env_sorting_enabled: bool | None = None
    is_git_lfs_enabled: bool | None = None
    is_git_shallow_clone_enabled: bool | None = None
    is_git_submodules_enabled: bool | None = None
    is_gpu_enabled: bool | None = None
    is_gzip_enabled: bool | None = None
    is_log_drain_enabled: bool | None = None
    is_pr_deployments_public_enabled: bool | None = None
    is_raw_compose_deployment_enabled: bool | None = None
    is_stripprefix_enabled: bool | None = None

    def body(self, capabilities: Capabilities) -> dict[str, Any]:
        """Return the request body of exactly the fields that were set.

        Raises:
            UnsupportedVersionError: The server would answer 422 to one of them.
        """
        body: dict[str, Any] = {}
        for name in sorted(self.model_fields_set):
            value = getattr(self, name)
            if value is not None and name in _SINCE:
                capabilities.require(_SINCE[name])
            if value == "railpack":
                capabilities.require(Feature.RAILPACK)
            body[name] = _on_the_wire(name, value)
        return body


def _on_the_wire(name: str, value: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, tuple):
        return [one.model_dump(exclude_none=True) if isinstance(one, BaseModel) else one for one in value]
    if name in _BASE64 and value is not None:
        return base64.b64encode(str(value).encode()).decode()
    return value
