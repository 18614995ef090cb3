"""Headers that fit most applications, to start from."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, TypeAlias

__all__ = ["PRESETS", "Setting"]

Setting: TypeAlias = str | int | bool

_MODERATE: Final[Mapping[tuple[str, ...], Setting]] = {
    ("headers", "hsts", "max_age"): 31_536_000,
    ("headers", "frame_options"): "sameorigin",
    ("headers", "nosniff"): True,
    ("headers", "referrer_policy"): "strict-origin-when-cross-origin",
}
_STRICT: Final[Mapping[tuple[str, ...], Setting]] = {
    ("headers", "hsts", "max_age"): 63_072_000,
    ("headers", "hsts", "subdomains"): True,
    ("headers", "content_security_policy"): (
        "default-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
    ),
    ("headers", "frame_options"): "deny",
    ("headers", "nosniff"): True,
    ("headers", "referrer_policy"): "no-referrer",
    ("headers", "permissions_policy"): "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    ("headers", "custom", "Cross-Origin-Opener-Policy"): "same-origin",
    ("headers", "custom", "Cross-Origin-Resource-Policy"): "same-origin",
}
PRESETS: Final[Mapping[str, Mapping[tuple[str, ...], Setting]]] = MappingProxyType(
    {"moderate": _MODERATE, "strict": _STRICT}
)
"""Name -> keys below `security` and their values.

`moderate` breaks nothing that works over HTTPS; `strict` forbids scripts of other sites, frames, and plain HTTP for all
subdomains, and is to be tried first.
"""
