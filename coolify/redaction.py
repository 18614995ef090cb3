"""Takes secrets out of text that programs print before it is shown, logged or kept."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from coolify.config import Config, ResolvedVariable
from coolify.config.interpolation import Reference
from coolify.config.secrets import SECRET_SHAPES

__all__ = ["Redaction", "secrets_of"]

_MASK: Final = "[secret]"
_SHORTEST: Final = 4
"""Shorter values are no secrets that protect anything, and masking them would make every text unreadable."""
_SECRET_NAME: Final = re.compile(r"(^|_)(PASSWORD|PASSWD|SECRET|TOKEN|KEY|CREDENTIALS|AUTH_STRING)$", re.IGNORECASE)
_PASSWORD_OF_URL: Final = re.compile(r"://[^/\s:@]*:([^/\s@]+)@")


class Redaction:
    """Masks known values wherever they stand, and whatever has the shape of a well-known token.

    Args:
        secrets: Values; of those with several lines each line is masked, of URLs the password alone too.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        parts = {part for secret in secrets for part in _parts(secret) if len(part) >= _SHORTEST}
        # The longest first: one secret may be a part of another.
        self._known = sorted(parts, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """Return the text without the secrets."""
        for part in self._known:
            text = text.replace(part, _MASK)
        for _, shape in SECRET_SHAPES:
            text = shape.sub(_MASK, text)
        return text


def secrets_of(config: Config, variables: Iterable[ResolvedVariable], environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return what must not be shown of an application and of the process that releases it.

    A value that stands in the configuration file in clear is no secret.

    Args:
        config: The application.
        variables: Its variables with their values.
        environ: The environment of this process, of which the names tell what is a secret.
    """
    written = config.env
    hidden = {key for key, one in written.items() if one.from_file or (one.value is not None and one.value.variables)}
    referred = set(Reference(config.model_dump_json()).variables)
    return (
        *(one.value.get_secret_value() for one in variables if one.key in hidden),
        *(value for name, value in environ.items() if name in referred or _SECRET_NAME.search(name)),
    )


def _parts(secret: str) -> Iterable[str]:
    yield secret
    yield from (line.strip() for line in secret.splitlines())
    yield from _PASSWORD_OF_URL.findall(secret)
    # Coolify accepts its tokens without their number, too.
    yield secret.rpartition("|")[2]
