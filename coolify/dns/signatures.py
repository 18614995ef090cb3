"""Measure: whether the signatures of a zone keep what its parent promises (RFC 4035, section 5)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Final

import dns.dnssec
import dns.dnssecalgs
import dns.exception
import dns.message
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset
from dns.dnssectypes import DSDigest
from dns.rdtypes.ANY.DS import DS

from coolify.dns.answer import Answer, Nameserver, Status
from coolify.dns.exchange import Question
from coolify.dns.resolver import Resolver
from coolify.dns.survey import Signatures

__all__ = ["measure_signatures"]

_DIGESTS: Final = frozenset({DSDigest.SHA1, DSDigest.SHA256, DSDigest.SHA384})


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
    told = (dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.DS, text) for text in promised)
    promises = [one for one in told if isinstance(one, DS) and _is_understood(one)]
    if not promises:
        # Validators treat such a zone as unsigned (RFC 4035, section 5.2).
        return Signatures.UNKNOWN, "the algorithms of the DS records are not supported here"
    trusted = dns.rrset.RRset(zone, dns.rdataclass.IN, dns.rdatatype.DNSKEY)
    for key in rrset:
        if any(dns.dnssec.make_ds(zone, key, one.digest_type, validating=True) == one for one in promises):
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
        except dns.exception.DNSException as error:
            return Signatures.BOGUS, f"the signature of the {name} records does not verify: {_why(signature, error)}"
    return Signatures.VALID, ""


def _is_understood(promise: DS) -> bool:
    """Return whether digest and algorithm of a DS record can be verified here."""
    if promise.digest_type not in _DIGESTS or not dns.dnssec.default_policy.ok_to_validate_ds(promise.digest_type):
        return False
    try:
        dns.dnssecalgs.get_algorithm_cls(promise.algorithm)
    except dns.exception.UnsupportedAlgorithm:
        return False
    return True


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
