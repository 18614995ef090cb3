"""Bitbucket Cloud (REST API 2.0)."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote

import httpx
from pydantic import SecretStr

from coolify.githosts.http import Answer, HostClient
from coolify.githosts.model import Hook

__all__ = ["Bitbucket"]

_ADVICE: Final = (
    "Use a repository access token with the scopes repository:admin and webhook, or `user:app password` with them."
)
_EVENT: Final = "repo:push"
_PAGES: Final = 50


class _Key(Answer):
    key: str


class _Hook(Answer):
    uuid: str
    url: str
    active: bool = True
    events: tuple[str, ...] = ()


class _Keys(Answer):
    values: tuple[_Key, ...] = ()
    next: str | None = None


class _Hooks(Answer):
    values: tuple[_Hook, ...] = ()
    next: str | None = None


class Bitbucket:
    """One repository."""

    def __init__(self, api: str, repository: str, token: SecretStr) -> None:
        user, colon, password = token.get_secret_value().partition(":")
        auth = httpx.BasicAuth(user, password) if colon else None
        headers = {} if colon else {"Authorization": SecretStr(f"Bearer {token.get_secret_value()}")}
        self._client = HostClient("Bitbucket", api, headers, _ADVICE, auth)
        self._path = f"repositories/{repository}"

    async def keys(self) -> tuple[str, ...]:
        """See `GitHost.keys`."""
        found: list[str] = []
        page = await self._client.get(f"{self._path}/deploy-keys", _Keys, {"pagelen": 100})
        for _ in range(_PAGES):
            found += [one.key for one in page.values]
            if page.next is None:
                break
            page = await self._client.get(self._client.own(page.next), _Keys)
        return tuple(found)

    async def add_key(self, title: str, public_key: str) -> None:
        """See `GitHost.add_key`; deploy keys of Bitbucket never write."""
        await self._client.send("POST", f"{self._path}/deploy-keys", {"label": title, "key": public_key})

    async def hooks(self) -> tuple[Hook, ...]:
        """See `GitHost.hooks`."""
        found: list[Hook] = []
        page = await self._client.get(f"{self._path}/hooks", _Hooks, {"pagelen": 100})
        for _ in range(_PAGES):
            found += [Hook(one.uuid, one.url, one.active, _EVENT in one.events) for one in page.values]
            if page.next is None:
                break
            page = await self._client.get(self._client.own(page.next), _Hooks)
        return tuple(found)

    async def add_hook(self, url: str, secret: SecretStr) -> None:
        """See `GitHost.add_hook`."""
        await self._client.send("POST", f"{self._path}/hooks", _body(url, secret))

    async def update_hook(self, hook: Hook, secret: SecretStr | None) -> None:
        """See `GitHost.update_hook`; a secret that is left out stays."""
        await self._client.send("PUT", f"{self._path}/hooks/{quote(hook.id, safe='')}", _body(hook.url, secret))

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def _body(url: str, secret: SecretStr | None) -> dict[str, Any]:
    body = {"description": "coolify-flows", "url": url, "active": True, "events": [_EVENT]}
    return body if secret is None else {**body, "secret": secret.get_secret_value()}
