"""DNS records at their provider: what would be done, and doing it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from blocks import CloudflareDns, Rfc2136Dns, Route53Dns
from coolify.config import ConfigError
from coolify.config.dns_records import CloudflareProvider, DnsProvider, DnsRecords, Rfc2136Provider, Route53Provider
from coolify.dns import ServerAddresses, mark_of
from coolify.dns_providers import (
    DnsAutomationMissingError,
    DnsProviderError,
    ManagedZone,
    RecordPlan,
    backend_of,
    plan_hosts,
    plan_removal,
)
from coolify.errors import OperatorError
from tasks.phases import step_done
from tasks.session import Session
from tasks.steps import step

__all__ = ["RecordPlans", "open_zone", "plan_record_removal", "plan_records", "write_records"]

_BLOCKS: Final[dict[type[DnsProvider], type[CloudflareDns | Route53Dns | Rfc2136Dns]]] = {
    CloudflareProvider: CloudflareDns,
    Route53Provider: Route53Dns,
    Rfc2136Provider: Rfc2136Dns,
}


class CredentialsMissingError(OperatorError):
    """The configuration names a block that the Prefect server does not have."""

    is_usage = True


@dataclass(frozen=True, slots=True)
class RecordPlans:
    """What would lead hosts to the server, or why that cannot be done for us."""

    plans: tuple[RecordPlan, ...] = ()
    obstacle: str = ""
    """Sentence; empty when the plans can be carried out."""

    @property
    def has_changes(self) -> bool:
        """Whether there is something to write."""
        return any(plan.changes for plan in self.plans)


async def open_zone(section: DnsRecords, environ: Mapping[str, str] = os.environ) -> ManagedZone:
    """Return the zone of a configuration, with the credentials of its block or of the environment.

    Raises:
        ConfigError: A variable is not set.
        CredentialsMissingError: There is no such block.
    """
    provider = section.provider
    if provider.block is None:
        return ManagedZone(backend_of(provider, environ), section.zone)
    kind = _BLOCKS[type(provider)]
    try:
        credentials: CloudflareDns | Route53Dns | Rfc2136Dns = await kind.aload(provider.block)
    except ValueError:
        raise CredentialsMissingError(
            f"The Prefect server has no block '{provider.block}' of the type {kind.get_block_type_name()}, which "
            "dns.records names: create it there, or use a reference to an environment variable."
        ) from None
    return credentials.get_client(section.zone)


@step("plan DNS records")
async def plan_records(
    session: Session, hosts: tuple[str, ...], server: ServerAddresses, *, adopt: bool = False
) -> RecordPlans:
    """Return what would lead hosts to the server; reads only.

    Args:
        session: The application.
        hosts: Host names in the form of the DNS.
        server: Where they should lead.
        adopt: Whether records of the hosts that are not ours become ours.
    """
    section = session.config.dns.records
    if section is None:
        return RecordPlans(obstacle="no DNS provider is configured in dns.records")
    try:
        zone = await open_zone(section, session.environ)
        plans = await plan_hosts(
            zone, hosts, server.addresses, session.resolver, owner=mark_of(session.config), ttl=section.ttl, adopt=adopt
        )
    except (DnsProviderError, DnsAutomationMissingError, CredentialsMissingError, ConfigError) as error:
        return RecordPlans(obstacle=str(error))
    refusals = " ".join(refusal for plan in plans for refusal in plan.refusals)
    return RecordPlans(plans, refusals)


@step("plan removal of DNS records")
async def plan_record_removal(session: Session, section: DnsRecords, host: str, server: ServerAddresses) -> RecordPlan:
    """Return what removes our records of a host; reads only.

    Raises:
        OperatorError: The provider cannot be reached or refuses us.
    """
    zone = await open_zone(section, session.environ)
    return plan_removal(await zone.read(), host, server.addresses, owner=mark_of(session.config))


@step("write DNS records")
async def write_records(session: Session, section: DnsRecords, plans: tuple[RecordPlan, ...]) -> None:
    """Carry plans out.

    Raises:
        OperatorError: The provider refuses, cannot be reached, or the records are no longer what the plan says.
    """
    zone = await open_zone(section, session.environ)
    for plan in plans:
        for kept in plan.kept:
            step_done(f"{plan.host}: {kept}")
        await zone.write(plan)
        for change in plan.changes:
            step_done(f"{plan.provider}: {change.kind.value} {change}", changed=True)
