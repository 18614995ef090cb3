"""Name servers with dynamic updates (BIND, Knot, PowerDNS), through octoDNS."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import SecretStr

from coolify.dns.ownership import PREFIX
from coolify.dns_providers.backend import Provider
from coolify.dns_providers.errors import DnsProviderError

__all__ = ["Rfc2136Access"]

_TIMEOUT_SECONDS: Final = 15


@dataclass(frozen=True, slots=True)
class Rfc2136Access:
    """A primary name server that takes updates (RFC 2136) and gives transfers (RFC 5936), signed by TSIG (RFC 8945)."""

    server: str
    port: int = 53
    key_name: str = ""
    key_secret: SecretStr = field(default_factory=lambda: SecretStr(""))
    """In base64, as `tsig-keygen` writes it."""
    key_algorithm: str = "hmac-sha256"

    @property
    def label(self) -> str:
        """Who that is, for a sentence."""
        return f"the name server {self.server}"

    def open(self) -> Provider:
        """Return a provider without anything remembered.

        Raises:
            DnsProviderError: The key's secret is no base64.
        """
        from octodns_bind import Rfc2136Provider  # type: ignore[import-untyped]

        secret = self.key_secret.get_secret_value()
        try:
            base64.b64decode(secret, validate=True)
        except binascii.Error:
            raise DnsProviderError(
                f"The secret of the TSIG key '{self.key_name}' is not base64: copy it from the key's file as it is."
            ) from None
        key = {"key_name": self.key_name, "key_secret": secret, "key_algorithm": self.key_algorithm}

        class _MarksOnly(Rfc2136Provider):  # type: ignore[misc]
            def zone_records(self, zone: Any, target: bool) -> list[Any]:  # noqa: ANN401 - octoDNS
                """Leave out texts of others: octoDNS stops at the first that is not UTF-8, which texts need not be."""
                found = super().zone_records(zone, target)
                return [one for one in found if one._type != "TXT" or one.name.startswith(PREFIX)]  # noqa: SLF001

        provider: Provider = _MarksOnly(
            "rfc2136", self.server, port=self.port, timeout=_TIMEOUT_SECONDS, **(key if self.key_name else {})
        )
        return provider

    def zones(self, provider: Any) -> None:  # noqa: ANN401, ARG002 - octoDNS
        """Return nothing: a name server does not list its zones."""
        return

    def servers(self, provider: Any, zone: str) -> tuple[str, ...]:  # noqa: ANN401, ARG002 - octoDNS
        """Return nothing: the NS record of the zone names them."""
        return ()

    def failures(self) -> tuple[type[Exception], ...]:
        """Return what the provider raises when the world is wrong."""
        from dns.exception import DNSException
        from octodns_bind import AxfrSourceException, Rfc2136ProviderException

        return AxfrSourceException, Rfc2136ProviderException, DNSException, OSError, EOFError

    def explain(self, error: Exception, zone: str) -> str:
        """Return one sentence about a failure."""
        from socket import gaierror

        from dns.exception import DNSException
        from dns.exception import Timeout as TimedOut
        from dns.query import TransferError
        from dns.tsig import PeerBadKey, PeerBadSignature, PeerBadTime
        from octodns_bind import AxfrSourceException, Rfc2136ProviderException

        where = f"The name server {self.server}, port {self.port},"
        key = f"the TSIG key '{self.key_name}'" if self.key_name else "a request without a TSIG key"
        # octoDNS tells of a failed transfer in its own words, and hides the reason behind them.
        reason = error.__context__ if isinstance(error, AxfrSourceException) and error.__context__ else error
        match reason:
            case PeerBadKey() | PeerBadSignature():
                return f"{where} does not know {key}, or with another secret: compare name, algorithm and secret."
            case PeerBadTime():
                return f"{where} refuses {key}, for the clocks differ by more than five minutes: set them right."
            case TransferError():
                return (
                    f"{where} refuses to transfer the zone {zone} ({_code(reason)}): allow it for {key} "
                    "(in BIND `allow-transfer`), and check that dns.records.zone is a zone of this server."
                )
            case Rfc2136ProviderException():
                return (
                    f"{where} refuses the update of {zone} ({_code(reason)}): allow it for {key} (in BIND "
                    "`update-policy` or `allow-update`), and check that the server is the zone's primary."
                )
            case gaierror():
                return f"The name server {self.server} has no address: correct dns.records.rfc2136.server."
            case TimedOut() | OSError() | EOFError():
                return f"{where} does not answer over TCP: check address, port and firewall."
            case DNSException():
                return f"{where} gives an answer that cannot be used ({type(reason).__name__})."
        return f"{where} cannot be used ({str(reason).rstrip('.')}): check dns.records.rfc2136.server."


def _code(error: BaseException) -> str:
    """Return the response code at the end of a message, as in `Zone transfer error: REFUSED`."""
    return str(error).rpartition(" ")[2]
