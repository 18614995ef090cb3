"""Every recorded error answer becomes one typed exception with a sentence for the operator."""

import httpx
import pytest

from coolify.api.answers import error_of
from coolify.api.errors import (
    AddressNotAllowedError,
    ApiDisabledError,
    ApiError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    DomainConflictError,
    EndpointMissingError,
    MissingAbilityError,
    MissingTeamRoleError,
    NotFoundError,
    PermissionDeniedError,
    QueueFullError,
    RateLimitedError,
    ServerError,
    ValidationFailedError,
)
from tests.contract.replay import Exchange, files, load

ERRORS = [one for file in files() for one in load(file) if one.status >= 400]
BY_STATUS = {
    400: (BadRequestError, QueueFullError),
    401: (AuthenticationError,),
    403: (
        AddressNotAllowedError,
        ApiDisabledError,
        MissingAbilityError,
        MissingTeamRoleError,
        PermissionDeniedError,
    ),
    404: (EndpointMissingError, NotFoundError),
    405: (BadRequestError,),
    409: (ConflictError, DomainConflictError),
    422: (ValidationFailedError,),
    429: (QueueFullError, RateLimitedError),
    500: (ServerError,),
}


def error(exchange: Exchange) -> ApiError:
    request = httpx.Request(exchange.method, f"https://coolify.example.com{exchange.path}")
    if exchange.is_json:
        answer = httpx.Response(exchange.status, json=exchange.body, request=request)
    else:
        answer = httpx.Response(exchange.status, text=str(exchange.body), request=request)
    return error_of(answer, exchange.path.removeprefix("/api/v1"))


@pytest.mark.parametrize("exchange", ERRORS, ids=lambda one: one.key)
def test_a_recorded_error_is_typed_and_told_in_a_sentence(exchange) -> None:
    found = error(exchange)
    assert type(found) in BY_STATUS[exchange.status]
    assert found.status == exchange.status
    sentence = str(found)
    assert "\n" not in sentence
    assert "<!DOCTYPE" not in sentence
    assert sentence.endswith((".", ")"))
    message = exchange.body.get("message", "") if isinstance(exchange.body, dict) else ""
    if not isinstance(found, DomainConflictError):
        assert message.rstrip(".") in sentence
    assert all(
        isinstance(texts, list) and all(isinstance(one, str) for one in texts) for texts in found.field_errors.values()
    )
    named = exchange.body.get("errors") if isinstance(exchange.body, dict) else None
    if isinstance(named, dict):
        assert set(found.field_errors) == {str(name) for name in named}
        assert all(field in sentence for field in found.field_errors)


def test_all_kinds_of_errors_were_recorded() -> None:
    seen = {type(error(one)) for one in ERRORS}
    assert seen >= {kind for kinds in BY_STATUS.values() for kind in kinds} - {PermissionDeniedError} or (
        PermissionDeniedError in seen
    )
    assert len(ERRORS) > 350
