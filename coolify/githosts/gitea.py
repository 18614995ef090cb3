"""Gitea and Forgejo (REST API v1), whose answers are modelled on GitHub's."""

from __future__ import annotations

from typing import Final

from pydantic import SecretStr

from coolify.githosts.github import HookAnswer, KeyAnswer
from coolify.githosts.http import HostClient
from coolify.githosts.model import Hook

__all__ = ["Gitea"]

_ADVICE: Final = "Use an access token of an administrator of the repository with the scope `write:repository`."


class Gitea:
    """One repository."""

    def __init__(self, api: str, repository: str, token: SecretStr) -> None:
        headers = {"Authorization": SecretStr(f"token {token.get_secret_value()}")}
        self._client = HostClient("Gitea", api, headers, _ADVICE)
        self._path = f"repos/{repository}"

    async def keys(self) -> tuple[str, ...]:
        """See `GitHost.keys`."""
        return tuple(one.key for one in await self._client.pages(f"{self._path}/keys", KeyAnswer, {"limit": 50}))

    async def add_key(self, title: str, public_key: str) -> None:
        """See `GitHost.add_key`."""
        await self._client.send("POST", f"{self._path}/keys", {"title": title, "key": public_key, "read_only": True})

    async def hooks(self) -> tuple[Hook, ...]:
        """See `GitHost.hooks`."""
        found = await self._client.pages(f"{self._path}/hooks", HookAnswer, {"limit": 50})
        return tuple(Hook(str(one.id), one.config.url, one.active, "push" in one.events) for one in found)

    async def add_hook(self, url: str, secret: SecretStr) -> None:
        """See `GitHost.add_hook`."""
        config = {"url": url, "content_type": "json", "secret": secret.get_secret_value()}
        body = {"type": "gitea", "active": True, "events": ["push"], "config": config}
        await self._client.send("POST", f"{self._path}/hooks", body)

    async def update_hook(self, hook: Hook, secret: SecretStr | None) -> None:
        """See `GitHost.update_hook`; Gitea changes no secret: a new webhook takes the place of the old one."""
        if secret is None:
            await self._client.send("PATCH", f"{self._path}/hooks/{hook.id}", {"active": True, "events": ["push"]})
            return
        # The new one first: a push in between is told twice and not lost. All old ones, should that have been cut off.
        old = [one for one in await self.hooks() if one.url == hook.url]
        await self.add_hook(hook.url, secret)
        for one in old:
            await self._client.send("DELETE", f"{self._path}/hooks/{one.id}")

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()
