"""Bring about a deploy key and a webhook, whatever is there already."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import SecretStr

from coolify.githosts.model import GitHost, GitHostError, GitHostUncertainError, Hook

__all__ = ["HookAction", "decide_hook", "ensure_hook", "ensure_key", "find_hook"]

HookAction: TypeAlias = Literal["created", "updated", "unchanged"]
"""What is done about a webhook."""


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


def decide_hook(found: Hook | None, *, has_secret: bool) -> HookAction:
    """Return what a webhook needs.

    Args:
        found: The one that is there.
        has_secret: Whether a secret is given, which an existing webhook gets too: hosts never tell which one it has.
    """
    if found is None:
        return "created"
    return "unchanged" if found.works and not has_secret else "updated"


async def ensure_hook(host: GitHost, url: str, secret: SecretStr | None, generated: SecretStr) -> HookAction:
    """Make sure that pushes reach an address.

    Args:
        host: The repository.
        url: Where its pushes are to go.
        secret: Secret that signs them. None leaves an existing webhook the one that it has.
        generated: Secret for a new webhook where none is given.

    Raises:
        GitHostError: The host did not do it.
    """
    found = await find_hook(host, url)
    action = decide_hook(found, has_secret=secret is not None)
    if found is None:
        try:
            await host.add_hook(url, secret or generated)
        except GitHostUncertainError:
            # There was none: one that is there now is ours, with our secret. Only its answer was lost.
            if await find_hook(host, url) is None:
                raise
    elif action == "updated":
        await host.update_hook(found, secret)
    return action


def _body(public_key: str) -> tuple[str, ...]:
    return tuple(public_key.split()[:2])
