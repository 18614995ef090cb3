"""Anything that can sign: a pipeline, a script, a host of another kind.

Signed as the Standard Webhooks specification 1.0.0 says (identifier, time and body), or, by what can do less, with the
HMAC-SHA256 of the body in `X-Hub-Signature-256`. The body is the change itself, see `docs/events.md`:

    {"id": "build 4711", "kind": "image", "addresses": ["ghcr.io/example/shop"], "ref": "1.4.0"}
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from pydantic import SecretStr

from coolify.webhooks.delivery import Delivery, MalformedError, Request
from coolify.webhooks.model import Change
from coolify.webhooks.signatures import check_hexadecimal, check_standard, has_standard_signature

__all__ = ["open_delivery"]


_LARGEST: Final = 256 * 1024
"""Bytes; hosts tell more than we pass on, here all of it is passed on."""


class _Event(Change):
    id: str = ""


def open_delivery(request: Request, secrets: Sequence[SecretStr], now: datetime) -> Delivery:
    """See `providers.open_delivery`; without the header `webhook-id` the body needs an `id` of its own."""
    standard = has_standard_signature(request)
    if standard:
        key = check_standard(request, secrets, now)
    else:
        check_hexadecimal(request, "X-Hub-Signature-256", secrets)
    if len(request.body) > _LARGEST:
        raise MalformedError(f"The body has more than {_LARGEST} bytes.")
    told = _Event.model_validate_json(request.document)
    if not standard:
        if not told.id:
            raise MalformedError("The body needs an `id` that no other delivery has.")
        key = told.id
    return Delivery("push", (key,), (Change(**told.model_dump(exclude={"id"})),))
