"""Which TCP ports of a server the world can reach: a plain connect, nothing is sent."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Mapping
from typing import Final

from coolify.finding import Finding, Severity

__all__ = ["WELL_KNOWN_PORTS", "check_ports", "judge_ports", "parse_ports", "scan_ports"]

_SERVICES: Final[Mapping[int, str]] = {
    21: "FTP", 22: "SSH", 23: "Telnet", 25: "SMTP", 53: "DNS", 80: "HTTP", 110: "POP3", 111: "RPC", 135: "RPC",
    139: "NetBIOS", 143: "IMAP", 389: "LDAP", 443: "HTTPS", 445: "SMB", 465: "SMTPS", 587: "mail submission",
    873: "rsync", 993: "IMAPS", 995: "POP3S", 1433: "SQL Server", 1521: "Oracle", 2049: "NFS",
    2375: "Docker without TLS", 2376: "Docker", 2377: "Docker Swarm", 2379: "etcd", 3000: "web application",
    3306: "MySQL", 3389: "RDP", 4369: "Erlang", 5000: "container registry", 5432: "PostgreSQL", 5601: "Kibana",
    5672: "AMQP", 5900: "VNC", 5984: "CouchDB", 6001: "Coolify's live updates", 6002: "Coolify's terminal",
    6379: "Redis", 6443: "Kubernetes", 7946: "Docker Swarm", 8000: "Coolify", 8080: "proxy's dashboard",
    8081: "web application", 8123: "ClickHouse", 8443: "HTTPS", 8888: "Coolify's agent", 9000: "ClickHouse or MinIO",
    9090: "Prometheus", 9100: "node exporter", 9200: "Elasticsearch", 9300: "Elasticsearch", 10250: "Kubernetes",
    11211: "memcached", 15672: "RabbitMQ", 27017: "MongoDB",
}  # fmt: skip
WELL_KNOWN_PORTS: Final = tuple(_SERVICES)
"""What is asked when nothing else is said: services that are left open by mistake."""
_AT_ONCE: Final = 128
_SECONDS: Final = 2.0


async def check_ports(
    addresses: Iterable[str], declared: Iterable[int], asked: Iterable[int] = WELL_KNOWN_PORTS
) -> tuple[Finding, ...]:
    """Connect to ports of a server's addresses and compare what is open with what is declared.

    Args:
        addresses: The server's own addresses.
        declared: Ports that are to be open.
        asked: Ports to try besides those.
    """
    expected = frozenset(declared)
    found = await scan_ports(addresses, expected | frozenset(asked))
    return tuple(finding for address, ports in found.items() for finding in judge_ports(address, ports, expected))


async def scan_ports(
    addresses: Iterable[str], ports: Iterable[int], *, seconds: float = _SECONDS
) -> dict[str, frozenset[int]]:
    """Return address -> ports that accept a connection.

    Args:
        addresses: Where to connect.
        ports: What to try.
        seconds: How long one port may take; a firewall that drops packets costs all of it.
    """
    limit = asyncio.Semaphore(_AT_ONCE)

    async def is_open(address: str, port: int) -> bool:
        async with limit:
            try:
                async with asyncio.timeout(seconds):
                    _, writer = await asyncio.open_connection(address, port)
            except (OSError, TimeoutError):
                return False
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
            return True

    wanted = sorted(set(ports))
    found = {}
    for address in sorted(set(addresses)):
        answers = await asyncio.gather(*(is_open(address, port) for port in wanted))
        found[address] = frozenset(port for port, is_there in zip(wanted, answers, strict=True) if is_there)
    return found


def judge_ports(address: str, opened: frozenset[int], declared: frozenset[int]) -> tuple[Finding, ...]:
    """Return what is open beyond the declared ports, and what of them is not."""
    findings = []
    beyond = sorted(opened - declared)
    if beyond:
        findings.append(
            Finding(
                name="security-port-open",
                severity=Severity.ERROR,
                subject=address,
                summary=f"{address} accepts connections on {_told(beyond)}, which `security.ports` does not declare.",
                evidence=tuple(f"{port}: {_SERVICES.get(port, 'unknown service')}" for port in beyond),
                remedy="Close them in the firewall in front of the server: rules of ufw do not stop published ports of "
                "containers. Or declare them.",
            )
        )
    closed = sorted(declared - opened)
    if closed:
        findings.append(
            Finding(
                name="security-port-closed",
                severity=Severity.WARNING,
                subject=address,
                summary=f"{address} does not accept connections on {_told(closed)}, which `security.ports` declares.",
                remedy="Start what should listen, open the firewall for this machine, or remove the port.",
            )
        )
    if not findings:
        findings.append(
            Finding(
                name="security-ports-as-declared",
                severity=Severity.OK,
                subject=address,
                summary=f"{address} has {_told(sorted(declared))} open and nothing else of what was tried.",
            )
        )
    return tuple(findings)


def parse_ports(text: str) -> tuple[int, ...]:
    """Return the ports of a list such as `22,80,8000-8100`.

    Raises:
        ValueError: It is no such list.
    """
    ports: set[int] = set()
    for part in text.split(","):
        first, _, last = part.strip().partition("-")
        if not first.isdigit() or not (last or first).isdigit():
            raise ValueError(f"'{part.strip()}' is no port: write ports and ranges as in 22,80,8000-8100")
        begin, end = int(first), int(last or first)
        if not 1 <= begin <= end <= 65535:
            raise ValueError(f"'{part.strip()}' is no range of ports between 1 and 65535")
        ports |= set(range(begin, end + 1))
    return tuple(sorted(ports))


def _told(ports: Iterable[int]) -> str:
    return ", ".join(str(port) for port in ports) or "no port"
