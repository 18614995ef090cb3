"""Bring about a deploy key and a webhook, whatever is there already."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import SecretStr

from coolify.githosts.model import GitHost, GitHostError, Hook

__all__ = ["EnsuredHook", "ensure_hook", "ensure_key", "find_hook"]


@dataclass(frozen=True, slots=True)
class EnsuredHook:
    """What was done about the webhook."""

    action: Literal["created", "updated", "unchanged"]


async def ensure_key(host: GitHost, title: str, public_key: str) -> bool:
    """Make sure that the host knows a key; return whether it was added now. The comment of a key does not count."""
    body = _body(public_key)
    if body in {_body(one) for one in await host.keys()}:
        return False
    try:
        await host.add_key(title, public_key)
    except GitHostError:
        # Somebody else, or a request of ours whose answer was lost, was faster.
        if body not in {_body(one) for one in await host.keys()}:
            raise
        return False
    return True


async def find_hook(host: GitHost, url: str) -> Hook | None:
    """Return the webhook with this address, None where there is none."""
    wanted = url.rstrip("/")
    fitting = [one for one in await host.hooks() if one.url.rstrip("/") == wanted]
    # Of several one that works counts.
    return next((one for one in fitting if one.works), fitting[0] if fitting else None)


async def ensure_hook(host: GitHost, url: str, secret: SecretStr | None, generated: SecretStr) -> EnsuredHook:
    """Make sure that pushes reach an address.

    Args:
        host: The repository.
        url: Where its pushes are to go.
        secret: Secret that signs them, which an existing hook gets too: hosts never tell which one it has. None leaves
            an existing hook the one that it has.
        generated: Secret for a new hook where none is given.
    """
    found = await find_hook(host, url)
    if found is None:
        await host.add_hook(url, secret or generated)
        return EnsuredHook("created")
    if found.works and secret is None:
        return EnsuredHook("unchanged")
    await host.update_hook(found, secret)
    return EnsuredHook("updated")


def _body(public_key: str) -> tuple[str, ...]:
    return tuple(public_key.split()[:2])
