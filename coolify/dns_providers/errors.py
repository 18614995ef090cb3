"""What goes wrong at a DNS provider."""

from __future__ import annotations

from coolify.errors import OperatorError

__all__ = ["DnsAutomationMissingError", "DnsProviderError", "RecordsRefusedError", "ZoneChangedError"]


class DnsProviderError(OperatorError):
    """A provider cannot be reached, refuses us, or does not have the zone."""


class ZoneChangedError(OperatorError):
    """Somebody else changed the same records at the same time."""


class DnsAutomationMissingError(OperatorError):
    """The libraries that speak with DNS providers are not installed."""

    def __init__(self) -> None:
        super().__init__(
            "DNS records cannot be changed: the extra `dns` is not installed. Run `pip install 'coolify-flows[dns]'`."
        )


class RecordsRefusedError(OperatorError):
    """The records of a host are not ours to write."""
