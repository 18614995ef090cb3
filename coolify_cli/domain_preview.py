"""What `coolify domain add` and `remove` would change, found out without changing anything."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from coolify.config import Config, DomainEdit
from coolify.decisions import DOMAIN_NOT_POINTING
from coolify.dns_providers import (
    ManagedZone,
    RecordPlan,
    RecordsRefusedError,
    backend_of,
    is_within,
    plan_hosts,
    plan_removal,
    wanted_records,
)

if TYPE_CHECKING:
    from coolify.api import Application
    from coolify.config.dns_records import DnsRecords
    from coolify.dns import ServerAddresses
    from coolify.plan import SettingsPlan

__all__ = ["Preview", "preview_addition", "preview_removal"]

_TTL_BY_HAND = 300


@dataclass(frozen=True, slots=True)
class Preview:
    """What would change, everywhere.

    Attributes:
        host: The domain.
        edit: What becomes of the configuration file.
        coolify: What Coolify is told, None where the application is not there yet.
        records: What is done to DNS records, None where they are not ours to write.
        by_hand: Records for the operator instead, as a zone file has them.
        hand_verb: What the operator does with those.
    """

    host: str
    edit: DomainEdit
    coolify: SettingsPlan | None
    records: RecordPlan | None
    by_hand: tuple[str, ...]
    hand_verb: str

    @property
    def has_work(self) -> bool:
        """Whether anything is to be done; what is entered by hand is at least waited for."""
        changes = (self.edit.edits, self.coolify and self.coolify.changes, self.records and self.records.changes)
        return any(changes) or (bool(self.by_hand) and self.hand_verb == "enter")

    def as_json(self, *, dry_run: bool) -> dict[str, Any]:
        """Return the stable shape of `--json`."""
        changes = self.coolify.changes if self.coolify else ()
        return {
            "host": self.host,
            "file": {
                "path": str(self.edit.path),
                "changed": [{"path": one.path, "before": one.before, "after": one.after} for one in self.edit.edits],
            },
            "coolify": {
                "exists": self.coolify is not None,
                "changed": [{"setting": one.subject, "before": one.before, "after": one.after} for one in changes],
            },
            "records": self.records and _records(self.records),
            "by_hand": list(self.by_hand),
            "dry_run": dry_run,
        }


async def preview_addition(edit: DomainEdit, host: str, *, adopt: bool) -> Preview:
    """Return what adding a domain would change.

    Raises:
        RecordsRefusedError: Records of the host are not ours to write.
        OperatorError: Coolify or the DNS provider cannot be reached or refuses us.
    """
    from coolify.dns import mark_of, resolver_of
    from coolify.plan import plan_with_domains

    config = edit.config
    application, server = await _ask_coolify(config)
    added = tuple(domain for domain in config.domains if domain.host == host)
    coolify = plan_with_domains(application, added) if application else None
    section = _writable(config, host)
    if section is None:
        wanted = wanted_records(host, server.addresses, _TTL_BY_HAND)
        lines = tuple(line for record in wanted for line in record.lines)
        found = await resolver_of(config).addresses(host)
        return Preview(host, edit, coolify, None, () if _leads_there(found.all, server) else lines, "enter")
    zone, owner = await _open(config, section), mark_of(config)
    (plan,) = await plan_hosts(
        zone, (host,), server.addresses, resolver_of(config), owner=owner, ttl=section.ttl, adopt=adopt
    )
    if plan.refusals and config.policy(DOMAIN_NOT_POINTING) != "ask":
        raise RecordsRefusedError(" ".join(plan.refusals))
    return Preview(host, edit, coolify, plan, (), "enter")


async def preview_removal(edit: DomainEdit, host: str) -> Preview:
    """Return what removing a domain would change.

    Raises:
        OperatorError: Coolify or the DNS provider cannot be reached or refuses us.
    """
    from coolify.dns import mark_of, resolver_of
    from coolify.plan import plan_without_host

    config = edit.config
    application, server = await _ask_coolify(config)
    coolify = plan_without_host(application, host) if application else None
    section = config.dns.records
    if section is None or not is_within(host, [section.zone]):
        found = await resolver_of(config).addresses(host)
        left = wanted_records(host, set(found.all) & server.addresses, _TTL_BY_HAND)
        return Preview(host, edit, coolify, None, tuple(line for one in left for line in one.lines), "remove")
    zone = await _open(config, section)
    plan = plan_removal(await zone.read(), host, server.addresses, owner=mark_of(config))
    return Preview(host, edit, coolify, plan, (), "remove")


async def _ask_coolify(config: Config) -> tuple[Application | None, ServerAddresses]:
    from coolify.dns import resolver_of
    from coolify.locating import find_application, find_server, names_of
    from coolify_cli.reaching import connection_of

    async with connection_of(config).client() as client:
        application = await find_application(client, config)
        names = names_of(await find_server(client, config.application.server), client.base_url)
    return application, await resolver_of(config).server_addresses(*names)


def _writable(config: Config, host: str) -> DnsRecords | None:
    """Return where records of a host are written for the operator, by configuration and policy."""
    section = config.dns.records
    if section is None or not is_within(host, [section.zone]):
        return None
    return section if config.policy(DOMAIN_NOT_POINTING) in {"auto", "ask", "automate"} else None


async def _open(config: Config, section: DnsRecords) -> ManagedZone:
    if section.provider.block is None:
        return ManagedZone(backend_of(section.provider, os.environ), section.zone)
    # Blocks live on the Prefect server: only who names one pays for loading Prefect.
    from coolify_cli.running import prepare_prefect

    prepare_prefect(str(config.path))
    from tasks.dns_records import open_zone

    return await open_zone(section)


def _leads_there(addresses: tuple[str, ...], server: ServerAddresses) -> bool:
    return bool(addresses) and set(addresses) <= server.addresses


def _records(plan: RecordPlan) -> dict[str, Any]:
    return {
        "zone": plan.zone,
        "provider": plan.provider,
        "changes": [
            {
                "kind": one.kind.value,
                "name": one.record.name,
                "type": one.record.type,
                "before": list(one.before.values) if one.before else None,
                "after": list(one.after.values) if one.after else None,
                "ttl": one.record.ttl,
                "reason": one.reason,
            }
            for one in plan.changes
        ],
        "kept": list(plan.kept),
        "refusals": list(plan.refusals),
    }
