"""Refuses secrets that stand in the configuration file in clear."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from coolify.config.document import PlacedList, PlacedMap, PlacedText, Value
from coolify.config.errors import Problem
from coolify.config.interpolation import literal_part

__all__ = ["clear_secrets"]

# What issuers document about the shape of their tokens; Coolify: numeric id, bar, 40 or more letters and digits.
_SHAPES: Final = (
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
_TOKEN_PATH: Final = re.compile(r"(?:environments\.[^.]+\.)?auth\.token")
_PASSWORD_PATH: Final = re.compile(r"(?:environments\.[^.]+\.)?source\.registry\.password")


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
    if _TOKEN_PATH.fullmatch(text.place.path):
        if not literal:
            return None
        return text.place.problem(
            "must not hold the token itself: write `token: ${COOLIFY_TOKEN}`, run `export COOLIFY_TOKEN=...` before a "
            "release, and revoke the token in Coolify if this file was ever shared."
        )
    if _PASSWORD_PATH.fullmatch(text.place.path) and literal.strip():
        return text.place.problem(
            "must not hold the password itself: write `password: ${REGISTRY_PASSWORD}` and run "
            "`export REGISTRY_PASSWORD=...` before a release."
        )
    variable = _VARIABLE_PATH.fullmatch(text.place.path)
    name = variable["name"].rpartition(".")[2] if variable else ""
    setting = re.sub(r"[^A-Za-z0-9_]", "_", name) or "VARIABLE"
    where = (
        f"write `${{{setting}}}` here and run `export {setting}=...` before a release, or use `from_file`"
        if variable
        else "remove it and hand it over in an environment variable"
    )
    for kind, shape in _SHAPES:
        if shape.search(literal):
            return text.place.problem(f"holds {kind} in clear: {where}.")
    if variable and literal.strip() and _SECRET_NAME.search(name):
        return text.place.problem(f"looks like a secret in clear, by its name: {where}.")
    return None
