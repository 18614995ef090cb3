"""What the name system says about a domain, seen from outside; no Coolify in here."""

from coolify.dns.check import check_domain
from coolify.dns.resolver import HostAddresses, LookupFailure, Nameserver, Resolver, ServerAddresses

__all__ = ["HostAddresses", "LookupFailure", "Nameserver", "Resolver", "ServerAddresses", "check_domain"]
