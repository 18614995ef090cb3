"""The certificates of a configured application: every HTTPS domain at every address."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace

from coolify.config import Config
from coolify.dns import Resolver
from coolify.errors import OperatorError
from coolify.tls.check import Detail, HostCertificates, inspect_host

__all__ = ["UnknownHostError", "hosts_of", "inspect_hosts"]


class UnknownHostError(OperatorError):
    """A host that is no domain of the application, or not one with HTTPS."""

    is_usage = True


def hosts_of(config: Config, wanted: Iterable[str] = (), *, only_secure: bool = True) -> tuple[str, ...]:
    """Return the domains of an application, or the wanted ones among them.

    Args:
        config: The application.
        wanted: Hosts; all when there are none.
        only_secure: Whether domains with `ssl: false` are left out, and refused when they are wanted.

    Raises:
        UnknownHostError: A wanted host is not among them.
    """
    there = {one.host for one in config.domains if one.ssl or not only_secure}
    chosen = {one.lower().rstrip(".") for one in wanted}
    for host in sorted(chosen - there):
        if any(one.host == host for one in config.domains):
            raise UnknownHostError(
                f"{host} has `ssl: false` in {config.path}: `coolify ssl enable {host}` switches it to HTTPS."
            )
        listed = ", ".join(sorted(there)) or "none"
        raise UnknownHostError(f"{host} is no domain of {config.path} ({config.environment}); there are: {listed}.")
    return tuple(sorted(chosen or there))


async def inspect_hosts(
    config: Config, resolver: Resolver, hosts: Iterable[str], *, detailed: bool = False
) -> tuple[HostCertificates, ...]:
    """Look hosts up and measure what all of their addresses serve, side by side.

    Args:
        config: Has ports, authorities and paths.
        resolver: Where the addresses are looked up.
        hosts: What to look at; they need not be domains of the application.
        detailed: Whether to look at more than the certificate.
    """
    network = config.network
    paths = {one.host: one.path for one in reversed(config.domains)}

    async def look(host: str) -> HostCertificates:
        found = await resolver.addresses(host)
        detail = Detail(network.http_port, paths.get(host, "/"), network.acme_directory) if detailed else None
        seen = await inspect_host(host, found.all, port=network.https_port, ca_file=config.ca_path, detail=detail)
        return replace(seen, lookup_failure=found.failure)

    return tuple(await asyncio.gather(*(look(host) for host in hosts)))
