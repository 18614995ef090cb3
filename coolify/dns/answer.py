"""What a name server said, without the library that asked it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Answer", "Nameserver", "Status"]


@dataclass(frozen=True, slots=True)
class Nameserver:
    """Address and port of a name server, and its name where it has one."""

    address: str
    port: int = 53
    name: str = ""

    def __str__(self) -> str:
        address = f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"
        return f"{self.name} ({address})" if self.name else address


class Status(StrEnum):
    """How a question ended."""

    FOUND = "found"
    NODATA = "NODATA"
    """The name exists, but has no record of this type (RFC 2308, section 2.2)."""
    NXDOMAIN = "NXDOMAIN"
    """The name does not exist, and nothing below it does (RFC 8020)."""
    REFERRAL = "referral"
    """The server knows others that are responsible (RFC 1034, section 4.3.1)."""
    SERVFAIL = "SERVFAIL"
    REFUSED = "REFUSED"
    TIMEOUT = "time-out"
    CLOSED = "nothing listens there"
    UNREACHABLE = "unreachable"
    """This machine has no way there, for instance no IPv6."""
    INVALID = "invalid name"

    @property
    def is_answer(self) -> bool:
        """Whether the server told something about the name."""
        return self in {Status.FOUND, Status.NODATA, Status.NXDOMAIN}

    @property
    def is_silence(self) -> bool:
        """Whether nothing came back."""
        return self in {Status.TIMEOUT, Status.CLOSED, Status.UNREACHABLE}


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer to one question."""

    name: str
    kind: str
    """Record type, as in `AAAA`."""
    status: Status
    server: Nameserver | None = None
    records: tuple[str, ...] = ()
    """Values in presentation form, sorted."""
    aliases: tuple[str, ...] = ()
    """Targets of the CNAME chain, in order."""
    loops: bool = False
    """Whether the chain comes back to a name that it has passed."""
    ttl: int = 0
    """Seconds that the answer may be remembered: the records, of an alias the first one, or where there are none their
    absence (RFC 2308, section 5)."""
    authoritative: bool = False
    authenticated: bool = False
    """Whether the server says that it has validated the answer (RFC 4035, section 3.2.3)."""
    zone: str = ""
    """Owner of the SOA record in the answer."""
    serial: int | None = None
    referral: tuple[str, ...] = ()
    """Name servers that the server refers to."""
    glue: tuple[tuple[str, str], ...] = ()
    """Names and addresses beside a referral."""
    detail: str = ""
    """Why a look-up failed, in the words of the server (RFC 8914)."""

    @property
    def told(self) -> str:
        """What the server said, in a few words."""
        if self.records:
            return ", ".join(self.records)
        if self.aliases:
            return f"CNAME {self.aliases[-1]} ({self.status})"
        return f"{self.status}{f' ({self.detail})' if self.detail else ''}"
