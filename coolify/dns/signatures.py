"""Measure: whether the signatures of a zone keep what its parent promises (RFC 4035, section 5)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import dns.dnssec
import dns.exception
import dns.message
import dns.name
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from coolify.dns.answer import Answer, Nameserver, Status
from coolify.dns.exchange import Question
from coolify.dns.resolver import Resolver
from coolify.dns.survey import Signatures

__all__ = ["measure_signatures"]


async def measure_signatures(
    resolver: Resolver, zone: str, servers: Sequence[Nameserver], seconds: float
) -> tuple[Signatures, str]:
    """Verify keys and SOA record of a zone against the DS records at its parent.

    The chain above is the parent's affair. Signatures are taken from the zone's own servers where they answer: a
    resolver may strip them.

    Returns:
        The result, and the reason for a bad one or for none.
    """
    promised = await resolver.ask(zone, "DS", unchecked=True)
    if promised.status is not Status.FOUND:
        return _without_promise(promised)
    sources = (*servers, *resolver.nameservers)
    for source in sources:
        keys, soa = await asyncio.gather(
            *(
                resolver.fetch(
                    source,
                    Question(zone, kind, recursive=source not in servers, dnssec=True, unchecked=source not in servers),
                    seconds,
                )
                for kind in ("DNSKEY", "SOA")
            )
        )
        if isinstance(keys, Status) or isinstance(soa, Status) or not keys.answer or not soa.answer:
            continue
        signed = _signature(keys, dns.name.from_text(zone), dns.rdatatype.DNSKEY) is not None
        if not signed and source not in servers:
            return Signatures.UNKNOWN, "the resolver hands on no signatures"
        return _verify(dns.name.from_text(zone), promised.records, keys, soa)
    return Signatures.UNKNOWN, "no server gave the keys of the zone"


def _without_promise(answer: Answer) -> tuple[Signatures, str]:
    if answer.status in {Status.NODATA, Status.NXDOMAIN}:
        return Signatures.UNSIGNED, ""
    return Signatures.UNKNOWN, f"the DS record cannot be looked up: {answer.told}"


def _verify(
    zone: dns.name.Name, promised: tuple[str, ...], keys: dns.message.Message, soa: dns.message.Message
) -> tuple[Signatures, str]:
    rrset = keys.get_rrset(keys.answer, zone, dns.rdataclass.IN, dns.rdatatype.DNSKEY)
    if rrset is None:
        return Signatures.BOGUS, "the parent has a DS record, the zone has no keys"
    wanted = {text.lower().replace(" ", "") for text in promised}
    trusted = dns.rrset.RRset(zone, dns.rdataclass.IN, dns.rdatatype.DNSKEY)
    for key in rrset:
        for digest in ("SHA256", "SHA384", "SHA1"):
            made = dns.dnssec.make_ds(zone, key, digest, validating=True).to_text()
            if made.lower().replace(" ", "") in wanted:
                trusted.add(key, rrset.ttl)
    if not trusted:
        return Signatures.BOGUS, "no key of the zone is the one that the DS record at the parent names"
    for message, kind, by in ((keys, dns.rdatatype.DNSKEY, trusted), (soa, dns.rdatatype.SOA, rrset)):
        records = message.get_rrset(message.answer, zone, dns.rdataclass.IN, kind)
        signature = _signature(message, zone, kind)
        name = dns.rdatatype.to_text(kind)
        if records is None or signature is None:
            return Signatures.BOGUS, f"the {name} records are not signed"
        try:
            dns.dnssec.validate(records, signature, {zone: by})
        except dns.exception.UnsupportedAlgorithm:
            return Signatures.UNKNOWN, f"the algorithm of the {name} signature is not supported here"
        except dns.exception.DNSException as error:
            return Signatures.BOGUS, f"the signature of the {name} records does not verify: {_why(signature, error)}"
    return Signatures.VALID, ""


def _signature(
    message: dns.message.Message, zone: dns.name.Name, kind: dns.rdatatype.RdataType
) -> dns.rrset.RRset | None:
    return message.get_rrset(message.answer, zone, dns.rdataclass.IN, dns.rdatatype.RRSIG, kind)


def _why(signature: dns.rrset.RRset, error: Exception) -> str:
    """Return the reason; dnspython tells only of the last signature that it tried."""
    now = time.time()
    if all(one.expiration < now for one in signature):
        expired = max(one.expiration for one in signature)
        return f"expired {time.strftime('%Y-%m-%d', time.gmtime(expired))}"
    if all(one.inception > now for one in signature):
        return "not valid yet"
    return str(error) or "wrong signature"
