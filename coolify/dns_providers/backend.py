"""What a provider has to be able to do; the rest is the same for all of them."""

from __future__ import annotations

from typing import Any, Protocol

__all__ = ["Backend", "Provider"]


class Provider(Protocol):
    """The part of an octoDNS provider that is used (octoDNS has no type hints)."""

    SUPPORTS: set[str]
    """Types of the records that are read."""

    def populate(self, zone: Any, target: bool = ..., lenient: bool = ...) -> Any:  # noqa: ANN401 - octoDNS
        """Read all records into the zone."""

    def apply(self, plan: Any) -> int:  # noqa: ANN401 - octoDNS
        """Carry the changes out."""


class Backend(Protocol):
    """Credentials of one provider, and how they become an octoDNS provider."""

    @property
    def label(self) -> str:
        """Who that is, for a sentence."""

    def open(self) -> Provider:
        """Return a provider without anything remembered; its libraries are imported now.

        Raises:
            ImportError: They are not installed.
        """

    def zones(self, provider: Provider) -> tuple[str, ...] | None:
        """Return the zones that the credentials see, None where the provider cannot list them."""

    def servers(self, provider: Provider, zone: str) -> tuple[str, ...]:
        """Return the name servers that the provider names for a zone beside its NS record; may be none."""

    def failures(self) -> tuple[type[Exception], ...]:
        """Return what the provider raises when the world is wrong, not the program."""

    def explain(self, error: Exception, zone: str) -> str:
        """Return one sentence about such a failure, without secrets: what is wrong and what to do."""
