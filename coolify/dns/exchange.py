"""One question to one name server, over UDP and, where the answer is too long, TCP."""

from __future__ import annotations

import secrets
import struct

import dns.asyncquery
import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from coolify.dns.answer import Answer, Nameserver, Status
from coolify.dns.datagram import ask_over_udp, is_truncated

__all__ = ["Question", "fetch", "read"]

_PAYLOAD = 1232
"""Size that is not fragmented anywhere (DNS flag day 2020)."""

_WITHOUT_EDNS = frozenset({dns.rcode.FORMERR, dns.rcode.NOTIMP})
"""What servers answer that do not know EDNS (RFC 6891, section 7)."""


class Question:
    """A name and a type to ask for.

    Args:
        name: Host name; a final dot is not needed.
        kind: Record type.
        recursive: Whether the server is to ask others.
        dnssec: Whether signatures are wanted (RFC 3225).
        unchecked: Whether a validating server is to leave out the validation (RFC 4035, section 3.2.2).

    Raises:
        dns.exception.DNSException: The name is too long or has an empty or too long label.
    """

    __slots__ = ("dnssec", "kind", "name", "rdtype", "recursive", "unchecked")

    def __init__(
        self, name: str, kind: str, *, recursive: bool = True, dnssec: bool = False, unchecked: bool = False
    ) -> None:
        self.name = dns.name.from_text(name)
        self.kind = kind
        self.rdtype = dns.rdatatype.from_text(kind)
        self.recursive = recursive
        self.dnssec = dnssec
        self.unchecked = unchecked

    def wire(self, *, edns: bool = True) -> bytes:
        """Return a query with a random id (RFC 1035, section 4.1), with or without EDNS (RFC 6891, section 6.1)."""
        flags = dns.flags.RD * self.recursive | dns.flags.CD * self.unchecked
        header = struct.pack("!HHHHHH", secrets.randbits(16), flags, 1, 0, 0, edns)
        question = self.name.to_digestable() + struct.pack("!HH", self.rdtype, dns.rdataclass.IN)
        options = struct.pack("!BHHIH", 0, dns.rdatatype.OPT, _PAYLOAD, dns.flags.DO * self.dnssec, 0)
        return header + question + options * edns


async def fetch(question: Question, server: Nameserver, seconds: float) -> dns.message.Message | Status:
    """Ask once and return the message as it is, or why there is none."""
    query = question.wire()
    try:
        answer = await ask_over_udp(query, server, seconds)
        if answer[3] & 0x0F in _WITHOUT_EDNS:
            query = question.wire(edns=False)
            answer = await ask_over_udp(query, server, seconds)
        if not is_truncated(answer):
            return dns.message.from_wire(answer, ignore_trailing=True)
        return await dns.asyncquery.tcp(dns.message.from_wire(query), server.address, seconds, server.port)
    except (TimeoutError, dns.exception.Timeout):
        return Status.TIMEOUT
    except ConnectionRefusedError:
        return Status.CLOSED
    except OSError:
        return Status.UNREACHABLE
    except (EOFError, dns.exception.DNSException):
        return Status.SERVFAIL


def read(question: Question, server: Nameserver, message: dns.message.Message | Status) -> Answer:
    """Return what a message says about the question."""
    name, kind = _text(question.name), question.kind
    if isinstance(message, Status):
        return Answer(name, kind, message, server)
    records, aliases, loops = _follow(message, question)
    soa = next((one for one in (*message.authority, *message.answer) if one.rdtype == dns.rdatatype.SOA), None)
    status = _status(message, records, has_soa=soa is not None)
    referral, glue = _referral(message) if status is Status.REFERRAL else ((), ())
    return Answer(
        name,
        kind,
        status,
        server,
        records=tuple(sorted(record.to_text() for record in records)) if records else (),
        aliases=aliases,
        loops=loops,
        ttl=_ttl(message, question, soa),
        authoritative=bool(message.flags & dns.flags.AA),
        authenticated=bool(message.flags & dns.flags.AD),
        zone=_text(soa.name) if soa else "",
        serial=soa[0].serial if soa else None,
        referral=referral,
        glue=glue,
        detail=_detail(message),
    )


def _follow(message: dns.message.Message, question: Question) -> tuple[dns.rrset.RRset | None, tuple[str, ...], bool]:
    """Return the records at the end of the chain of aliases, the chain, and whether it is a circle."""
    name = question.name
    aliases: list[str] = []
    passed = {name}
    while True:
        records = message.get_rrset(message.answer, name, dns.rdataclass.IN, question.rdtype)
        alias = message.get_rrset(message.answer, name, dns.rdataclass.IN, dns.rdatatype.CNAME)
        if records is not None or alias is None:
            return records, tuple(aliases), False
        name = alias[0].target
        aliases.append(_text(name))
        if name in passed:
            return None, tuple(aliases), True
        passed.add(name)


def _ttl(message: dns.message.Message, question: Question, soa: dns.rrset.RRset | None) -> int:
    """Return how long the answer may be remembered: of an alias the record that leads on, for that is what changes."""
    own = [one for one in message.answer if one.name == question.name and one.rdtype != dns.rdatatype.RRSIG]
    if own:
        return own[0].ttl
    return min(soa.ttl, soa[0].minimum) if soa else 0


def _status(message: dns.message.Message, records: dns.rrset.RRset | None, *, has_soa: bool) -> Status:
    match message.rcode():
        case dns.rcode.NOERROR if records is not None:
            return Status.FOUND
        case dns.rcode.NOERROR:
            refers = any(one.rdtype == dns.rdatatype.NS for one in message.authority)
            return Status.REFERRAL if refers and not has_soa and not message.answer else Status.NODATA
        case dns.rcode.NXDOMAIN:
            return Status.NXDOMAIN
        case dns.rcode.REFUSED | dns.rcode.NOTAUTH:
            return Status.REFUSED
        case _:
            return Status.SERVFAIL


def _referral(message: dns.message.Message) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    names = {_text(one.target) for rrset in message.authority if rrset.rdtype == dns.rdatatype.NS for one in rrset}
    glue = {
        (_text(rrset.name), one.to_text())
        for rrset in message.additional
        if rrset.rdtype in {dns.rdatatype.A, dns.rdatatype.AAAA}
        for one in rrset
    }
    return tuple(sorted(names)), tuple(sorted(glue))


def _detail(message: dns.message.Message) -> str:
    errors = [option for option in message.options if isinstance(option, dns.edns.EDEOption)]
    return "; ".join(
        f"{dns.edns.EDECode.to_text(option.code).replace('_', ' ').lower()}{f': {option.text}' if option.text else ''}"
        for option in errors
    )


def _text(name: dns.name.Name) -> str:
    return name.to_text(omit_final_dot=True).lower()
