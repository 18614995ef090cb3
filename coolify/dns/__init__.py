"""What the name system says about a domain, seen from outside; no Coolify in here."""

from coolify.dns.answer import Answer, Nameserver, Status
from coolify.dns.check import check_domain
from coolify.dns.resolver import HostAddresses, LookupFailure, Resolver, ServerAddresses

__all__ = [
    "Answer",
    "HostAddresses",
    "LookupFailure",
    "Nameserver",
    "Resolver",
    "ServerAddresses",
    "Status",
    "check_domain",
]
