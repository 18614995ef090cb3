"""Credentials of the providers that keep DNS zones."""

from __future__ import annotations

from prefect.blocks.abstract import CredentialsBlock
from pydantic import Field, HttpUrl, SecretStr

from coolify.dns_providers import CloudflareAccess, ManagedZone, Rfc2136Access, Route53Access

__all__ = ["CloudflareDns", "Rfc2136Dns", "Route53Dns"]


class CloudflareDns(CredentialsBlock):
    """API token for the DNS records of zones at Cloudflare.

    The token is created in Cloudflare under My Profile, API Tokens; it needs the permissions Zone Read and DNS Edit for
    the zones of the domains, and nothing more.

    Example:
        Open a zone:
        ```python
        from blocks import CloudflareDns

        credentials = CloudflareDns.load("BLOCK_NAME")
        zone = credentials.get_client("example.com")
        ```
    """

    _block_type_name = "Coolify Cloudflare DNS"
    _block_type_slug = "coolify-cloudflare-dns"
    _documentation_url = HttpUrl("https://developers.cloudflare.com/fundamentals/api/get-started/create-token/")

    token: SecretStr = Field(title="API token", description="API token with the permissions Zone Read and DNS Edit.")

    def get_client(self, zone: str) -> ManagedZone:
        """Return a zone that these credentials let us change."""
        return ManagedZone(CloudflareAccess(self.token), zone)


class Route53Dns(CredentialsBlock):
    """Keys for the DNS records of hosted zones at Amazon Route 53.

    Needed are route53:ListHostedZones, route53:ListResourceRecordSets and route53:ChangeResourceRecordSets. Without
    keys, those of the machine count: environment, profile, or the role of the instance.

    Example:
        Open a zone:
        ```python
        from blocks import Route53Dns

        credentials = Route53Dns.load("BLOCK_NAME")
        zone = credentials.get_client("example.com")
        ```
    """

    _block_type_name = "Coolify Route 53 DNS"
    _block_type_slug = "coolify-route53-dns"
    _documentation_url = HttpUrl(
        "https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/access-control-overview.html"
    )

    access_key_id: str = Field(default="", title="Access key ID", description="Access key; empty for the machine's.")
    secret_access_key: SecretStr = Field(
        default=SecretStr(""), title="Secret access key", description="Secret of the access key."
    )
    role_arn: str = Field(default="", title="Role", description="ARN of a role to assume with the keys; may be empty.")

    def get_client(self, zone: str) -> ManagedZone:
        """Return a zone that these credentials let us change."""
        return ManagedZone(Route53Access(self.access_key_id, self.secret_access_key, self.role_arn), zone)


class Rfc2136Dns(CredentialsBlock):
    """A TSIG key for the DNS records of a name server that takes dynamic updates.

    BIND, Knot and PowerDNS do, among others. The key must be allowed to update the zone and to transfer it.

    Example:
        Open a zone:
        ```python
        from blocks import Rfc2136Dns

        credentials = Rfc2136Dns.load("BLOCK_NAME")
        zone = credentials.get_client("example.com")
        ```
    """

    _block_type_name = "Coolify RFC 2136 DNS"
    _block_type_slug = "coolify-rfc2136-dns"
    _documentation_url = HttpUrl("https://bind9.readthedocs.io/en/stable/chapter6.html")

    server: str = Field(description="Address or name of the zone's primary name server.")
    port: int = Field(default=53, ge=1, le=65535, description="TCP port of the name server.")
    key_name: str = Field(default="", title="Key name", description="Name of the TSIG key.")
    key_secret: SecretStr = Field(
        default=SecretStr(""), title="Key secret", description="Secret of the TSIG key in base64."
    )
    key_algorithm: str = Field(default="hmac-sha256", title="Key algorithm", description="Algorithm of the TSIG key.")

    def get_client(self, zone: str) -> ManagedZone:
        """Return a zone that these credentials let us change."""
        access = Rfc2136Access(self.server, self.port, self.key_name, self.key_secret, self.key_algorithm)
        return ManagedZone(access, zone)
