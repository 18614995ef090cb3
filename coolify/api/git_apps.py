"""`/github-apps` and `/gitlab-apps`: through them Coolify reads private repositories (reference 2.6)."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from coolify.api.capabilities import Capabilities, Feature
from coolify.api.choosing import the_one
from coolify.api.models import Answer, listing
from coolify.api.reconcile import Ensured, create_once
from coolify.api.transport import Transport

__all__ = ["GitApp", "GitApps", "GitBranch", "GitRepository", "GithubAppWrite", "GitlabAppWrite"]


class GitApp(Answer):
    """A GitHub or GitLab app; secrets are not read."""

    id: int
    """Both kinds are addressed by number, not by UUID."""
    name: str
    uuid: str | None = None
    html_url: str | None = None
    api_url: str | None = None
    organization: str | None = None
    app_id: int | None = None
    installation_id: int | None = None
    is_public: bool = False


class GitRepository(Answer):
    """A repository that an app may read."""

    name: str
    full_name: str | None = None
    private: bool = False
    default_branch: str | None = None


class GitBranch(Answer):
    """A branch of such a repository."""

    name: str
    protected: bool = False


class _Write(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True, extra="forbid")

    name: str
    html_url: str = Field(description="Address for people, for example https://github.com.")
    api_url: str | None = None
    custom_user: str | None = None
    custom_port: int | None = Field(default=None, ge=1, le=65535)
    client_id: str | None = None
    client_secret: SecretStr | None = None

    def body(self) -> dict[str, Any]:
        """Return the request body of the fields that were set."""
        fields = {name: getattr(self, name) for name in sorted(self.model_fields_set)}
        return {
            name: value.get_secret_value() if isinstance(value, SecretStr) else value
            for name, value in fields.items()
            if value is not None
        }


class GithubAppWrite(_Write):
    """A GitHub app that is to be known; it has to be created and installed on GitHub beforehand."""

    app_id: int
    installation_id: int
    client_id: str
    client_secret: SecretStr
    webhook_secret: SecretStr
    private_key_uuid: str
    organization: str | None = None


class GitlabAppWrite(_Write):
    """A GitLab app that is to be known."""

    group_name: str | None = None
    webhook_token: SecretStr | None = None
    redirect_uri: str | None = None


_APPS: Final = listing(GitApp)
_REPOSITORIES: Final = listing(GitRepository)
_BRANCHES: Final = listing(GitBranch)


class GitApps:
    """Both kinds of apps."""

    def __init__(self, transport: Transport, capabilities: Callable[[], Awaitable[Capabilities]]) -> None:
        self._transport = transport
        self._capabilities = capabilities

    async def github(self) -> tuple[GitApp, ...]:
        """Return the GitHub apps that the team may use."""
        return await self._list("/github-apps")

    async def gitlab(self) -> tuple[GitApp, ...]:
        """Return the GitLab apps that the team may use (4.3.0 and later)."""
        (await self._capabilities()).require(Feature.GITLAB_APPS)
        return await self._list("/gitlab-apps")

    async def ensure_github(self, app: GithubAppWrite) -> Ensured[GitApp]:
        """Return the GitHub app with this number on GitHub, made known if it is not."""

        async def find() -> GitApp | None:
            return next((one for one in await self.github() if one.app_id == app.app_id), None)

        return await self._ensure("/github-apps", app, find)

    async def ensure_gitlab(self, app: GitlabAppWrite) -> Ensured[GitApp]:
        """Return the GitLab app with this name, made known if it is not (4.3.0 and later)."""

        async def find() -> GitApp | None:
            return next((one for one in await self.gitlab() if one.name == app.name and not one.is_public), None)

        return await self._ensure("/gitlab-apps", app, find)

    async def update_github(self, app_number: int, app: GithubAppWrite) -> GitApp:
        """Bring a GitHub app to these settings."""
        answer = await self._transport.patch(f"/github-apps/{app_number}", app.body())
        return GitApp.model_validate(answer["data"])

    async def update_gitlab(self, app_number: int, app: GitlabAppWrite) -> GitApp:
        """Bring a GitLab app to these settings (4.3.0 and later)."""
        (await self._capabilities()).require(Feature.GITLAB_APPS)
        answer = await self._transport.patch(f"/gitlab-apps/{app_number}", app.body())
        return GitApp.model_validate(answer["data"])

    async def delete_github(self, app_number: int) -> None:
        """Forget a GitHub app.

        Raises:
            ConflictError: Applications use it.
        """
        await self._transport.delete(f"/github-apps/{app_number}")

    async def delete_gitlab(self, app_number: int) -> None:
        """Forget a GitLab app (4.3.0 and later)."""
        (await self._capabilities()).require(Feature.GITLAB_APPS)
        await self._transport.delete(f"/gitlab-apps/{app_number}")

    async def find(self, name_or_uuid: str) -> GitApp:
        """Return the GitHub app with this name or UUID.

        Raises:
            AmbiguousNameError: None or several fit.
        """
        return the_one(await self.github(), name_or_uuid, kind="GitHub Apps", key="source.github_app")

    async def repositories(self, app_number: int) -> tuple[GitRepository, ...]:
        """Return what a GitHub app may read; Coolify asks GitHub while we wait."""
        answer = await self._transport.get(f"/github-apps/{app_number}/repositories")
        return _REPOSITORIES.validate_python(answer["repositories"])

    async def branches(self, app_number: int, repository: str) -> tuple[GitBranch, ...]:
        """Return the branches of a repository, given as `owner/name`."""
        answer = await self._transport.get(f"/github-apps/{app_number}/repositories/{repository}/branches")
        return _BRANCHES.validate_python(answer["branches"])

    async def _list(self, path: str) -> tuple[GitApp, ...]:
        return _APPS.validate_python(await self._transport.get(path))

    async def _ensure(self, path: str, app: _Write, find: Callable[[], Awaitable[GitApp | None]]) -> Ensured[GitApp]:
        found = await find()
        if found is not None:
            return Ensured(found, created=False)

        async def send() -> GitApp:
            return GitApp.model_validate(await self._transport.post_once(path, app.body()))

        return Ensured(await create_once(send, find), created=True)
