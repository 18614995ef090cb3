"""Host names: the rules of RFC 1035 and RFC 1123, and international names by UTS 46 (RFC 5891)."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["HostNameError", "as_ascii", "as_unicode", "check_host_name"]

_LABEL: Final = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
_MAX_NAME: Final = 253
"""Characters of a name in text form; 255 octets on the wire (RFC 1035, section 2.3.4)."""


class HostNameError(ValueError):
    """A text is no host name; the message says why, without the name."""


def as_ascii(text: str) -> str:
    """Return the form of a name that the DNS knows: lower case, `xn--` for other scripts, no final dot.

    International labels are mapped by UTS 46 without the transitional mapping of IDNA 2003, as browsers do: `ß`
    stays a letter of its own.

    Raises:
        HostNameError: An international label is none.
    """
    name = text.strip().removesuffix(".")
    if name.isascii():
        return name.lower()
    import idna

    try:
        return idna.encode(name, uts46=True, transitional=False, std3_rules=True).decode("ascii").lower()
    except (idna.IDNAError, UnicodeError) as error:
        raise HostNameError(f"is not an international name: {_reason(error)}.") from None


def as_unicode(host: str) -> str:
    """Return a name as people read it; a label that cannot be decoded stays as it is."""
    return ".".join(_decoded(label) for label in host.split("."))


def check_host_name(text: str) -> str:
    """Return a host name in the form of the DNS.

    Labels have 1 to 63 letters, digits and inner hyphens (RFC 1123, section 2.1; no underscore: that is for names of
    services, RFC 8552); the whole has at most 253 characters (RFC 1035, section 2.3.4).

    Raises:
        HostNameError: It is none, with the reason.
    """
    host = as_ascii(text)
    if not host:
        raise HostNameError("is empty.")
    if len(host) > _MAX_NAME:
        raise HostNameError(f"has {len(host)} characters; a name has at most {_MAX_NAME} (RFC 1035).")
    for label in host.split("."):
        if problem := _label_problem(label):
            raise HostNameError(problem)
    if host.rpartition(".")[2].isdigit():
        raise HostNameError("is an address or ends like one: the last label of a name is not a number (RFC 1123).")
    return host


def _label_problem(label: str) -> str | None:
    if not label:
        return "has an empty label: two dots in a row, or one at the beginning."
    if len(label) > 63:
        return f"has a label of {len(label)} characters; a label has at most 63 (RFC 1035)."
    if "_" in label:
        return "holds an underscore, which no host name may (RFC 1123); certificates are not issued for such a name."
    if not _LABEL.fullmatch(label):
        return "is not made of letters, digits and inner hyphens, joined by dots (RFC 1123)."
    if label.startswith("xn--") and _decoded(label) == label:
        return "has a label that begins with xn-- and is no international name (RFC 5891)."
    return None


def _decoded(label: str) -> str:
    if not label.startswith("xn--"):
        return label
    import idna

    try:
        return idna.decode(label)
    except (idna.IDNAError, UnicodeError):
        return label


def _reason(error: Exception) -> str:
    return str(error).rstrip(".") or "it cannot be encoded"
