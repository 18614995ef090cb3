"""Validation with Laravel's rules and its exact words."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

from coolify_sandbox.server.http import Refusal

__all__ = [
    "Rule",
    "at_least",
    "at_most",
    "boolean",
    "description",
    "integer",
    "is_base64",
    "longest",
    "matches",
    "not_null",
    "number",
    "one_of",
    "refuse_invalid",
    "required",
    "text",
    "validate",
]

Rule = Callable[[str, Any], str | None]
"""Takes a field's name for people and its value; returns what is wrong."""

_PUNCTUATION: Final = "-_.,!?()'\"+=*/@&"
_DESCRIPTION: Final = (
    "The description may only contain letters (including Unicode), numbers, spaces, and common punctuation: "
    "- _ . , ! ? ( ) ' \" + = * / @ &"
)
NOT_ALLOWED: Final = "This field is not allowed."
REQUIRED: Final = "This field is required."


def text(name: str, value: Any) -> str | None:  # noqa: ANN401 - JSON
    """A string, or null."""
    return None if value is None or isinstance(value, str) else f"The {name} field must be a string."


def not_null(name: str, value: Any) -> str | None:  # noqa: ANN401 - JSON
    """A string and not null."""
    return None if isinstance(value, str) else f"The {name} field must be a string."


def boolean(name: str, value: Any) -> str | None:  # noqa: ANN401 - JSON
    """A JSON boolean, or what Laravel takes for one."""
    return None if value in (True, False, 0, 1, "0", "1", None) else f"The {name} field must be true or false."


def integer(name: str, value: Any) -> str | None:  # noqa: ANN401 - JSON
    """An integer or a string of digits, or null."""
    fine = value is None or re.fullmatch(r"-?\d+", str(value))
    return None if fine else f"The {name} field must be an integer."


def number(name: str, value: Any) -> str | None:  # noqa: ANN401 - JSON
    """A number or a string of one, or null."""
    fine = value is None or re.fullmatch(r"-?\d+(\.\d+)?", str(value))
    return None if fine else f"The {name} field must be a number."


def required(name: str, value: Any) -> str | None:  # noqa: ANN401 - JSON
    """Present and not null."""
    return None if value is not None else f"The {name} field is required."


def one_of(*choices: str) -> Rule:
    """One of the choices, or null."""

    def rule(name: str, value: Any) -> str | None:  # noqa: ANN401 - JSON
        return None if value is None or value in choices else f"The selected {name} is invalid."

    return rule


def matches(pattern: str, message: str | None = None) -> Rule:
    """A string that fits, or null; `{name}` in the message is the field."""
    compiled = re.compile(pattern)

    def rule(name: str, value: Any) -> str | None:  # noqa: ANN401 - JSON
        # Laravel takes numbers for text here; that they are none is another rule's matter.
        written = str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
        if value is None or (isinstance(written, str) and compiled.search(written)):
            return None
        return (message or "The {name} field format is invalid.").format(name=name)

    return rule


def at_least(lowest: int) -> Rule:
    """A number that is not smaller, or null."""

    def rule(name: str, value: Any) -> str | None:  # noqa: ANN401 - JSON
        if value is None or not re.fullmatch(r"-?\d+", str(value)) or int(value) >= lowest:
            return None
        return f"The {name} field must be at least {lowest}."

    return rule


def at_most(highest: int) -> Rule:
    """A number that is not greater, or null."""

    def rule(name: str, value: Any) -> str | None:  # noqa: ANN401 - JSON
        if value is None or not re.fullmatch(r"-?\d+", str(value)) or int(value) <= highest:
            return None
        return f"The {name} field must not be greater than {highest}."

    return rule


def longest(size: int) -> Rule:
    """A text that is not longer, or null."""

    def rule(name: str, value: Any) -> str | None:  # noqa: ANN401 - JSON
        fine = not isinstance(value, str) or len(value) <= size
        return None if fine else f"The {name} field must not be greater than {size} characters."

    return rule


def description(_: str, value: Any) -> str | None:  # noqa: ANN401 - JSON
    """A text of letters, digits and common punctuation, or null."""
    if not isinstance(value, str):
        return None
    if len(value) > 255:
        return "The description may not be greater than 255 characters."
    fine = all(one.isalnum() or one.isspace() or one in _PUNCTUATION for one in value)
    return None if fine else _DESCRIPTION


def is_base64(value: object) -> bool:
    """Return whether a value is strict base64 of UTF-8 text."""
    try:
        base64.b64decode(str(value), validate=True).decode()
    except (binascii.Error, ValueError):
        return False
    return isinstance(value, str) and bool(value)


def validate(
    body: Mapping[str, Any], rules: Mapping[str, Sequence[Rule]], also_allowed: Collection[str] = ()
) -> dict[str, Any]:
    """Return the texts of all violations by field; absent fields break `required` only."""
    errors: dict[str, Any] = {}
    for field, field_rules in rules.items():
        applicable = field_rules if field in body else [rule for rule in field_rules if rule is required]
        name = field.replace("_", " ")
        texts = [problem for rule in applicable if (problem := rule(name, body.get(field)))]
        # Laravel's `string` and `regex` both speak; after `required` nothing else does.
        if texts:
            errors[field] = texts[:1] if required in applicable and body.get(field) is None else texts
    for field in body:
        if field not in rules and field not in also_allowed:
            errors[field] = [NOT_ALLOWED]
    return errors


def refuse_invalid(errors: Mapping[str, Any] | Sequence[str]) -> None:
    """Answer 422 when there are errors."""
    if errors:
        raise Refusal(422, {"message": "Validation failed.", "errors": errors})
