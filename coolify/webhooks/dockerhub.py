"""Docker Hub: pushes of images.

Source: "Webhooks" of docs.docker.com. Docker Hub signs nothing and sends no token: the secret is the last part of the
path, `/webhooks/dockerhub/SECRET`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from pydantic import Field, SecretStr

from coolify.webhooks.delivery import Delivery, Payload, Request
from coolify.webhooks.model import Change, PushKind
from coolify.webhooks.signatures import check_token

__all__ = ["open_delivery"]


class _PushData(Payload):
    pushed_at: float
    """Seconds since 1970."""
    pusher: str = ""
    tag: str


class _Repository(Payload):
    repo_name: str = Field(min_length=1)


class _Event(Payload):
    push_data: _PushData
    repository: _Repository


def open_delivery(request: Request, secrets: Sequence[SecretStr], now: datetime) -> Delivery:  # noqa: ARG001 - as all
    """See `providers.open_delivery`; deliveries have no identifier, but the time of the push in them."""
    check_token(request.path_token, secrets, "the token in the path")
    told = _Event.model_validate_json(request.document)
    data = told.push_data
    image = f"docker.io/{told.repository.repo_name.lower()}"
    change = Change(kind=PushKind.IMAGE, addresses=(image,), ref=data.tag, author=data.pusher)
    return Delivery("push", (request.digest,), (change,), datetime.fromtimestamp(data.pushed_at, UTC))
