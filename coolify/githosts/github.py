"""GitHub and GitHub Enterprise Server (REST API, version 2022-11-28)."""

from __future__ import annotations

from typing import Final

from pydantic import SecretStr

from coolify.githosts.http import Answer, HostClient
from coolify.githosts.model import Hook

__all__ = ["GitHub", "HookAnswer", "KeyAnswer"]

_ADVICE: Final = (
    "Use a fine-grained token with the repository permissions Administration and Webhooks (read and write), "
    "or a classic one with `repo`."
)


class KeyAnswer(Answer):
    """A deploy key of a repository."""

    key: str


class _Config(Answer):
    url: str = ""


class HookAnswer(Answer):
    """A webhook of a repository."""

    id: int
    active: bool = True
    events: tuple[str, ...] = ()
    config: _Config = _Config()


class GitHub:
    """One repository."""

    def __init__(self, api: str, repository: str, token: SecretStr) -> None:
        headers = {
            "Accept": SecretStr("application/vnd.github+json"),
            "X-GitHub-Api-Version": SecretStr("2022-11-28"),
            "Authorization": SecretStr(f"Bearer {token.get_secret_value()}"),
        }
        self._client = HostClient("GitHub", api, headers, _ADVICE)
        self._path = f"repos/{repository}"

    async def keys(self) -> tuple[str, ...]:
        """See `GitHost.keys`."""
        return tuple(one.key for one in await self._client.pages(f"{self._path}/keys", KeyAnswer, {"per_page": 100}))

    async def add_key(self, title: str, public_key: str) -> None:
        """See `GitHost.add_key`."""
        await self._client.send("POST", f"{self._path}/keys", {"title": title, "key": public_key, "read_only": True})

    async def hooks(self) -> tuple[Hook, ...]:
        """See `GitHost.hooks`."""
        found = await self._client.pages(f"{self._path}/hooks", HookAnswer, {"per_page": 100})
        return tuple(
            Hook(str(one.id), one.config.url, one.active, bool({"push", "*"} & set(one.events))) for one in found
        )

    async def add_hook(self, url: str, secret: SecretStr) -> None:
        """See `GitHost.add_hook`."""
        body = {"name": "web", "active": True, "events": ["push"], "config": _config(url, secret)}
        await self._client.send("POST", f"{self._path}/hooks", body)

    async def update_hook(self, hook: Hook, secret: SecretStr | None) -> None:
        """See `GitHost.update_hook`; a `config` without the secret would remove the secret."""
        body = {"active": True, "add_events": ["push"]}
        await self._client.send(
            "PATCH",
            f"{self._path}/hooks/{hook.id}",
            body if secret is None else {**body, "config": _config(hook.url, secret)},
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def _config(url: str, secret: SecretStr) -> dict[str, str]:
    return {"url": url, "content_type": "json", "insecure_ssl": "0", "secret": secret.get_secret_value()}
