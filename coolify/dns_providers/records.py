"""What a zone holds, in the words of the DNS and of no provider."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["ADDRESS_TYPES", "RecordSet", "ZoneRecords", "is_within"]

ADDRESS_TYPES: Final = ("A", "AAAA")
"""Types of the records that lead a host to a server."""


class RecordSet(BaseModel):
    """All records of one name and type (RFC 2181, section 5)."""

    model_config = ConfigDict(frozen=True)

    name: str = Field(description="Full name, in lower case, without the final dot.")
    type: str
    values: tuple[str, ...] = Field(description="In presentation form, sorted; texts without their quotes.")
    ttl: int | None = Field(default=None, description="Seconds; None where the provider chooses.")

    @property
    def lines(self) -> tuple[str, ...]:
        """The records as a zone file has them, one line each."""
        seconds = "" if self.ttl is None else f" {self.ttl}"
        quoted = (f'"{value}"' if self.type == "TXT" else value for value in self.values)
        return tuple(f"{self.name}.{seconds} IN {self.type} {value}" for value in quoted)

    @property
    def told(self) -> str:
        """Type and values, for a sentence."""
        return f"{self.type} {', '.join(self.values)}"

    def is_as(self, other: RecordSet | None) -> bool:
        """Whether another record set says the same; a TTL that the provider chooses fits any."""
        if other is None or (self.name, self.type, self.values) != (other.name, other.type, other.values):
            return False
        return None in {self.ttl, other.ttl} or self.ttl == other.ttl


class ZoneRecords(BaseModel):
    """The records of one zone as its provider has them now."""

    model_config = ConfigDict(frozen=True)

    zone: str = Field(description="Name of the zone, without the final dot.")
    provider: str = Field(description="Who keeps it, for a sentence: Cloudflare, Route 53, the server 192.0.2.53.")
    records: tuple[RecordSet, ...] = ()
    servers: tuple[str, ...] = Field(default=(), description="Name servers with which the provider serves the zone.")

    def find(self, name: str, kind: str) -> RecordSet | None:
        """Return the record set of a name and type, None when there is none."""
        return next((one for one in self.records if (one.name, one.type) == (name, kind)), None)

    def at(self, name: str) -> tuple[RecordSet, ...]:
        """Return all record sets of a name."""
        return tuple(one for one in self.records if one.name == name)


def is_within(host: str, zones: Collection[str]) -> bool:
    """Return whether a host is one of the zones or lies below one."""
    return any(host == zone or host.endswith(f".{zone}") for zone in zones)
