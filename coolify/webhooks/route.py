"""Where the receiver takes deliveries: one place, for those who listen there and those who are told to call it."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

__all__ = ["PREFIX", "hook_address"]

PREFIX: Final = "/webhooks"
"""Path before a source's name."""


def hook_address(url: str, source: str) -> str:
    """Return the address that a host is to call.

    Args:
        url: Address of the receiver. One with a path is taken as it is: a proxy may have moved it.
        source: Name of the source at the receiver; without settings of its own that is the kind of the host.
    """
    return url if urlsplit(url).path.strip("/") else f"{url.rstrip('/')}{PREFIX}/{source}"
