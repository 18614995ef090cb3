"""The provider of a configured application, with the credentials of this machine's environment."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import SecretStr

from coolify.config import Reference
from coolify.config.dns_records import CloudflareProvider, DnsProvider, Route53Provider
from coolify.dns_providers.backend import Backend
from coolify.dns_providers.cloudflare import CloudflareAccess
from coolify.dns_providers.rfc2136 import Rfc2136Access
from coolify.dns_providers.route53 import Route53Access

__all__ = ["backend_of"]


def backend_of(section: DnsProvider, environ: Mapping[str, str]) -> Backend:
    """Return the provider of the section `dns.records`; blocks that it names are not looked at.

    Args:
        section: The provider's own section.
        environ: Where `${NAME}` is looked up, `os.environ` as a rule.

    Raises:
        ConfigError: A variable is not set.
    """

    def text(reference: Reference | None) -> str:
        return reference.resolve(environ).strip() if reference else ""

    match section:
        case CloudflareProvider():
            return CloudflareAccess(SecretStr(text(section.token)))
        case Route53Provider():
            secret = SecretStr(text(section.secret_access_key))
            return Route53Access(text(section.access_key_id), secret, section.role_arn or "")
        case _:
            secret = SecretStr(text(section.key_secret))
            return Rfc2136Access(section.server, section.port, section.key_name or "", secret, section.key_algorithm)
