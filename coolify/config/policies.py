"""Section `decisions`: how each decision point of a release is decided."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

from coolify.decisions import DECISIONS
from coolify.suggest import nearest

__all__ = ["Policies"]

_KNOWN: Final = {decision.id: decision for decision in DECISIONS}


def _with_names(value: object) -> object:
    """Pair each policy with its decision, so that a wrong one is reported on its own line."""
    return {key: (key, policy) for key, policy in value.items()} if isinstance(value, Mapping) else value


def _known_name(name: str) -> str:
    if name not in _KNOWN:
        raise ValueError(f"there is no such decision: {nearest(name, _KNOWN)}")
    return name


def _known_policy(pair: object) -> object:
    if not isinstance(pair, tuple):
        return pair
    name, policy = pair
    if name in _KNOWN and policy not in _KNOWN[name].policies:
        raise ValueError(f"is no way to decide this: {nearest(str(policy), _KNOWN[name].policies)}")
    return policy


Policies = Annotated[
    dict[Annotated[str, AfterValidator(_known_name)], Annotated[str, BeforeValidator(_known_policy)]],
    BeforeValidator(_with_names),
    WithJsonSchema(
        {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                decision.id: {
                    "description": decision.question,
                    "enum": list(decision.policies),
                    "default": "auto",
                }
                for decision in DECISIONS
            },
        }
    ),
]
"""Decision id -> `auto`, `ask` or the id of one of its options."""
