"""Checks of domains against the small internet of BIND servers."""

from dataclasses import replace

import pytest

from coolify.dns import DnsSettings, Nameserver, Resolver, ServerAddresses, check_domain
from coolify.finding import Severity

OK, INFO, WARNING, ERROR = Severity.OK, Severity.INFO, Severity.WARNING, Severity.ERROR
SERVER = ServerAddresses("server", frozenset({"192.0.2.10"}))
"""The server that is right in all zones."""

needs_bind = pytest.mark.component("named", "dnssec-signzone")


class Checker:
    """Checks a host through the resolver of the small internet."""

    def __init__(self, resolver: Nameserver, port: int) -> None:
        self.resolver = Resolver((resolver,), timeout=60)
        self.settings = DnsSettings(nameserver_port=port, owner="us", server_seconds=20, zone_seconds=120)

    async def __call__(self, host, **settings):
        findings = await check_domain(host, SERVER, self.resolver, replace(self.settings, **settings))
        assert all(one.subject == host or "xn--" in one.subject for one in findings)
        return {one.name: one for one in findings}
