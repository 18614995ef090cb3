"""Section `dns.records`: who keeps the zone of the domains, and how records are written there."""

import ipaddress
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, Self, TypeAlias

from pydantic import AfterValidator, Field, model_validator

from coolify.config.base import Section
from coolify.config.fields import HostName, Line, Port, Seconds
from coolify.config.interpolation import Reference
from coolify.hostnames import HostNameError, check_host_name

__all__ = ["CloudflareProvider", "DnsProvider", "DnsRecords", "Rfc2136Provider", "Route53Provider"]

_PROVIDERS: Final = ("cloudflare", "route53", "rfc2136")


def _server(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text.strip("[]")))
    except ValueError:
        pass
    try:
        return check_host_name(text)
    except HostNameError:
        raise ValueError("is neither an IP address nor a host name; a port goes into `port`.") from None


ServerName = Annotated[str, AfterValidator(_server)]
"""Address or host name of a name server."""


class CloudflareProvider(Section):
    """The zone is at Cloudflare; the token needs the permissions Zone Read and DNS Edit for it."""

    token: Reference = Field(
        default=Reference("${CLOUDFLARE_API_TOKEN}"), json_schema_extra={"default": "${CLOUDFLARE_API_TOKEN}"}
    )
    """API token, as a reference to an environment variable; a literal token is refused."""
    block: Line | None = None
    """Name of a Prefect block `Coolify Cloudflare DNS` with the token; goes before `token`."""


class Route53Provider(Section):
    """The zone is at Amazon Route 53; without keys here, those count that boto3 finds."""

    access_key_id: Reference | None = None
    """Access key, as a reference to an environment variable."""
    secret_access_key: Reference | None = None
    """Its secret, as a reference to an environment variable; a literal one is refused."""
    role_arn: Line | None = None
    """Role to assume with the keys."""
    block: Line | None = None
    """Name of a Prefect block `Coolify Route 53 DNS` with the keys; goes before them."""

    @model_validator(mode="after")
    def _has_both_keys(self) -> Self:
        if (self.access_key_id is None) != (self.secret_access_key is None):
            raise ValueError("needs `access_key_id` and `secret_access_key`, or neither of them.")
        return self


class Rfc2136Provider(Section):
    """A primary name server takes dynamic updates (BIND, Knot, PowerDNS), and lets the key transfer the zone."""

    server: ServerName
    """Address or name of the zone's primary name server."""
    port: Port = 53
    """TCP port of the name server."""
    key_name: Line | None = None
    """Name of the TSIG key."""
    key_secret: Reference | None = None
    """Secret of the key in base64, as a reference to an environment variable; a literal one is refused."""
    key_algorithm: Literal["hmac-sha256", "hmac-sha384", "hmac-sha512", "hmac-sha224", "hmac-sha1"] = "hmac-sha256"
    """Algorithm of the key."""
    block: Line | None = None
    """Name of a Prefect block `Coolify RFC 2136 DNS` with the key; goes before the key here."""

    @model_validator(mode="after")
    def _has_a_whole_key(self) -> Self:
        if (self.key_name is None) != (self.key_secret is None):
            raise ValueError("needs `key_name` and `key_secret`, or neither of them.")
        return self


DnsProvider: TypeAlias = CloudflareProvider | Route53Provider | Rfc2136Provider


class DnsRecords(Section):
    """Who keeps the zone; exactly one of `cloudflare`, `route53` and `rfc2136`."""

    zone: HostName
    """The zone that holds the domains; records of hosts outside of it are not written."""
    ttl: Annotated[int, Field(ge=60, le=86400)] = 300
    """Seconds that resolvers may remember the records that are written."""
    wait: Seconds = 900.0
    """Seconds to wait until the last name server follows a change."""
    cloudflare: CloudflareProvider | None = None
    """The zone is at Cloudflare."""
    route53: Route53Provider | None = None
    """The zone is at Amazon Route 53."""
    rfc2136: Rfc2136Provider | None = None
    """The zone is at a name server that takes dynamic updates (RFC 2136)."""

    @model_validator(mode="before")
    @classmethod
    def _take_bare_names(cls, data: Any) -> Any:  # noqa: ANN401 - pydantic hands over whatever was written
        """Take `route53:` without anything below it for a provider that needs nothing more."""
        if not isinstance(data, Mapping):
            return data
        return {key: {} if value is None and key in _PROVIDERS else value for key, value in data.items()}

    @model_validator(mode="after")
    def _has_one_provider(self) -> Self:
        given = [name for name in _PROVIDERS if getattr(self, name) is not None]
        if len(given) != 1:
            have = " and ".join(given) or "none"
            raise ValueError(f"needs exactly one of `cloudflare`, `route53` and `rfc2136`, has {have}.")
        return self

    @property
    def provider(self) -> DnsProvider:
        """The section of the provider."""
        found = self.cloudflare or self.route53 or self.rfc2136
        if found is None:
            raise TypeError("the section was validated without a provider")
        return found
