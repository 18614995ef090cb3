"""Amazon Route 53, through octoDNS."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import SecretStr

from coolify.dns_providers.backend import Provider

__all__ = ["Route53Access"]

_ATTEMPTS: Final = 4
_REFUSED: Final = frozenset(
    {"AccessDenied", "AccessDeniedException", "ExpiredToken", "InvalidClientTokenId", "SignatureDoesNotMatch"}
)
_THROTTLED: Final = frozenset({"Throttling", "PriorRequestNotComplete", "TooManyRequestsException"})
_RIGHTS: Final = "route53:ListHostedZones, route53:ListResourceRecordSets and route53:ChangeResourceRecordSets"


@dataclass(frozen=True, slots=True)
class Route53Access:
    """Keys of AWS; those that boto3 finds (environment, profile, role of the machine) when they are left out."""

    access_key_id: str = ""
    secret_access_key: SecretStr = field(default_factory=lambda: SecretStr(""))
    role_arn: str = ""
    """Role to assume with the keys."""

    @property
    def label(self) -> str:
        """Who that is, for a sentence."""
        return "Route 53"

    def open(self) -> Provider:
        """Return a provider without anything remembered."""
        from octodns_route53 import Route53Provider  # type: ignore[import-untyped]

        class _RecordsOnly(Route53Provider):  # type: ignore[misc]
            def _gc_health_checks(self, record: object, new: object) -> None:
                """Leave health checks alone: our records have none, and listing them needs one more right."""

        provider: Provider = _RecordsOnly(
            "route53",
            access_key_id=self.access_key_id or None,
            secret_access_key=self.secret_access_key.get_secret_value() or None,
            role_arn=self.role_arn or None,
            client_max_attempts=_ATTEMPTS,
            # A private zone of the same name is another zone, seen inside of a VPC only.
            private=False,
        )
        return provider

    def zones(self, provider: Any) -> tuple[str, ...]:  # noqa: ANN401 - octoDNS
        """Return the public zones of the account."""
        return tuple(provider.list_zones())

    def servers(self, provider: Any, zone: str) -> tuple[str, ...]:  # noqa: ANN401, ARG002 - octoDNS
        """Return nothing: the NS record of the zone names them."""
        return ()

    def failures(self) -> tuple[type[Exception], ...]:
        """Return what the provider raises when the world is wrong."""
        from botocore.exceptions import BotoCoreError, ClientError
        from octodns.provider import ProviderException  # type: ignore[import-untyped]

        return ProviderException, BotoCoreError, ClientError

    def explain(self, error: Exception, zone: str) -> str:
        """Return one sentence about a failure."""
        from botocore.exceptions import ClientError, NoCredentialsError, NoRegionError, PartialCredentialsError

        match error:
            case NoCredentialsError() | PartialCredentialsError():
                return (
                    "There are no keys for Route 53: set dns.records.route53.access_key_id and secret_access_key, or "
                    "what boto3 looks for (AWS_ACCESS_KEY_ID, a profile, a role of the machine)."
                )
            case NoRegionError():
                return "To assume the role, boto3 wants to know a region: export AWS_DEFAULT_REGION, as in us-east-1."
            case ClientError():
                code = str(error.response.get("Error", {}).get("Code", "unknown"))
                if code in _REFUSED:
                    return f"Route 53 refuses the keys for {zone} ({code}): they need {_RIGHTS}."
                if code in _THROTTLED:
                    return f"Route 53 is asked too often ({code}): try again in a minute."
                return f"Route 53 refuses the request about {zone} ({code})."
            case _ if type(error).__module__.startswith("botocore"):
                return f"Route 53 cannot be reached ({type(error).__name__}): check the network of this machine."
        return f"Route 53 refuses the request about {zone}: {str(error).rstrip('.')}."
