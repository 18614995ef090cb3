"""What is set up on servers: proxy, agent, cleaning, log drains, tunnel (reference 3.6, 6.1; 4.3.0 and later)."""

import base64
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from coolify.api.capabilities import Capabilities, Feature
from coolify.api.models import Answer, listing
from coolify.api.transport import Transport

__all__ = [
    "CleanupRun",
    "CloudflareTunnel",
    "LogDrains",
    "LogDrainsWrite",
    "ProxySettings",
    "ProxyWrite",
    "SentinelSettings",
    "SentinelWrite",
    "ServerAdministration",
]


class _Write(BaseModel):
    """What PATCH accepts; what is not set is not sent."""

    model_config = ConfigDict(frozen=True, defer_build=True, extra="forbid")

    def body(self) -> dict[str, Any]:
        """Return the request body of exactly the fields that were set."""
        fields = {name: getattr(self, name) for name in sorted(self.model_fields_set)}
        return {
            name: value.get_secret_value() if isinstance(value, SecretStr) else value for name, value in fields.items()
        }


class ProxySettings(Answer):
    """The proxy that terminates TLS."""

    proxy_type: str | None = None
    status: str | None = None
    redirect_enabled: bool = True
    redirect_url: str | None = None
    """Where hosts are sent that nothing serves."""
    generate_exact_labels: bool = False
    configuration: str | None = Field(default=None, repr=False)
    """As last saved through Coolify; only with `read:sensitive`."""


class ProxyWrite(_Write):
    """Settings of the proxy that are to be."""

    proxy_type: Literal["traefik", "caddy", "nginx", "none"] | None = None
    redirect_enabled: bool | None = None
    redirect_url: str | None = None
    generate_exact_labels: bool | None = None


class SentinelSettings(Answer):
    """The agent that reports a server's state; `sentinel_updated_at` is its heartbeat."""

    is_sentinel_enabled: bool = False
    is_metrics_enabled: bool = False
    sentinel_metrics_refresh_rate_seconds: int | None = None
    sentinel_metrics_history_days: int | None = None
    sentinel_push_interval_seconds: int | None = None
    sentinel_updated_at: str | None = None
    sentinel_token: SecretStr | None = None
    sentinel_custom_url: str | None = None
    """Where it reaches Coolify; only with `read:sensitive`, as the token."""


class SentinelWrite(_Write):
    """Settings of the agent that are to be."""

    is_sentinel_enabled: bool | None = None
    is_metrics_enabled: bool | None = None
    is_sentinel_debug_enabled: bool | None = None
    sentinel_token: SecretStr | None = None
    sentinel_metrics_refresh_rate_seconds: int | None = Field(default=None, ge=1)
    sentinel_metrics_history_days: int | None = Field(default=None, ge=1)
    sentinel_push_interval_seconds: int | None = Field(default=None, ge=10)
    sentinel_custom_url: str | None = None


class LogDrains(Answer):
    """Where a server's logs are sent; keys and configurations are there only with `read:sensitive`."""

    is_logdrain_newrelic_enabled: bool = False
    logdrain_newrelic_base_uri: str | None = None
    is_logdrain_axiom_enabled: bool = False
    logdrain_axiom_dataset_name: str | None = None
    is_logdrain_custom_enabled: bool = False
    logdrain_newrelic_license_key: SecretStr | None = None
    logdrain_axiom_api_key: SecretStr | None = None
    logdrain_custom_config: SecretStr | None = None
    logdrain_custom_config_parser: SecretStr | None = None


class LogDrainsWrite(_Write):
    """Log drains that are to be; one that is switched on needs its keys."""

    is_logdrain_newrelic_enabled: bool | None = None
    logdrain_newrelic_license_key: SecretStr | None = None
    logdrain_newrelic_base_uri: str | None = None
    is_logdrain_axiom_enabled: bool | None = None
    logdrain_axiom_dataset_name: str | None = None
    logdrain_axiom_api_key: SecretStr | None = None
    is_logdrain_custom_enabled: bool | None = None
    logdrain_custom_config: SecretStr | None = None
    logdrain_custom_config_parser: SecretStr | None = None


