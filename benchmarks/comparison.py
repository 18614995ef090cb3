"""What a measurement beside its bare counterpart has shown."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Comparison"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """The product's time for a number of checks, and what the bare operations take that none can do without."""

    what: str
    number: int
    ours_seconds: float
    bare_seconds: float

    @property
    def ratio(self) -> float:
        """How many times as long ours takes."""
        return self.ours_seconds / self.bare_seconds
