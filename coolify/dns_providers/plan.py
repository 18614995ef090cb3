"""From the records that are there and those that are wanted to changes with their reasons; pure.

Three stages, so that a process that dies between two of them leaves nothing unowned: claim (the mark is written),
records (addresses are written or deleted), release (the mark gives up what is no longer there). Doing it again takes it
up. Only where a wildcard answers for the host so far, mark and addresses are written together: the mark alone would
make the host exist without addresses (RFC 4592, section 2.2.2), and resolvers would remember that.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from coolify.dns.networks import is_cloudflare
from coolify.dns.ownership import record_name
from coolify.dns_providers.marks import Mark, Marks, read_marks
from coolify.dns_providers.records import ADDRESS_TYPES, RecordSet, ZoneRecords, is_within

__all__ = ["Kind", "RecordChange", "RecordPlan", "plan_addresses", "plan_removal", "wanted_records"]

_REPLACEABLE: Final = (*ADDRESS_TYPES, "CNAME")
_GIVES_UP: Final = "gives up what is not there any more"
_MAX_NAME: Final = 253
_ALIAS: Final = "ALIAS"
"""In the names of the types with which providers make addresses of their own; none is in the DNS."""


class Kind(StrEnum):
    """What happens to a record set."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


class RecordChange(BaseModel):
    """One record set that changes."""

    model_config = ConfigDict(frozen=True)

    before: RecordSet | None = None
    after: RecordSet | None = None
    reason: str

    @property
    def kind(self) -> Kind:
        """What happens."""
        if self.before is None:
            return Kind.CREATE
        return Kind.DELETE if self.after is None else Kind.UPDATE

    @property
    def record(self) -> RecordSet:
        """The record set as it will be, or as it was."""
        one = self.after or self.before
        if one is None:
            raise ValueError("a change has a record set before or after it")
        return one

    def __str__(self) -> str:
        if self.before and self.after:
            return f"{self.record.name} {self.before.told} -> {', '.join(self.after.values)} ({self.reason})"
        return f"{self.record.name} {self.record.told} ({self.reason})"


class RecordPlan(BaseModel):
    """What is done to the records of one host, what stays, and why nothing may be done."""

    model_config = ConfigDict(frozen=True)

    host: str
    zone: str
    provider: str
    claim: tuple[RecordChange, ...] = ()
    records: tuple[RecordChange, ...] = ()
    release: tuple[RecordChange, ...] = ()
    at_once: bool = Field(default=False, description="Whether mark and addresses are written together.")
    kept: tuple[str, ...] = Field(default=(), description="What stays as it is although it concerns the host, and why.")
    refusals: tuple[str, ...] = Field(default=(), description="Why nothing is done; sentences that say what to do.")

    @property
    def changes(self) -> tuple[RecordChange, ...]:
        """All changes in their order."""
        return (*self.claim, *self.records, *self.release)

    @property
    def stages(self) -> tuple[tuple[RecordChange, ...], ...]:
        """The changes, grouped by what is written together."""
        first = ((*self.claim, *self.records),) if self.at_once else (self.claim, self.records)
        return tuple(stage for stage in (*first, self.release) if stage)


def wanted_records(host: str, addresses: Iterable[str], ttl: int) -> tuple[RecordSet, ...]:
    """Return the A and AAAA records that lead a host to a server, in this order."""
    by_type: dict[str, list[str]] = {kind: [] for kind in ADDRESS_TYPES}
    for address in {ipaddress.ip_address(one) for one in addresses}:
        by_type["A" if address.version == 4 else "AAAA"].append(str(address))
    return tuple(
        RecordSet(name=host, type=kind, values=tuple(sorted(values)), ttl=ttl)
        for kind, values in by_type.items()
        if values
    )


def plan_addresses(
    zone: ZoneRecords, host: str, addresses: Iterable[str], *, owner: str, ttl: int, adopt: bool = False
) -> RecordPlan:
    """Return what leads a host to a server without touching what is not ours.

    Args:
        zone: What is there.
        host: Host name in the form of the DNS.
        addresses: Addresses of the server.
        owner: Our mark.
        ttl: Seconds for the records that are written.
        adopt: Whether records of the host that are not ours become ours.
    """
    wanted = wanted_records(host, addresses, ttl)
    if refusal := _out_of_reach(zone, host) or _no_use(wanted):
        return _refused(zone, host, refusal)
    marks = read_marks(zone, host)
    if refusal := _marked_by_others(marks, host, owner, adopt=adopt):
        return _refused(zone, host, refusal)
    present = {one.type: one for one in zone.at(host)}
    ours = marks.ours(owner)
    managed, kept, refusals = set(ours), [], []
    targets = {one.type: one for one in wanted}
    for record in present.values():
        target = targets.get(record.type)
        if _ALIAS in record.type:
            refusals.append(f"{host} has an alias of {zone.provider}, which excludes other addresses: remove it first.")
        elif record.type not in _REPLACEABLE or record.type in ours:
            continue
        elif adopt:
            managed.add(record.type)
        elif target and target.values == record.values:
            kept.append(f"{record.told} is right already and not ours: it stays, also when the domain is removed")
            del targets[record.type]
        else:
            refusals.append(
                f"{host} has the record {record.told}, which is not ours: remove it, or take it over with --adopt."
            )
    if refusals:
        return _refused(zone, host, *refusals)
    managed |= set(targets)
    records = [_record_change(present.get(kind), targets.get(kind), ours) for kind in _REPLACEABLE if kind in managed]
    claim, release = _mark_changes(marks, Mark(owner, frozenset(managed)), frozenset(targets), ttl)
    # Deletions come first: an address beside a CNAME is refused (RFC 1034, section 3.6.2).
    changes = sorted((one for one in records if one is not None), key=lambda one: one.kind is not Kind.DELETE)
    return RecordPlan(
        host=host,
        zone=zone.zone,
        provider=zone.provider,
        claim=claim,
        records=tuple(changes),
        release=release,
        at_once=not present and marks.record is None and _has_wildcard(zone, host),
        kept=tuple(kept),
    )


