"""Cloudflare, through octoDNS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from pydantic import SecretStr

from coolify.dns_providers.backend import Provider

__all__ = ["CloudflareAccess"]

_LEAST_TTL: Final = 60
"""Smallest TTL that Cloudflare takes outside of Enterprise zones (API documentation of DNS records)."""
_RETRIES: Final = 3
_RETRY_SECONDS: Final = 5
"""octoDNS would wait for 300 s after a rate limit or a 502, four times."""
_TIMEOUT_SECONDS: Final = 15


@dataclass(frozen=True, slots=True)
class CloudflareAccess:
    """An API token with the permissions Zone Read and DNS Edit for the zone."""

    token: SecretStr

    @property
    def label(self) -> str:
        """Who that is, for a sentence."""
        return "Cloudflare"

    def open(self) -> Provider:
        """Return a provider without anything remembered."""
        from octodns_cloudflare import CloudflareProvider  # type: ignore[import-untyped]

        provider: Provider = CloudflareProvider(
            "cloudflare",
            token=self.token.get_secret_value(),
            # Page rules need a permission of their own, and are none of our business.
            pagerules=False,
            min_ttl=_LEAST_TTL,
            retry_count=_RETRIES,
            retry_period=_RETRY_SECONDS,
            timeout=_TIMEOUT_SECONDS,
        )
        return provider

    def zones(self, provider: Any) -> tuple[str, ...]:  # noqa: ANN401 - octoDNS
        """Return the zones that the token sees."""
        return tuple(provider.list_zones())

    def servers(self, provider: Any, zone: str) -> tuple[str, ...]:  # noqa: ANN401 - octoDNS
        """Return the name servers that Cloudflare has assigned: its own NS records are not in the list of records."""
        return tuple(provider.zones[f"{zone}."]["name_servers"])

    def failures(self) -> tuple[type[Exception], ...]:
        """Return what the provider raises when the world is wrong."""
        from octodns.provider import ProviderException  # type: ignore[import-untyped]
        from requests import RequestException

        return ProviderException, RequestException

    def explain(self, error: Exception, zone: str) -> str:
        """Return one sentence about a failure."""
        from octodns_cloudflare import (
            Cloudflare5xxError,
            CloudflareAuthenticationError,
            CloudflareRateLimitError,
        )
        from requests import HTTPError, RequestException

        refused = (
            f"Cloudflare refuses the API token for {zone}: create one with the permissions Zone Read and DNS Edit for "
            "this zone."
        )
        match error:
            case CloudflareAuthenticationError():
                return refused
            case CloudflareRateLimitError():
                return "Cloudflare's rate limit is reached (1,200 requests in five minutes): try again later."
            case Cloudflare5xxError():
                return "Cloudflare's API is failing: look at https://www.cloudflarestatus.com and try again later."
            case HTTPError(response=response) if response is not None:
                return refused if response.status_code == 401 else f"Cloudflare's API answered {response.status_code}."
            case RequestException():
                return (
                    f"Cloudflare's API cannot be reached ({type(error).__name__}): check the network of this machine."
                )
        return f"Cloudflare refuses the request about {zone}: {str(error).rstrip('.')}."
