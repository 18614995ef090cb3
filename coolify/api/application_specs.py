"""Applications and variables as they shall be: what creates and changes them (reference 2)."""

import base64
from typing import Any

from pydantic import BaseModel, ConfigDict, SecretStr

from coolify.api.capabilities import Capabilities
from coolify.api.placement import Placement
from coolify.api.settings import ApplicationSettings

__all__ = [
    "ApplicationSource",
    "ApplicationSpec",
    "DeployKeySource",
    "DockerImageSource",
    "DockerfileSource",
    "GithubAppSource",
    "PublicGitSource",
    "VariableWrite",
]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True, extra="forbid")


class _GitSource(_Frozen):
    repository: str
    branch: str

    def fields(self) -> dict[str, Any]:
        """Return the fields of the create request."""
        return {"git_repository": self.repository, "git_branch": self.branch}


class PublicGitSource(_GitSource):
    """A Git repository that needs no key."""

    variant: str = "public"


class DeployKeySource(_GitSource):
    """A private Git repository, read with a private key that Coolify holds."""

    private_key_uuid: str

    variant: str = "private-deploy-key"

    def fields(self) -> dict[str, Any]:
        """Return the fields of the create request."""
        return super().fields() | {"private_key_uuid": self.private_key_uuid}


class GithubAppSource(_GitSource):
    """A private Git repository, read through a GitHub app that Coolify knows."""

    github_app_uuid: str

    variant: str = "private-github-app"

    def fields(self) -> dict[str, Any]:
        """Return the fields of the create request."""
        return super().fields() | {"github_app_uuid": self.github_app_uuid}


class DockerfileSource(_Frozen):
    """An inline Dockerfile; the API can never change it afterwards."""

    dockerfile: str

    variant: str = "dockerfile"

    def fields(self) -> dict[str, Any]:
        """Return the fields of the create request."""
        return {"dockerfile": base64.b64encode(self.dockerfile.encode()).decode()}


class DockerImageSource(_Frozen):
    """An image of a registry."""

    image: str
    tag: str = "latest"

    variant: str = "dockerimage"

    def fields(self) -> dict[str, Any]:
        """Return the fields of the create request."""
        return {"docker_registry_image_name": self.image, "docker_registry_image_tag": self.tag}


ApplicationSource = PublicGitSource | DeployKeySource | GithubAppSource | DockerfileSource | DockerImageSource


class ApplicationSpec(_Frozen):
    """An application that is to exist."""

    name: str
    placement: Placement
    source: ApplicationSource
    settings: ApplicationSettings = ApplicationSettings()

    def body(self, capabilities: Capabilities) -> dict[str, Any]:
        """Return the fields of the create request; nothing is deployed by it.

        Without `domains` Coolify would invent a plain-HTTP one, so that is switched off.
        """
        body = {
            **self.settings.body(capabilities),
            **self.source.fields(),
            **self.placement.model_dump(exclude_none=True),
            "name": self.name,
            "instant_deploy": False,
            "autogenerate_domain": False,
        }
        if isinstance(self.source, _GitSource):
            body.setdefault("build_pack", "nixpacks")
            body.setdefault("ports_exposes", "80" if body["build_pack"] == "dockercompose" else "3000")
        return body


class VariableWrite(_Frozen):
    """A variable as it shall be; always written whole, because PATCH resets what is left out (trap 11)."""

    key: str
    value: SecretStr | None
    is_literal: bool = False
    is_multiline: bool = False
    is_shown_once: bool = False
    is_runtime: bool = True
    is_buildtime: bool = True
    is_preview: bool = False
    """Whether it is the one of previews: a production variable brings a preview copy along, once (trap 10)."""
    comment: str | None = None

    def body(self) -> dict[str, Any]:
        """Return the request fields."""
        value = None if self.value is None else self.value.get_secret_value()
        fields = self.model_dump(exclude={"value", "comment"}) | {"value": value}
        return fields | ({"comment": self.comment} if self.comment is not None else {})
