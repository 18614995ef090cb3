"""DNS records at their providers: what is ours, what a host needs, and how it gets there.

`plan` decides over what `zone` reads, and `zone` writes what was planned, through octoDNS.
"""

from coolify.dns_providers.backend import Backend
from coolify.dns_providers.cloudflare import CloudflareAccess
from coolify.dns_providers.configured import backend_of
from coolify.dns_providers.delegation import judge_delegation, public_servers
from coolify.dns_providers.errors import (
    DnsAutomationMissingError,
    DnsProviderError,
    RecordsRefusedError,
    ZoneChangedError,
)
from coolify.dns_providers.hosts import plan_hosts
from coolify.dns_providers.plan import Kind, RecordChange, RecordPlan, plan_addresses, plan_removal, wanted_records
from coolify.dns_providers.records import RecordSet, ZoneRecords, is_within
from coolify.dns_providers.rfc2136 import Rfc2136Access
from coolify.dns_providers.route53 import Route53Access
from coolify.dns_providers.zone import ManagedZone

__all__ = [
    "Backend",
    "CloudflareAccess",
    "DnsAutomationMissingError",
    "DnsProviderError",
    "Kind",
    "ManagedZone",
    "RecordChange",
    "RecordPlan",
    "RecordSet",
    "RecordsRefusedError",
    "Rfc2136Access",
    "Route53Access",
    "ZoneChangedError",
    "ZoneRecords",
    "backend_of",
    "is_within",
    "judge_delegation",
    "plan_addresses",
    "plan_hosts",
    "plan_removal",
    "public_servers",
    "wanted_records",
]
