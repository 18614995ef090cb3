"""Whose records these are, written beside them in a TXT record, as external-dns does it.

The record of `app.example.com` is `_coolify-flows.app.example.com TXT "coolify-flows-owner=1f0c...,types=A+AAAA"`. Only
the types that it lists are ours: an AAAA record that somebody adds beside our A record is not. A mark without types, as
people enter it to prove that a domain is theirs, claims no records.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from coolify.dns.ownership import mark_text, owners_in, record_name
from coolify.dns_providers.records import RecordSet, ZoneRecords

__all__ = ["Mark", "Marks", "read_marks"]

_TYPES: Final = "types="


@dataclass(frozen=True, slots=True)
class Mark:
    """One claim to the records of a name."""

    owner: str
    types: frozenset[str]

    @property
    def text(self) -> str:
        """The claim as it is written."""
        return f"{mark_text(self.owner)},{_TYPES}{'+'.join(sorted(self.types))}"


@dataclass(frozen=True, slots=True)
class Marks:
    """All claims to the records of one name; more than one when two were made at the same moment."""

    name: str
    """Name of the record set."""
    record: RecordSet | None
    """The record set; other texts in it are left alone."""

    @property
    def found(self) -> tuple[Mark, ...]:
        """The claims."""
        texts = self.record.values if self.record else ()
        return tuple(mark for text in texts if (mark := _parse(text)) is not None)

    def ours(self, owner: str) -> frozenset[str]:
        """Return the types that this owner claims, none where somebody else claims the name as well."""
        if self.others(owner):
            return frozenset()
        return frozenset(kind for mark in self.found for kind in mark.types)

    def others(self, owner: str) -> tuple[str, ...]:
        """Return the other owners."""
        return tuple(sorted({mark.owner for mark in self.found} - {owner}))

    def with_only(self, mark: Mark, ttl: int) -> RecordSet:
        """Return the record set in which this claim takes the place of all others."""
        texts = {*self._texts(lambda one: one is None), mark.text}
        return RecordSet(
            name=self.name, type="TXT", values=tuple(sorted(texts)), ttl=self.record.ttl if self.record else ttl
        )

    def without(self, owner: str) -> RecordSet | None:
        """Return the record set without the claims of an owner, None when nothing is left of it."""
        left = self._texts(lambda one: one is None or one.owner != owner)
        return self.record.model_copy(update={"values": left}) if self.record and left else None

    def _texts(self, keep: Callable[[Mark | None], bool]) -> tuple[str, ...]:
        return tuple(text for text in self.record.values if keep(_parse(text))) if self.record else ()


def read_marks(zone: ZoneRecords, host: str) -> Marks:
    """Return who claims the records of a host."""
    name = record_name(host)
    return Marks(name, zone.find(name, "TXT"))


def _parse(text: str) -> Mark | None:
    owners = owners_in((text,))
    if not owners:
        return None
    listed = next((part.removeprefix(_TYPES) for part in text.split(",") if part.startswith(_TYPES)), "")
    return Mark(owners[0], frozenset(kind for kind in listed.split("+") if kind))
