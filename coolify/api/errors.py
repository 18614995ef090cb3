"""One hierarchy for everything that can go wrong between us and Coolify.

`TransportError`: no usable answer. `ApiError`: Coolify answered and refused. Messages are written for operators and
never hold a token or a variable's value: of a request they name method and path only.
"""

from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from coolify.errors import OperatorError

__all__ = [
    "AddressNotAllowedError",
    "AmbiguousNameError",
    "AnswerLostError",
    "ApiDisabledError",
    "ApiError",
    "AuthenticationError",
    "BadRequestError",
    "ConflictError",
    "ConnectionFailedError",
    "CoolifyError",
    "DeploymentNotStoredError",
    "DomainConflict",
    "DomainConflictError",
    "EndpointMissingError",
    "FollowTimeoutError",
    "MaintenanceError",
    "MalformedAnswerError",
    "MissingAbilityError",
    "MissingTeamRoleError",
    "NotFoundError",
    "PermissionDeniedError",
    "QueueFullError",
    "RateLimitedError",
    "ServerError",
    "TlsVerificationError",
    "TransportError",
    "UnsupportedVersionError",
    "ValidationFailedError",
]


class CoolifyError(OperatorError):
    """Root of all errors of the client."""

    retryable: ClassVar[bool] = False
    """Whether the same request may succeed later without anybody changing anything."""


class TransportError(CoolifyError):
    """No usable answer came back."""

    retryable = True


class ConnectionFailedError(TransportError):
    """The request was certainly not received: no address, refused, unreachable."""


class TlsVerificationError(TransportError):
    """The server's certificate does not verify."""

    retryable = False


class AnswerLostError(TransportError):
    """The request went out and no answer came: it may or may not have been applied."""


class MalformedAnswerError(TransportError):
    """An answer came that is not Coolify's: cut off, HTML, another content type."""


class AmbiguousNameError(CoolifyError):
    """Several objects fit where one was meant."""


class UnsupportedVersionError(CoolifyError):
    """The server's version lacks what is needed."""


class DeploymentNotStoredError(CoolifyError):
    """Coolify handed out a deployment UUID that it never stored (traps 1 and 2)."""


class FollowTimeoutError(CoolifyError):
    """A deployment did not end in time."""


class ApiError(CoolifyError):
    """Coolify answered with an error.

    Attributes:
        status: HTTP status.
        message: Coolify's own text.
        field_errors: Texts by field; fields of unnamed errors are under the empty string.
        method: Method of the request.
        path: Path of the request below `/api/v1`, without query.
    """

    hint: ClassVar[str] = ""

    def __init__(
        self,
        *,
        status: int,
        message: str,
        method: str,
        path: str,
        field_errors: dict[str, list[str]] | None = None,
        retry_after: float | None = None,
    ) -> None:
        self.status = status
        self.message = message
        self.method = method
        self.path = path
        self.field_errors = field_errors or {}
        self.retry_after = retry_after
        super().__init__(self._sentence())

    def _sentence(self) -> str:
        fields = "; ".join(
            f"{field}: {' '.join(texts)}" if field else " ".join(texts) for field, texts in self.field_errors.items()
        )
        parts = [f"Coolify refused {self.method} {self.path} ({self.status}): {self.message.rstrip('.')}."]
        parts += [f"{fields.rstrip('.')}."] if fields else []
        parts += [self.hint] if self.hint else []
        return " ".join(parts)


class AuthenticationError(ApiError):
    """401, or 400 `Invalid token.` before 4.1.2: the token is missing, unknown, expired or without a team."""

    hint = (
        "The API token is wrong or expired (tokens live 30 days by default): create one in Coolify under "
        "Keys & Tokens and set it where auth.token points."
    )


class PermissionDeniedError(ApiError):
    """403 for another reason than the more precise ones below."""

    hint = "Use a token of a team admin or owner."


class MissingAbilityError(PermissionDeniedError):
    """403 `Missing required permissions: ...`."""

    hint = "Create a token with this permission in Coolify under Keys & Tokens."


class MissingTeamRoleError(PermissionDeniedError):
    """403: the token belongs to a plain member of the team, who may only read."""

    hint = "The token belongs to a plain team member: create it as an admin or owner of the team."


class ApiDisabledError(PermissionDeniedError):
    """403 `API is disabled.`, the state of a fresh installation."""

    hint = "Switch the API on in Coolify under Settings > Configuration > Advanced."


class AddressNotAllowedError(PermissionDeniedError):
    """403: our address is not on the instance's allow list."""

    hint = "Add this machine's address in Coolify under Settings > Configuration > Advanced > Allowed IPs."


class NotFoundError(ApiError):
    """404: the object does not exist, or belongs to another team."""


class EndpointMissingError(NotFoundError):
    """404 with a link to the documentation: this version has no such endpoint."""

    hint = "This Coolify version does not have this function: upgrade Coolify."


class ConflictError(ApiError):
    """409: it exists already, or is in use."""


class DomainConflict(BaseModel):
    """Who uses a domain already."""

    model_config = ConfigDict(frozen=True, defer_build=True, extra="ignore")

    domain: str
    resource_name: str | None = None
    resource_uuid: str | None = None
    resource_type: str | None = None


class DomainConflictError(ConflictError):
    """409 with the resources that use the domain."""

    def __init__(
        self, conflicts: tuple[DomainConflict, ...], *, status: int, message: str, method: str, path: str
    ) -> None:
        self.conflicts = conflicts
        super().__init__(status=status, message=message, method=method, path=path)

    def _sentence(self) -> str:
        users = "; ".join(
            f"{one.domain} is used by {one.resource_type} '{one.resource_name}'" for one in self.conflicts
        )
        return f"Coolify refused the domains: {users or self.message}. Remove the domain there or choose another."


class ValidationFailedError(ApiError):
    """422."""


class BadRequestError(ApiError):
    """400 and other refusals of the request as it is."""


class RateLimitedError(ApiError):
    """429 of the API's rate limit; the client waits and repeats on its own before this is raised."""

    retryable = True
    hint = "All tokens of one user share the limit: wait a minute, or run fewer things at once."


class QueueFullError(ApiError):
    """429 or 400: the deployment queue of the server is full."""

    retryable = True
    hint = "Wait until deployments on that server have ended, or cancel stuck ones."


class ServerError(ApiError):
    """500 and other server errors; problems of Coolify's SSH connection surface here too."""

    retryable = True
    hint = "Look at Coolify's log (laravel.log) for the reason."


class MaintenanceError(ServerError):
    """503: Coolify is being upgraded or down."""

    hint = "Coolify is being upgraded or restarted: try again in some minutes."
