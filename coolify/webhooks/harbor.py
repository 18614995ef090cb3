"""Harbor: pushes of artifacts, in its default format.

Source: "Configure Webhook Notifications" of goharbor.io. The policy's "Auth Header" is sent as `Authorization`; it is
the secret, with or without `Bearer ` before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from pydantic import SecretStr

from coolify.webhooks.delivery import Delivery, Payload, RefusedError, Request
from coolify.webhooks.model import Change, PushKind
from coolify.webhooks.signatures import check_token

__all__ = ["open_delivery"]

_PUSHES: Final = {"PUSH_ARTIFACT", "pushImage"}
"""The second one is what Harbor 1 says."""


class _Resource(Payload):
    digest: str = ""
    tag: str = ""
    resource_url: str


class _Data(Payload):
    resources: tuple[_Resource, ...] = ()


class _Event(Payload):
    type: str
    occur_at: int
    """Seconds since 1970."""
    operator: str = ""
    event_data: _Data = _Data()


def open_delivery(request: Request, secrets: Sequence[SecretStr], now: datetime) -> Delivery:  # noqa: ARG001 - as all
    """See `providers.open_delivery`; deliveries have no identifier, but the time of the push in them."""
    given = request.headers.get("authorization")
    if not given:
        raise RefusedError("Authorization is missing")
    check_token(given.removeprefix("Bearer "), secrets, "Authorization")
    told = _Event.model_validate_json(request.document)
    resources = told.event_data.resources if told.type in _PUSHES else ()
    changes = tuple(
        Change(
            kind=PushKind.IMAGE,
            addresses=(one.resource_url.removesuffix(f":{one.tag}").lower(),),
            ref=one.tag,
            commit=one.digest,
            author=told.operator,
        )
        # An artifact that was pushed by its digest alone has none.
        for one in resources
        if one.tag and one.resource_url.endswith(f":{one.tag}")
    )
    return Delivery(told.type, (request.digest,), changes, datetime.fromtimestamp(told.occur_at, UTC))
