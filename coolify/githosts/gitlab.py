"""GitLab (REST API v4)."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from pydantic import SecretStr

from coolify.githosts.http import Answer, HostClient
from coolify.githosts.model import GitHostError, Hook

__all__ = ["GitLab"]

_ADVICE: Final = "Use a project or personal access token of a maintainer with the scope `api`."


class _Key(Answer):
    key: str


class _Hook(Answer):
    id: int
    url: str
    push_events: bool = False
    alert_status: str = "executable"


class GitLab:
    """One project."""

    def __init__(self, api: str, repository: str, token: SecretStr) -> None:
        self._client = HostClient("GitLab", api, {"PRIVATE-TOKEN": token}, _ADVICE)
        self._path = f"projects/{quote(repository, safe='')}"

    async def keys(self) -> tuple[str, ...]:
        """See `GitHost.keys`."""
        return tuple(one.key for one in await self._client.pages(f"{self._path}/deploy_keys", _Key, {"per_page": 100}))

    async def add_key(self, title: str, public_key: str) -> None:
        """See `GitHost.add_key`."""
        body = {"title": title, "key": public_key, "can_push": False}
        await self._client.send("POST", f"{self._path}/deploy_keys", body)

    async def hooks(self) -> tuple[Hook, ...]:
        """See `GitHost.hooks`; GitLab disables hooks that fail too often."""
        found = await self._client.pages(f"{self._path}/hooks", _Hook, {"per_page": 100})
        return tuple(Hook(str(one.id), one.url, one.alert_status == "executable", one.push_events) for one in found)

    async def add_hook(self, url: str, secret: SecretStr) -> None:
        """See `GitHost.add_hook`."""
        await self._client.send("POST", f"{self._path}/hooks", _body(url, secret))

    async def update_hook(self, hook: Hook, secret: SecretStr | None) -> None:
        """See `GitHost.update_hook`; a token that is left out stays.

        A hook that GitLab has disabled after failed deliveries comes back only by a test delivery that is received.

        Raises:
            GitHostError: The receiver did not take the test delivery.
        """
        path = f"{self._path}/hooks/{hook.id}"
        await self._client.send("PUT", path, _body(hook.url, secret))
        if not hook.active:
            try:
                await self._client.send("POST", f"{path}/test/push_events", {})
            except GitHostError as error:
                raise GitHostError(
                    f"GitLab has disabled the webhook after failed deliveries, and a test delivery to {hook.url} fails "
                    f"too ({error}) Start the receiver with the webhook's secret, and run again."
                ) from None

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def _body(url: str, secret: SecretStr | None) -> dict[str, str | bool]:
    body: dict[str, str | bool] = {
        "url": url,
        "push_events": True,
        "tag_push_events": True,
        "enable_ssl_verification": True,
    }
    return body if secret is None else {**body, "token": secret.get_secret_value()}
