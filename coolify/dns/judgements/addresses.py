"""Judge: whether the addresses of a domain are those of its server."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from coolify.dns.networks import is_cloudflare, is_private
from coolify.dns.resolver import HostAddresses, LookupFailure, ServerAddresses
from coolify.finding import Finding, Severity

__all__ = ["judge_addresses", "judge_private"]


def judge_addresses(found: HostAddresses, server: ServerAddresses) -> tuple[Finding, ...]:
    """Return what the addresses of a domain mean for the server; pure."""
    if found.failure is not None:
        return (_no_address(found, server),)
    if not server.addresses:
        return (_unknown_server(found, server),)
    right = [address for address in found.all if address in server.addresses]
    stray = [address for address in found.all if address not in server.addresses]
    evidence = _evidence(found, server)
    target = _joined(server.addresses)
    if not right and all(is_cloudflare(address) for address in found.all):
        return (_proxied(found, evidence),)
    if not right:
        return (
            Finding(
                name="domain-points-elsewhere",
                severity=Severity.ERROR,
                subject=found.host,
                summary=f"{found.host} leads to {_joined(found.all)} and not to the server ({target}).",
                evidence=evidence,
                remedy=f"Set its {_record_types(server)} record to {target}, then wait until the old TTL has passed.",
            ),
        )
    findings = [
        Finding(
            name="domain-points-to-server",
            severity=Severity.OK,
            subject=found.host,
            summary=f"{found.host} leads to the server ({_joined(right)}).",
            evidence=evidence,
        )
    ]
    stray_v6 = [address for address in stray if ":" in address]
    stray_v4 = [address for address in stray if ":" not in address]
    if stray_v6:
        findings.append(
            Finding(
                name="domain-stray-aaaa",
                severity=Severity.ERROR,
                subject=found.host,
                summary=f"{found.host} has an AAAA record to {_joined(stray_v6)}, which is not the server.",
                evidence=evidence,
                remedy="Remove the AAAA record or point it at the server: certificate authorities prefer IPv6, and "
                "their challenge would reach the other machine.",
            )
        )
    if stray_v4:
        findings.append(
            Finding(
                name="domain-stray-a",
                severity=Severity.ERROR,
                subject=found.host,
                summary=f"{found.host} also leads to {_joined(stray_v4)}, which is not the server.",
                evidence=evidence,
                remedy="Remove the other A record: a share of the visitors and of the certificate challenges would go "
                "there.",
            )
        )
    return tuple(findings)


def _proxied(found: HostAddresses, evidence: tuple[str, ...]) -> Finding:
    return Finding(
        name="domain-behind-cloudflare",
        severity=Severity.WARNING,
        subject=found.host,
        summary=f"{found.host} leads to Cloudflare's proxy ({_joined(found.all)}): where that leads cannot be seen.",
        evidence=evidence,
        remedy="In Cloudflare, set the record to the server and SSL/TLS to Full (strict). To have the server's own "
        "certificate checked, set the record to 'DNS only'.",
    )


def judge_private(found: HostAddresses, server: ServerAddresses) -> tuple[Finding, ...]:
    """Tell addresses that only their own network reaches; meant where the server has no other."""
    private = [address for address in found.all if is_private(address)]
    if not private:
        return ()
    meant = server.has(private)
    return (
        Finding(
            name="domain-private-address",
            severity=Severity.INFO if meant else Severity.WARNING,
            subject=found.host,
            summary=f"{found.host} leads to {_joined(private)}, which only its own network reaches.",
            evidence=_evidence(found, server),
            remedy="Right for an internal application. A public authority cannot reach it over HTTP: its certificate "
            "needs the DNS challenge or a private authority (network.ca_file)."
            if meant
            else "Enter the public address of the server.",
        ),
    )


def _unknown_server(found: HostAddresses, server: ServerAddresses) -> Finding:
    return Finding(
        name="domain-server-unknown",
        severity=Severity.WARNING,
        subject=found.host,
        summary=f"{found.host} leads to {_joined(found.all)}; the address of the server '{server.name}' is not known.",
        evidence=_evidence(found, server),
        remedy="Enter the server's public address or name in Coolify under Servers, to have domains compared with it.",
    )


def _no_address(found: HostAddresses, server: ServerAddresses) -> Finding:
    record = f"an {_record_types(server)} record to {_joined(server.addresses)}"
    name, summary, remedy = {
        LookupFailure.NXDOMAIN: (
            "domain-does-not-exist",
            "does not exist in the DNS",
            f"Create {record}. If you just did, the old answer may be cached for some minutes.",
        ),
        LookupFailure.NODATA: (
            "domain-without-address",
            "exists in the DNS but has neither A nor AAAA record",
            f"Add {record}.",
        ),
        LookupFailure.SERVFAIL: (
            "domain-lookup-fails",
            "cannot be looked up: its name servers fail or refuse",
            "Check the delegation and the name servers of the zone, and DNSSEC if it is signed.",
        ),
        LookupFailure.TIMEOUT: (
            "domain-lookup-times-out",
            "cannot be looked up: no name server answered in time",
            "Check the network of this machine and the name servers in network.resolvers.",
        ),
        LookupFailure.INVALID: (
            "domain-name-invalid",
            "is not a valid host name (RFC 1035)",
            "Correct it in the section domains.",
        ),
    }[found.failure or LookupFailure.SERVFAIL]
    return Finding(
        name=name,
        severity=Severity.ERROR,
        subject=found.host,
        summary=f"{found.host} {summary}.",
        evidence=_evidence(found, server),
        remedy=remedy,
    )


def _evidence(found: HostAddresses, server: ServerAddresses) -> tuple[str, ...]:
    lines = [f"CNAME {found.host} -> {' -> '.join(found.aliases)}"] if found.aliases else []
    lines += [f"A {address}" for address in found.ipv4] + [f"AAAA {address}" for address in found.ipv6]
    lines += [f"answer: {found.failure.value}"] if found.failure else []
    lines += [f"the server says: {found.detail}"] if found.detail else []
    lines += [f"asked {found.answered_by}"] if found.answered_by else []
    name = "" if server.addresses == {server.name} else f" {server.name}"
    return (*lines, f"server{name}: {_joined(server.addresses) or 'no address found'}")


def _record_types(server: ServerAddresses) -> str:
    versions = {ipaddress.ip_address(address).version for address in server.addresses}
    return " and ".join(record for version, record in ((4, "A"), (6, "AAAA")) if version in versions) or "A"


def _joined(addresses: Iterable[str]) -> str:
    return ", ".join(sorted(addresses))