class CloudflareTunnel(Answer):
    """A flag: Coolify reaches the server through a tunnel that somebody else has set up."""

    is_cloudflare_tunnel: bool = False
    ip: str | None = None
    ip_previous: str | None = None


class CleanupRun(Answer):
    """One cleaning of a server."""

    uuid: str
    status: str
    message: str | None = None
    created_at: datetime | None = None


_RUNS: Final = listing(CleanupRun)


class ServerAdministration:
    """`/servers/{uuid}/proxy` and its neighbours."""

    def __init__(self, transport: Transport, capabilities: Callable[[], Awaitable[Capabilities]]) -> None:
        self._transport = transport
        self._capabilities = capabilities

    async def proxy(self, server_uuid: str) -> ProxySettings:
        """Return the settings of the proxy."""
        return ProxySettings.model_validate(await self._get(server_uuid, "proxy"))

    async def set_proxy(self, server_uuid: str, settings: ProxyWrite) -> ProxySettings:
        """Change settings of the proxy."""
        return ProxySettings.model_validate(await self._patch(server_uuid, "proxy", settings.body()))

    async def write_proxy_configuration(self, server_uuid: str, compose: str) -> ProxySettings:
        """Write the proxy's compose file; it takes effect with the next restart, and is not checked by Coolify."""
        path = await self._path(server_uuid, "proxy/configuration")
        # Text that happens to be base64 would be decoded (trap 9): always encoded, it is never mistaken.
        encoded = base64.b64encode(compose.encode()).decode()
        return ProxySettings.model_validate(await self._transport.put(path, {"configuration": encoded}))

    async def restart_proxy(self, server_uuid: str) -> None:
        """Queue a restart of the proxy; connections of all applications on the server break."""
        await self._transport.post_once(await self._path(server_uuid, "proxy/restart"))

    async def sentinel(self, server_uuid: str) -> SentinelSettings:
        """Return the settings of the reporting agent."""
        return SentinelSettings.model_validate(await self._get(server_uuid, "sentinel"))

    async def set_sentinel(self, server_uuid: str, settings: SentinelWrite) -> SentinelSettings:
        """Change settings of the reporting agent."""
        return SentinelSettings.model_validate(await self._patch(server_uuid, "sentinel", settings.body()))

    async def log_drains(self, server_uuid: str) -> LogDrains:
        """Return where the logs are sent."""
        return LogDrains.model_validate(await self._get(server_uuid, "log-drains"))

    async def set_log_drains(self, server_uuid: str, drains: LogDrainsWrite) -> LogDrains:
        """Change where the logs are sent."""
        return LogDrains.model_validate(await self._patch(server_uuid, "log-drains", drains.body()))

    async def run_cleanup(self, server_uuid: str) -> None:
        """Queue a cleaning; it has no id yet."""
        await self._transport.post_once(await self._path(server_uuid, "docker-cleanup/run"))

    async def cleanups(self, server_uuid: str) -> tuple[CleanupRun, ...]:
        """Return the cleanings, newest first."""
        return _RUNS.validate_python(await self._get(server_uuid, "docker-cleanup/executions"))

    async def tunnel(self, server_uuid: str) -> CloudflareTunnel:
        """Return whether Coolify takes the server for one behind a tunnel."""
        return CloudflareTunnel.model_validate(await self._get(server_uuid, "cloudflare-tunnel"))

    async def set_tunnel(self, server_uuid: str, *, enabled: bool) -> CloudflareTunnel:
        """Tell Coolify that the server is behind a tunnel, or no more.

        Raises:
            ValidationFailedError: It is Coolify's own server.
        """
        verb = "enable" if enabled else "disable"
        answer = await self._transport.post(await self._path(server_uuid, f"cloudflare-tunnel/{verb}"))
        return CloudflareTunnel.model_validate(answer)

    async def _get(self, server_uuid: str, what: str) -> Any:  # noqa: ANN401 - JSON
        return await self._transport.get(await self._path(server_uuid, what))

    async def _patch(self, server_uuid: str, what: str, body: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
        return await self._transport.patch(await self._path(server_uuid, what), body)

    async def _path(self, server_uuid: str, what: str) -> str:
        (await self._capabilities()).require(Feature.SERVER_ADMINISTRATION)
        return f"/servers/{server_uuid}/{what}"
