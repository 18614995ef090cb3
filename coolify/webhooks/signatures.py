"""Whether a delivery comes from somebody who knows the secret; always in constant time, always over the raw body.

Every secret is tried, so that an old and a new one are valid at once while they are exchanged, and the time that it
takes does not tell which one fits.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from pydantic import SecretStr

from coolify.webhooks.delivery import RefusedError, Request

__all__ = ["check_hexadecimal", "check_standard", "check_token", "has_standard_signature"]

_TOLERANCE_SECONDS: Final = 300
"""How far the time of a Standard Webhooks message may be from ours, as its libraries have it."""
_PREFIX: Final = "whsec_"


def check_hexadecimal(request: Request, header: str, secrets: Sequence[SecretStr], prefix: str = "sha256=") -> None:
    """Check an HMAC-SHA256 of the body, written in hexadecimal digits.

    GitHub: "Validating webhook deliveries"; Bitbucket Cloud: "Secure webhooks"; Gitea sends it without a prefix.

    Raises:
        RefusedError: It is missing or does not fit.
    """
    given = _header(request, header)
    if not given.startswith(prefix):
        raise RefusedError(f"{header} does not begin with {prefix}")
    digests = (hmac.new(_bytes(one), request.body, hashlib.sha256).hexdigest() for one in secrets)
    _compare(given.removeprefix(prefix).lower(), digests, header)


def check_token(given: str, secrets: Sequence[SecretStr], what: str) -> None:
    """Check a token that is the secret itself.

    Raises:
        RefusedError: It is not.
    """
    _compare(given, (one.get_secret_value() for one in secrets), what)


def has_standard_signature(request: Request) -> bool:
    """Return whether a request is signed as the Standard Webhooks specification says."""
    return "webhook-signature" in request.headers


def check_standard(request: Request, secrets: Sequence[SecretStr], now: datetime) -> str:
    """Check a signature of the Standard Webhooks specification 1.0.0, which covers identifier, time and body.

    The secret is base64 after `whsec_`, and any text without that.

    Returns:
        The identifier of the message.

    Raises:
        RefusedError: It does not fit, or its time is more than five minutes from ours.
    """
    identifier, written = _header(request, "webhook-id"), _header(request, "webhook-timestamp")
    content = f"{identifier}.{written}.".encode() + request.body
    wanted = [base64.b64encode(hmac.new(_key(one), content, hashlib.sha256).digest()).decode() for one in secrets]
    versions = (one.partition(",") for one in _header(request, "webhook-signature").split())
    given = [signature for version, _, signature in versions if version == "v1"]
    if not sum(_equal(one, other) for one in given for other in wanted):
        raise RefusedError("webhook-signature does not fit")
    # Only now: a time that is not signed says nothing.
    if not written.isascii() or not written.isdigit() or abs(now.timestamp() - int(written)) > _TOLERANCE_SECONDS:
        raise RefusedError(f"webhook-timestamp is more than {_TOLERANCE_SECONDS} s away from this machine's clock")
    return identifier


def _compare(given: str, wanted: Iterable[str], what: str) -> None:
    # A sum, so that all are compared, also after one that fits.
    if not sum(_equal(given, one) for one in wanted):
        raise RefusedError(f"{what} does not fit")


def _equal(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode(), wanted.encode())


def _header(request: Request, name: str) -> str:
    value = request.headers.get(name.lower())
    if not value:
        raise RefusedError(f"{name} is missing")
    return value


def _key(secret: SecretStr) -> bytes:
    text = secret.get_secret_value()
    if not text.startswith(_PREFIX):
        return text.encode()
    try:
        return base64.b64decode(text.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        return text.encode()


def _bytes(secret: SecretStr) -> bytes:
    return secret.get_secret_value().encode()
