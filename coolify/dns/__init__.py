"""What the name system says about a domain, seen from outside.

`check_domain` and `check_domains` ask everything that can be asked about a host, side by side, and return findings.
Measuring (`measure`, `zones`, `signatures`, `ports`) is apart from judging (`judgements`, pure functions over a
`survey`). Nothing here changes a record: that is `coolify.dns_providers`. Who changes one uses from here

* `wait_until_propagated`: waits until authoritative servers and resolvers lead to the server, and reports who lags;
* `find_ownership`: whom a name belongs to, by its TXT record, as the servers of the zone say now;
* `mark_of`, `record_name`, `mark_text`: the mark of an application, and name and text of the record that holds it;
* `resolver_of` and `dns_settings`: whom to ask and how, as the configuration of an application says.
"""

from coolify.dns.answer import Answer, Nameserver, Status
from coolify.dns.application import check_hosts, dns_settings, mark_of, resolver_of
from coolify.dns.check import DomainStatus, check_domain, check_domains
from coolify.dns.ownership import Ownership, find_ownership, mark_text, owner_of, record_name
from coolify.dns.propagation import Lagging, Propagation, wait_until_propagated
from coolify.dns.resolver import HostAddresses, LookupFailure, Resolver, ServerAddresses
from coolify.dns.settings import Authority, DnsSettings, Ports

__all__ = [
    "Answer",
    "Authority",
    "DnsSettings",
    "DomainStatus",
    "HostAddresses",
    "Lagging",
    "LookupFailure",
    "Nameserver",
    "Ownership",
    "Ports",
    "Propagation",
    "Resolver",
    "ServerAddresses",
    "Status",
    "check_domain",
    "check_domains",
    "check_hosts",
    "dns_settings",
    "find_ownership",
    "mark_of",
    "mark_text",
    "owner_of",
    "record_name",
    "resolver_of",
    "wait_until_propagated",
]
