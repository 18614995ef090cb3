"""Refuses secrets that stand in the configuration file in clear."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from coolify.config.document import PlacedList, PlacedMap, PlacedText, Value
from coolify.config.errors import Problem
from coolify.config.interpolation import literal_part

__all__ = ["SECRET_SHAPES", "clear_secrets"]

# What issuers document about the shape of their tokens; Coolify: numeric id, bar, 40 or more letters and digits.
SECRET_SHAPES: Final = (
    ("a Coolify API token", re.compile(r"(?<![A-Za-z0-9])\d+\|[A-Za-z0-9]{40,}")),
    ("a private key", re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----")),
    ("a GitHub token", re.compile(r"(?<![A-Za-z0-9])(gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,})")),
    ("a GitLab token", re.compile(r"(?<![A-Za-z0-9])glpat-[A-Za-z0-9_-]{16,}")),
    ("an AWS access key", re.compile(r"(?<![A-Za-z0-9])(AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])")),
    ("a Slack token", re.compile(r"(?<![A-Za-z0-9])xox[abeoprs]-[A-Za-z0-9-]{8,}")),
    ("a Stripe key", re.compile(r"(?<![A-Za-z0-9])[rs]k_live_[A-Za-z0-9]{8,}")),
    ("a URL with a password", re.compile(r"://[^/\s:@]*:[^/\s@]+@")),
)
_SECRET_NAME: Final = re.compile(r"(PASSWORD|SECRET|TOKEN|PRIVATE_KEY)$", re.IGNORECASE)
_VARIABLE_PATH: Final = re.compile(r"(?:environments\.[^.]+\.)?env\.(?P<name>.+?)(?:\.value)?")
_SECRET_PATHS: Final = {
    "auth.token": ("COOLIFY_TOKEN", "revoke the token in Coolify"),
    "source.registry.password": ("REGISTRY_PASSWORD", "change the password at the registry"),
    "dns.records.cloudflare.token": ("CLOUDFLARE_API_TOKEN", "roll the token at Cloudflare"),
    "dns.records.route53.secret_access_key": ("AWS_SECRET_ACCESS_KEY", "replace the access key at AWS"),
    "dns.records.rfc2136.key_secret": ("DNS_KEY_SECRET", "replace the key at the name server"),
}
"""Path of a key that holds a secret -> the variable to use, and what to do with a secret that was shared."""
_OVERLAY: Final = re.compile(r"^environments\.[^.]+\.")


def clear_secrets(document: PlacedMap) -> tuple[Problem, ...]:
    """Return one problem for each value that is a secret; the secret itself is never part of a message."""
    return tuple(problem for text in _texts(document) if (problem := _problem(text)) is not None)


def _texts(value: Value) -> Iterator[PlacedText]:
    if isinstance(value, PlacedText):
        yield value
    elif isinstance(value, PlacedMap):
        for below in value.values():
            yield from _texts(below)
    elif isinstance(value, PlacedList):
        for below in value:
            yield from _texts(below)


def _problem(text: PlacedText) -> Problem | None:
    literal = literal_part(text)
    path = _OVERLAY.sub("", text.place.path)
    if path in _SECRET_PATHS:
        if not literal:
            return None
        name, remedy = _SECRET_PATHS[path]
        key = path.rpartition(".")[2]
        return text.place.problem(
            f"must not hold the {key.replace('_', ' ')} itself: write `{key}: ${{{name}}}`, run `export {name}=...` "
            f"before a release, and {remedy} if this file was ever shared."
        )
    variable = _VARIABLE_PATH.fullmatch(text.place.path)
    name = variable["name"].rpartition(".")[2] if variable else ""
    setting = re.sub(r"[^A-Za-z0-9_]", "_", name) or "VARIABLE"
    where = (
        f"write `${{{setting}}}` here and run `export {setting}=...` before a release, or use `from_file`"
        if variable
        else "remove it and hand it over in an environment variable"
    )
    for kind, shape in SECRET_SHAPES:
        if shape.search(literal):
            return text.place.problem(f"holds {kind} in clear: {where}.")
    if variable and literal.strip() and _SECRET_NAME.search(name):
        return text.place.problem(f"looks like a secret in clear, by its name: {where}.")
    return None
