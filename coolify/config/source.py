"""Section `source`: where the application comes from."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from coolify.config.base import Section
from coolify.config.fields import ImageName, Line, WebUrl
from coolify.config.interpolation import Reference

__all__ = ["CommitName", "GitHostKind", "RegistryAccess", "Source", "TagName", "Webhook"]

_DIGEST = "@sha256:"


CommitName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]*$", max_length=255)]
"""A commit or a tag in Git, as it may stand in a command that Coolify runs."""
TagName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$", max_length=128)]
"""Tag of an image."""


class GitHostKind(StrEnum):
    """Kinds of Git hosts whose API is known."""

    GITHUB = "github"
    GITLAB = "gitlab"
    BITBUCKET = "bitbucket"
    GITEA = "gitea"
    """Gitea and Forgejo."""


class RegistryAccess(Section):
    """Account with which a release asks the registry about a private image; the server needs a login of its own."""

    user: Reference
    """User name."""
    password: Reference
    """Password or access token, as a reference to an environment variable; a literal one is refused."""


class Webhook(Section):
    """The webhook at the Git host that tells the receiver of coolify-flows about pushes."""

    url: WebUrl
    """Public address of the receiver."""
    host: GitHostKind | None = None
    """Kind of the Git host, where its name does not tell it."""
    api: WebUrl | None = None
    """Address of the Git host's API, where it is not the usual one."""


class Source(Section):
    """Where the application comes from: exactly one of `repository`, `image` and `dockerfile`."""

    repository: Line | None = None
    """URL of a Git repository, https for a public one, ssh together with `private_key` for a private one."""
    branch: Line = "main"
    """Branch of the repository."""
    commit: CommitName | None = None
    """Commit to deploy; the branch's newest when left out."""
    private_key: Line | None = None
    """Uuid or name of the deploy key in Coolify (Keys & Tokens) that may read a private repository."""
    github_app: Line | None = None
    """Uuid or name of the GitHub App in Coolify (Sources) through which a private repository is read."""
    webhook: Webhook | None = None
    """The webhook at the Git host; `coolify source connect --webhook-url` creates it."""
    image: ImageName | None = None
    """Image of a registry, without tag, as in ghcr.io/team/app."""
    tag: TagName = "latest"
    """Tag of the image. Best one for each version, or a digest in `image`: a tag that is moved, as `latest` is, leaves
    nothing to roll back to."""
    registry: RegistryAccess | None = None
    """Account for a private image; the variables REGISTRY_USER and REGISTRY_PASSWORD when left out."""
    dockerfile: Line | None = None
    """Path of a Dockerfile, relative to the directory in which the command runs, whose text is sent to Coolify."""

    @model_validator(mode="after")
    def _has_one_origin(self) -> Self:
        given = [name for name in ("repository", "image", "dockerfile") if getattr(self, name) is not None]
        if len(given) != 1:
            have = " and ".join(given) or "none"
            raise ValueError(f"needs exactly one of `repository`, `image` and `dockerfile`, has {have}.")
        for name in ("private_key", "github_app", "webhook"):
            if getattr(self, name) is not None and self.repository is None:
                raise ValueError(f"`{name}` is of use with `repository` only: remove it.")
        if self.registry is not None and self.image is None:
            raise ValueError("`registry` is of use with `image` only: remove it.")
        if self.private_key is not None and self.github_app is not None:
            raise ValueError("`private_key` and `github_app` are two ways to read one repository: keep one.")
        return self

    @model_validator(mode="after")
    def _pins_an_image_once(self) -> Self:
        if self.image is not None and _DIGEST in self.image and "tag" in self.model_fields_set:
            raise ValueError("`image` holds a digest, which says more than a `tag`: remove `tag`.")
        return self

    @property
    def image_name(self) -> str | None:
        """Name of the image as Coolify stores it: one with a digest ends with `@sha256` (reference 2.1)."""
        return None if self.image is None else self._stored[0]

    @property
    def image_tag(self) -> str:
        """Tag as Coolify stores it, the digest's hexadecimal digits where there is one."""
        return self._stored[1]

    @property
    def _stored(self) -> tuple[str, str]:
        name, digest, hexadecimal = (self.image or "").partition(_DIGEST)
        return (f"{name}@sha256", hexadecimal) if digest else (name, self.tag)
