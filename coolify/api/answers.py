"""From an HTTP answer to a value or to the error that says what is wrong (reference 0.3)."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, Final

import httpx

from coolify.api.errors import (
    AddressNotAllowedError,
    ApiDisabledError,
    ApiError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    DomainConflict,
    DomainConflictError,
    EndpointMissingError,
    MaintenanceError,
    MalformedAnswerError,
    MissingAbilityError,
    MissingTeamRoleError,
    NotFoundError,
    PermissionDeniedError,
    QueueFullError,
    RateLimitedError,
    ServerError,
    ValidationFailedError,
)

__all__ = ["error_of", "parse_json", "plain_text"]

_BY_STATUS: Final[Mapping[int, type[ApiError]]] = {
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    422: ValidationFailedError,
    429: RateLimitedError,
    503: MaintenanceError,
}


def parse_json(response: httpx.Response, path: str) -> Any:  # noqa: ANN401 - JSON is anything until a model reads it
    """Return the body of a successful answer.

    Raises:
        MalformedAnswerError: The body is not JSON.
    """
    try:
        return response.json()
    except ValueError:
        kind = response.headers.get("content-type", "no content type").partition(";")[0]
        raise MalformedAnswerError(
            f"The answer to {response.request.method} {path} is not JSON ({kind}): check that the address is Coolify's "
            "own and that no login page or proxy stands before it."
        ) from None


def error_of(response: httpx.Response, path: str) -> ApiError:
    """Return the exception for an error answer."""
    method, status = response.request.method, response.status_code
    body = _body(response)
    message = str(body.get("message") or body.get("error") or response.reason_phrase or "no reason given")
    if body.get("error") and body.get("error") != message and status == 400:
        message = f"{message.rstrip('.')}: {body['error']}"
    conflicts = body.get("conflicts")
    if status == 409 and isinstance(conflicts, list):
        parsed = tuple(DomainConflict.model_validate(one) for one in conflicts if isinstance(one, dict))
        return DomainConflictError(parsed, status=status, message=message, method=method, path=path)
    return _class_of(status, message, body)(
        status=status,
        message=message,
        method=method,
        path=path,
        field_errors=_field_errors(body.get("errors")),
        retry_after=_seconds(response.headers.get("retry-after")),
    )


def _class_of(status: int, message: str, body: Mapping[str, Any]) -> type[ApiError]:
    match status:
        case 400 if message.startswith("Invalid token"):
            return AuthenticationError
        case 403 if message.startswith("Missing required permissions"):
            return MissingAbilityError
        case 403 if "team role" in message or "This API token has permissions" in message:
            return MissingTeamRoleError
        case 403 if message.startswith("API is disabled"):
            return ApiDisabledError
        case 403 if message.startswith("You are not allowed to access the API"):
            return AddressNotAllowedError
        case 404 if "docs" in body:
            return EndpointMissingError
        case 400 | 429 if "queue is full" in message.lower():
            return QueueFullError
        case _ if status in _BY_STATUS:
            return _BY_STATUS[status]
        case _ if status >= 500:
            return ServerError
        case _:
            return BadRequestError


def _body(response: httpx.Response) -> Mapping[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _field_errors(errors: object) -> dict[str, list[str]]:
    """Bring the four shapes of `errors` into one: lists or strings by field, a list, a string."""
    match errors:
        case dict():
            return {
                str(field): [str(text) for text in texts] if isinstance(texts, list) else [str(texts)]
                for field, texts in errors.items()
            }
        case list():
            return {"": [str(text) for text in errors]} if errors else {}
        case str():
            return {"": [errors]}
        case _:
            return {}


def _seconds(header: str | None) -> float | None:
    """Read `Retry-After` in seconds; Coolify sends no dates."""
    try:
        return max(0.0, float(header)) if header is not None else None
    except ValueError:
        return None


def plain_text(stored: str) -> str:
    """Return a text that Coolify keeps in base64, and answers so or, right after it made it itself, plainly."""
    try:
        return base64.b64decode(stored, validate=True).decode()
    except ValueError:
        return stored