def plan_removal(zone: ZoneRecords, host: str, addresses: Iterable[str], *, owner: str) -> RecordPlan:
    """Return what removes our records of a host, and only ours.

    A record that is ours by its mark but leads elsewhere now was changed by somebody who needs it: it stays.

    Args:
        zone: What is there.
        host: Host name in the form of the DNS.
        addresses: Addresses of the server; empty when they are not known.
        owner: Our mark.
    """
    if refusal := _out_of_reach(zone, host):
        return _refused(zone, host, refusal)
    marks = read_marks(zone, host)
    ours = marks.ours(owner)
    known = {value for one in wanted_records(host, addresses, 0) for value in one.values}
    records, kept = [], []
    for record in zone.at(host):
        if record.type not in _REPLACEABLE:
            continue
        if record.type not in ours:
            kept.append(f"{record.told} is not ours: it stays")
        elif known and not set(record.values) <= known:
            kept.append(f"{record.told} is not the server, so somebody has changed it: it stays")
        else:
            records.append(RecordChange(before=record, reason="is ours and no longer wanted"))
    return RecordPlan(
        host=host,
        zone=zone.zone,
        provider=zone.provider,
        records=tuple(records),
        release=_mark_change(marks.record, marks.without(owner), _GIVES_UP),
        kept=tuple(kept),
    )


def _record_change(before: RecordSet | None, after: RecordSet | None, ours: frozenset[str]) -> RecordChange | None:
    if before is None and after is not None:
        return RecordChange(after=after, reason="leads to the server")
    if before is None or before.is_as(after):
        return None
    whose = "is ours and" if before.type in ours else "is taken over and"
    if after is None:
        return RecordChange(before=before, reason=f"{whose} leads elsewhere")
    what = "has another TTL" if before.values == after.values else "leads elsewhere"
    return RecordChange(before=before, after=after, reason=f"{whose} {what}")


def _mark_changes(
    marks: Marks, claimed: Mark, lasting: frozenset[str], ttl: int
) -> tuple[tuple[RecordChange, ...], tuple[RecordChange, ...]]:
    """Return what is written to the mark before the records change, and after it."""
    if not claimed.types:
        return (), ()
    first = marks.with_only(claimed, ttl)
    claim = _mark_change(marks.record, first, "marks the records as ours")
    left = Marks(marks.name, first)
    last = Mark(claimed.owner, claimed.types & lasting)
    return claim, _mark_change(first, left.with_only(last, ttl) if last.types else left.without(last.owner), _GIVES_UP)


def _mark_change(before: RecordSet | None, after: RecordSet | None, reason: str) -> tuple[RecordChange, ...]:
    # The TTL of a mark matters to nobody.
    if (before.values if before else ()) == (after.values if after else ()):
        return ()
    return (RecordChange(before=before, after=after, reason=reason),)


def _out_of_reach(zone: ZoneRecords, host: str) -> str:
    """Return why records of a host would not count in the zone, nothing when they do."""
    if not is_within(host, [zone.zone]):
        return f"{host} is not in the zone {zone.zone}: correct dns.records.zone."
    if len(record_name(host)) > _MAX_NAME:
        return f"{host} is too long for a mark below it: a name has at most {_MAX_NAME} characters (RFC 1035)."
    name = host
    while name != zone.zone:
        if delegated := zone.find(name, "NS"):
            servers = ", ".join(delegated.values)
            return f"{name} is delegated to {servers}: records of {host} count there and not in the zone {zone.zone}."
        name = name.partition(".")[2]
    return ""


def _has_wildcard(zone: ZoneRecords, host: str) -> bool:
    name = host
    while name != zone.zone:
        name = name.partition(".")[2]
        if zone.at(f"*.{name}"):
            return True
    return False


def _no_use(wanted: tuple[RecordSet, ...]) -> str:
    """Return why these are no addresses to write, nothing when they are."""
    where = "enter its public address or name in Coolify under Servers."
    if not wanted:
        return f"The address of the server is not known: {where}"
    if proxied := [value for one in wanted for value in one.values if is_cloudflare(value)]:
        return f"{', '.join(proxied)} is Cloudflare's proxy, not the server itself: {where}"
    return ""


def _marked_by_others(marks: Marks, host: str, owner: str, *, adopt: bool) -> str:
    others = marks.others(owner)
    if not others or adopt:
        return ""
    return (
        f"{host} belongs to another application by its mark (owner {', '.join(others)}): remove the domain there, or "
        "take it over with --adopt."
    )


def _refused(zone: ZoneRecords, host: str, *reasons: str) -> RecordPlan:
    return RecordPlan(host=host, zone=zone.zone, provider=zone.provider, refusals=reasons)
