"""One zone at its provider: read it, and change exactly what a plan says.

octoDNS reads and writes; what changes is decided in `plan` and never left to a comparison of whole zones, so that a
record that somebody adds in the meantime is not in danger.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from coolify.dns_providers.backend import Backend, Provider
from coolify.dns_providers.errors import DnsAutomationMissingError, DnsProviderError, ZoneChangedError
from coolify.dns_providers.plan import RecordChange, RecordPlan
from coolify.dns_providers.records import RecordSet, ZoneRecords

__all__ = ["ManagedZone"]

_READ_TYPES: Final = frozenset({"A", "AAAA", "CNAME", "TXT", "NS"})
"""Other types are not even read: a record of somebody else that octoDNS does not understand must not stop us."""


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """What is there now, in octoDNS's words and in ours."""

    provider: Provider
    zone: Any
    records: ZoneRecords


class ManagedZone:
    """A zone that we may change.

    Args:
        backend: Credentials of its provider.
        name: Name of the zone in the form of the DNS, without the final dot.
    """

    def __init__(self, backend: Backend, name: str) -> None:
        self.backend = backend
        self.name = name

    async def read(self) -> ZoneRecords:
        """Return what the zone holds.

        Raises:
            DnsProviderError: The provider cannot be reached, refuses us, or does not have the zone.
            DnsAutomationMissingError: The libraries are not installed.
        """
        return (await asyncio.to_thread(self._read)).records

    async def write(self, plan: RecordPlan) -> None:
        """Carry a plan out, stage by stage, and look afterwards: what counts is what is there.

        A stage that was done already, by a run before or by one beside this, is not done again.

        Raises:
            DnsProviderError: The provider refuses, or cannot be reached.
            ZoneChangedError: The records are no longer, or did not become, what the plan says.
        """
        for stage in plan.stages:
            await asyncio.to_thread(self._write, stage)

    def _write(self, changes: Sequence[RecordChange]) -> None:
        found = self._read()
        pending = [change for change in changes if not _is_done(change, found.records)]
        for change in pending:
            present = found.records.find(change.record.name, change.record.type)
            if not (present.is_as(change.before) if present else change.before is None):
                raise self._changed(change, present)
        if not pending:
            return
        failure = self._apply(found, pending)
        after = self._read().records
        undone = [change for change in pending if not _is_done(change, after)]
        if undone:
            present = after.find(undone[0].record.name, undone[0].record.type)
            raise failure or self._changed(undone[0], present)

    def _apply(self, found: _Snapshot, changes: Sequence[RecordChange]) -> DnsProviderError | None:
        """Send changes; return why that failed: when the answer was lost they may be there all the same."""
        from octodns.provider.plan import Plan  # type: ignore[import-untyped]

        desired = found.zone.copy()
        plan = Plan(found.zone, desired, [_octodns_change(change, found.zone) for change in changes], True)
        try:
            found.provider.apply(plan)
        except self.backend.failures() as error:
            return DnsProviderError(self.backend.explain(error, self.name))
        return None

    def _read(self) -> _Snapshot:
        try:
            from octodns.idna import idna_encode  # type: ignore[import-untyped]
            from octodns.zone import Zone  # type: ignore[import-untyped]

            failures = self.backend.failures()
        except ImportError:
            raise DnsAutomationMissingError from None
        _prepare_octodns()
        zone = Zone(f"{self.name}.", [])
        try:
            provider = self.backend.open()
            provider.SUPPORTS = set(_READ_TYPES)
            seen = self.backend.zones(provider)
            if seen is not None and zone.name not in {idna_encode(one) for one in seen}:
                raise self._missing(seen)
            provider.populate(zone, target=True, lenient=True)
            servers = self.backend.servers(provider, self.name)
        except failures as error:
            raise DnsProviderError(self.backend.explain(error, self.name)) from None
        records = tuple(sorted((_record_set(one) for one in zone.records), key=lambda one: (one.name, one.type)))
        root = next((one for one in records if (one.name, one.type) == (self.name, "NS")), None)
        named = servers or (root.values if root else ())
        return _Snapshot(
            provider,
            zone,
            ZoneRecords(
                zone=self.name,
                provider=self.backend.label,
                records=records,
                servers=tuple(sorted(one.rstrip(".").lower() for one in named)),
            ),
        )

    def _missing(self, seen: Sequence[str]) -> DnsProviderError:
        names = ", ".join(one.rstrip(".") for one in seen) or "none"
        return DnsProviderError(
            f"{self.backend.label} has no zone {self.name} that these credentials see: correct dns.records.zone, or "
            f"let them see it; they see: {names}."
        )

    def _changed(self, change: RecordChange, present: RecordSet | None) -> ZoneChangedError:
        there = present.told if present else f"no {change.record.type} record"
        return ZoneChangedError(
            f"Somebody else is changing {change.record.name} at {self.backend.label} at the same time: there is "
            f"{there} now. Look at it, then run this again."
        )


def _prepare_octodns() -> None:
    """Choose what octoDNS would choose with a warning, and keep its remarks about records of others to itself."""
    from octodns.record import Record  # type: ignore[import-untyped]

    if not Record.validators.configured:
        Record.enable_validators({"legacy"})
    for name in ("Record", "Zone"):
        logging.getLogger(name).setLevel(logging.ERROR)


def _is_done(change: RecordChange, zone: ZoneRecords) -> bool:
    present = zone.find(change.record.name, change.record.type)
    return present is None if change.after is None else change.after.is_as(present)


def _record_set(record: Any) -> RecordSet:  # noqa: ANN401 - octoDNS
    """Return a record of octoDNS in our words; an alias that only the provider knows keeps no values."""
    kind: str = record._type  # noqa: SLF001 - octoDNS has no public name for it
    own = record.values if hasattr(record, "values") else (record.value,)
    values = tuple(sorted(_text(kind, str(value)) for value in own)) if kind in _READ_TYPES else ()
    return RecordSet(name=record.fqdn.rstrip(".").lower(), type=kind, values=values, ttl=_ttl(record))


def _text(kind: str, value: str) -> str:
    if kind == "TXT":
        return value.replace("\\;", ";")
    return value.rstrip(".").lower()


def _ttl(record: Any) -> int | None:  # noqa: ANN401 - octoDNS
    """Return the TTL; Cloudflare chooses that of a proxied record, and of one set to `automatic`."""
    return None if record.octodns.get("cloudflare", {}).get("auto-ttl") else int(record.ttl)


def _octodns_change(change: RecordChange, zone: Any) -> Any:  # noqa: ANN401 - octoDNS
    from octodns.record import Create, Delete, Record, Update

    wanted = (change.record.name, change.record.type)
    existing = [one for one in zone.records if (_record_set(one).name, one._type) == wanted]  # noqa: SLF001
    if change.after is None:
        return Delete(existing[0])
    values = [value.replace(";", "\\;") for value in change.after.values]
    data = {"type": change.after.type, "ttl": change.after.ttl, "values": values}
    new = Record.new(zone, zone.hostname_from_fqdn(f"{change.after.name}."), data)
    if not existing:
        return Create(new)
    # What the provider keeps beside the values, such as Cloudflare's proxy, stays as it is.
    new.octodns = existing[0].octodns
    return Update(existing[0], new)
