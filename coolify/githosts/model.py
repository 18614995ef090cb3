"""What all Git hosts have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from pydantic import SecretStr

from coolify.errors import OperatorError

__all__ = ["GitHost", "GitHostError", "GitHostUncertainError", "Hook"]


class GitHostError(OperatorError):
    """The Git host did not do what was asked; the message says why."""


class GitHostUncertainError(GitHostError):
    """Nobody knows whether the Git host did what was asked: its answer was lost, or told of a failure of its own."""


@dataclass(frozen=True, slots=True)
class Hook:
    """A webhook of a repository; its secret is never told."""

    id: str
    url: str
    active: bool
    on_push: bool
    """Whether it is called for pushes."""

    @property
    def works(self) -> bool:
        """Whether a push reaches the address."""
        return self.active and self.on_push


class GitHost(Protocol):
    """One repository at a Git host."""

    async def keys(self) -> tuple[str, ...]:
        """Return the deploy keys, each as in `authorized_keys`."""
        ...

    async def add_key(self, title: str, public_key: str) -> None:
        """Add a deploy key that may read and not write."""
        ...

    async def hooks(self) -> tuple[Hook, ...]:
        """Return the webhooks."""
        ...

    async def add_hook(self, url: str, secret: SecretStr) -> None:
        """Add a webhook that is called for pushes."""
        ...

    async def update_hook(self, hook: Hook, secret: SecretStr | None) -> None:
        """Make a webhook active and called for pushes; without a secret it keeps the one it has."""
        ...

    async def aclose(self) -> None:
        """Close the connections."""
        ...
