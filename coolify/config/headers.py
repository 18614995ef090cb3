"""The kinds of text that HTTP headers hold, each with its rule.

A browser ignores what it does not understand without a word: a misspelt directive protects nobody, so it is refused.
"""

from __future__ import annotations

import re
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from coolify.suggest import nearest

__all__ = ["CorsOrigin", "HeaderName", "HeaderValue", "Method", "PermissionsPolicy", "Policy", "ReferrerPolicy"]

_TOKEN: Final = re.compile(r"[A-Za-z0-9!#$%&'*+^_`|~-]+")
_FEATURE: Final = re.compile(r"[a-z][a-z0-9-]*=(\*|self|\([^()]*\))")
_DIRECTIVES: Final = frozenset((
    "base-uri", "block-all-mixed-content", "child-src", "connect-src", "default-src", "fenced-frame-src",
    "font-src", "form-action", "frame-ancestors", "frame-src", "img-src", "manifest-src", "media-src",
    "object-src", "report-to", "report-uri", "require-trusted-types-for", "sandbox", "script-src",
    "script-src-attr", "script-src-elem", "style-src", "style-src-attr", "style-src-elem", "trusted-types",
    "upgrade-insecure-requests", "worker-src",
))  # fmt: skip
"""Content Security Policy Level 3, with the older directives that browsers still read."""
_KEYWORDS: Final = frozenset(
    {"self", "none", "unsafe-inline", "unsafe-eval", "strict-dynamic", "unsafe-hashes", "report-sample"}
)
_REFERRER: Final = (
    "no-referrer",
    "no-referrer-when-downgrade",
    "origin",
    "origin-when-cross-origin",
    "same-origin",
    "strict-origin",
    "strict-origin-when-cross-origin",
    "unsafe-url",
)


def _header_value(text: str) -> str:
    """Check a value: RFC 9110 section 5.5, without the obsolete characters beyond ASCII."""
    if text != text.strip():
        raise ValueError("must not begin or end with a space.")
    if not text.isascii() or not all(one.isprintable() for one in text):
        raise ValueError("must be one line of ASCII characters.")
    return text


def _header_name(text: str) -> str:
    """Check a name: RFC 9110 section 5.1; a dot would end the label's key that carries it."""
    if not _TOKEN.fullmatch(text):
        raise ValueError("is not a header's name: letters, digits and hyphens.")
    return text


def _policy(text: str) -> str:
    _header_value(text)
    seen: set[str] = set()
    for directive in (part.split() for part in text.split(";") if part.strip()):
        name, *sources = directive
        if name.lower() not in _DIRECTIVES:
            raise ValueError(f"`{name}` is not a directive of a Content-Security-Policy: {nearest(name, _DIRECTIVES)}")
        if name.lower() in seen:
            raise ValueError(f"`{name}` stands twice, and browsers ignore the second: join them.")
        seen.add(name.lower())
        bare = next((source for source in sources if source.lower() in _KEYWORDS), None)
        if bare is not None:
            raise ValueError(f"`{bare}` after `{name}` would be a host name: write '{bare}' in single quotes.")
    if not seen:
        raise ValueError("is empty: write a policy or remove the key.")
    return text


def _referrer_policy(text: str) -> str:
    for token in text.split(","):
        if token.strip() not in _REFERRER:
            raise ValueError(f"is not a referrer policy: {nearest(token.strip(), _REFERRER)}")
    return text


def _permissions_policy(text: str) -> str:
    _header_value(text)
    for feature in re.split(r",\s*(?![^()]*\))", text):
        if not _FEATURE.fullmatch(feature.strip()):
            raise ValueError("must be `feature=(...)` joined by commas, as in `camera=(), geolocation=(self)`.")
    return text


def _origin(text: str) -> str:
    """Check an origin as browsers send it: RFC 6454 section 6.2."""
    if text == "*":
        return text
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError:
        raise ValueError("is not an origin, as in https://app.example.com.") from None
    if url.scheme not in {"http", "https"} or not url.hostname or not text.isascii() or "," in text:
        raise ValueError("is not an origin, as in https://app.example.com.")
    if "*" in text:
        raise ValueError("must not hold `*`: browsers compare the whole origin.")
    if url.path or url.query or url.fragment or "@" in url.netloc:
        raise ValueError("must be scheme and host alone, without path and without `/` at the end.")
    if text != text.lower():
        raise ValueError("must be in lower case: browsers send it so.")
    if port == {"http": 80, "https": 443}[url.scheme]:
        raise ValueError("must not name the port that its scheme has anyway: browsers leave it out.")
    return text


def _method(text: str) -> str:
    if not re.fullmatch(r"[A-Z]+", text):
        raise ValueError("is not a method, as in GET.")
    return text


HeaderValue = Annotated[str, Field(max_length=4096, coerce_numbers_to_str=True), AfterValidator(_header_value)]
"""Text of a header, maybe empty."""
HeaderName = Annotated[str, Field(max_length=128), AfterValidator(_header_name)]
"""Name of a header."""
Policy = Annotated[str, Field(max_length=4096), AfterValidator(_policy)]
"""A Content-Security-Policy."""
ReferrerPolicy = Annotated[str, Field(max_length=255), AfterValidator(_referrer_policy)]
"""A referrer policy, or several with the preferred one last."""
PermissionsPolicy = Annotated[str, Field(max_length=4096), AfterValidator(_permissions_policy)]
"""A permissions policy."""
CorsOrigin = Annotated[str, Field(max_length=255), AfterValidator(_origin)]
"""Scheme, host and port of a site, or `*`."""
Method = Annotated[str, Field(max_length=16), AfterValidator(_method)]
"""An HTTP method."""
