"""What all sections of the configuration share."""

from pydantic import BaseModel, ConfigDict

__all__ = ["Section", "as_list"]


class Section(BaseModel):
    """A frozen section of the configuration file that refuses keys it does not know.

    Modules with models do without `from __future__ import annotations`: it makes texts of all annotations, and pydantic
    evaluates each of them, for a thirtieth of what a short command takes.
    """

    # `hide_input_in_errors`: a refused value may be a secret, and a validation error must never repeat it.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


def as_list(value: object) -> object:
    """Make a list of a single text or number, so that `expect: 200` may stand for `expect: [200]`."""
    return [value] if isinstance(value, str | int) else value
