"""The domains of a configured application."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from coolify.dns.answer import Nameserver
from coolify.dns.check import DomainStatus, check_each
from coolify.dns.ownership import owner_of
from coolify.dns.resolver import Resolver, ServerAddresses
from coolify.dns.settings import LETS_ENCRYPT, PUBLIC_RESOLVERS, Authority, DnsSettings, Ports

if TYPE_CHECKING:
    from coolify.config import Config

__all__ = ["check_hosts", "dns_settings", "mark_of", "resolver_of"]


def resolver_of(config: Config) -> Resolver:
    """Return who is asked for names: the section `network`, else the system."""
    return Resolver(tuple(Nameserver(one.address, one.port) for one in config.network.resolvers))


def mark_of(config: Config) -> str:
    """Return what the ownership records of an application hold."""
    return owner_of(config.server, config.project.name, config.environment, config.application_name)


def dns_settings(config: Config, *, https: bool = True) -> DnsSettings:
    """Return how the domains of an application are checked, its ports left out.

    Args:
        config: The application.
        https: Whether the domain is served over HTTPS.
    """
    section, network = config.dns, config.network
    public = PUBLIC_RESOLVERS if section.public_resolvers is None and not network.resolvers else ()
    authority = Authority(
        section.certificate_authority or LETS_ENCRYPT.domain, section.acme_account or "", section.challenge
    )
    # A private authority does not ask for CAA records, unless somebody says which one it is.
    issued = https and (section.certificate_authority or network.ca_file is None)
    return DnsSettings(
        public_resolvers=(*public, *(Nameserver(one.address, one.port) for one in section.public_resolvers or ())),
        https=https,
        authority=authority if issued else None,
        owner=mark_of(config),
    )


async def check_hosts(
    config: Config,
    hosts: Iterable[str],
    server: ServerAddresses,
    resolver: Resolver,
    *,
    ports: bool = True,
    serving: bool = True,
    require_ownership: bool = False,
) -> tuple[DomainStatus, ...]:
    """Check hosts as the configuration says, side by side.

    Args:
        config: Has settings, ports and which domains are served over HTTPS.
        hosts: What to check; they need not be domains of the application.
        server: Where they should lead.
        resolver: Whom to ask.
        ports: Whether to connect to the ports of the hosts and follow their redirects.
        serving: Whether the proxy is to answer already; before a first release it need not.
        require_ownership: Whether a missing ownership record is an error.
    """
    plain = {domain.host for domain in config.domains} - {domain.host for domain in config.domains if domain.ssl}
    network = config.network
    reached = Ports(network.http_port, network.https_port, expected=serving) if ports else None
    secure, insecure = (
        replace(dns_settings(config, https=https), ports=reached, require_ownership=require_ownership)
        for https in (True, False)
    )
    return await check_each(((host, insecure if host in plain else secure) for host in hosts), server, resolver)
