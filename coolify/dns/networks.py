"""Networks that addresses are known to belong to: private ones, and those of Cloudflare's proxy."""

from __future__ import annotations

import ipaddress
from typing import Final

__all__ = ["is_cloudflare", "is_private"]

_PRIVATE: Final = tuple(
    ipaddress.ip_network(text)
    for text in (
        "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
        "::1/128", "fc00::/7", "fe80::/10",
    )
)  # fmt: skip
"""RFC 1918, 6598, 1122, 3927, 4193 and 4291; addresses for documentation are not in here, nor is anybody's."""

_CLOUDFLARE: Final = tuple(
    ipaddress.ip_network(text)
    for text in (
        "173.245.48.0/20", "103.21.244.0/22", "103.22.200.0/22", "103.31.4.0/22", "141.101.64.0/18",
        "108.162.192.0/18", "190.93.240.0/20", "188.114.96.0/20", "197.234.240.0/22", "198.41.128.0/17",
        "162.158.0.0/15", "104.16.0.0/13", "104.24.0.0/14", "172.64.0.0/13", "131.0.72.0/22",
        "2400:cb00::/32", "2606:4700::/32", "2803:f800::/32", "2405:b500::/32", "2405:8100::/32",
        "2a06:98c0::/29", "2c0f:f248::/32",
    )
)  # fmt: skip
"""Published at https://www.cloudflare.com/ips/ (last changed 2023-09-28)."""


def is_private(address: str) -> bool:
    """Return whether an address is private, shared (RFC 6598), of this machine or link."""
    return _is_in(address, _PRIVATE)


def is_cloudflare(address: str) -> bool:
    """Return whether an address is one of Cloudflare's proxy."""
    return _is_in(address, _CLOUDFLARE)


def _is_in(address: str, networks: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]) -> bool:
    value = ipaddress.ip_address(address)
    return any(value in network for network in networks if network.version == value.version)
