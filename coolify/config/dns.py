"""Section `dns`: with whom the name system is compared, which authority is to issue, and who keeps the records."""

from typing import Literal

from coolify.config.base import Section
from coolify.config.dns_records import DnsRecords
from coolify.config.fields import HostName, Line
from coolify.config.network import ResolverAddress

__all__ = ["Dns"]


class Dns(Section):
    """What the checks of domains know beside the names."""

    public_resolvers: tuple[ResolverAddress, ...] | None = None
    """DNS servers that visitors use, to see how far a change has come; 1.1.1.1, 8.8.8.8 and 9.9.9.9 when left out,
    none where `network.resolvers` is set. An empty list asks none."""
    certificate_authority: HostName | None = None
    """Name of the certificate authority in CAA records; letsencrypt.org when left out, and any with
    `network.ca_file`."""
    acme_account: Line | None = None
    """Address of the proxy's ACME account, for CAA records that allow certain accounts only (`accounturi`)."""
    challenge: Literal["http-01", "tls-alpn-01", "dns-01"] = "http-01"
    """Challenge by which the proxy proves the domain, for CAA records that allow certain ones only."""
    records: DnsRecords | None = None
    """Where DNS records of the domains are written; without it they are entered by hand."""
