"""A request as it arrives, and what is left of it once it is checked and read."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qs

from pydantic import BaseModel, ConfigDict

from coolify.errors import OperatorError
from coolify.webhooks.model import Change

__all__ = ["Delivery", "MalformedError", "Payload", "RefusedError", "Request"]


class RefusedError(OperatorError):
    """The delivery is not from whom it claims to be, or too old; the reason is for our log and not for the sender."""


class MalformedError(OperatorError):
    """The delivery is genuine and cannot be read."""


class Payload(BaseModel):
    """A part of a provider's payload: what we need of it, the rest passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")


@dataclass(frozen=True, slots=True)
class Request:
    """What was sent to us."""

    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes
    """As it came over the wire: signatures cover exactly that."""
    path_token: str = ""
    """What follows the source's name in the path."""

    @property
    def digest(self) -> str:
        """SHA-256 of the body in hexadecimal digits."""
        return hashlib.sha256(self.body).hexdigest()

    @property
    def document(self) -> bytes:
        """The JSON text: the body, or the field `payload` of a form.

        Raises:
            MalformedError: The form has no such field.
        """
        if not self.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            return self.body
        try:
            return parse_qs(self.body.decode("ascii"), strict_parsing=True)["payload"][0].encode()
        except (ValueError, KeyError):
            raise MalformedError("The form has no field `payload`.") from None


@dataclass(frozen=True, slots=True)
class Delivery:
    """A genuine delivery."""

    what: str
    """The provider's name of the event, for the log."""
    keys: tuple[str, ...]
    """What makes it the same delivery when it comes again; the first one names it."""
    changes: tuple[Change, ...] = ()
    """What was pushed; nothing for a ping, and for events that are not about pushes."""
    happened_at: datetime | None = None
    """When it happened, where the signed part tells."""
