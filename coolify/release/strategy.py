"""How to bring back an earlier version: by the server's version and the application's kind (reference 4.6)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

__all__ = ["ApplicationKind", "NoWayBack", "RollbackMeans", "Strategy", "choose_strategy"]

_FULL_SHA = re.compile(r"^[0-9a-f]{40}$")


class ApplicationKind(StrEnum):
    """What an application is made from, as far as a rollback cares."""

    GIT = "git"
    DOCKER_IMAGE = "docker image"
    INLINE_DOCKERFILE = "inline Dockerfile"


class Strategy(StrEnum):
    """A way to run an earlier version again."""

    NATIVE = "Coolify's rollback to a kept image"
    PINNED_COMMIT = "a deployment pinned to the commit"
    IMAGE_TAG = "a deployment of the earlier image tag"


@dataclass(frozen=True, slots=True)
class RollbackMeans:
    """What the server can do."""

    native: bool
    """`POST /applications/{uuid}/rollback` exists (4.3.0)."""
    pin: bool
    """A pinned `git_commit_sha` is honoured (4.2.0; ignored before, trap 7)."""


@dataclass(frozen=True, slots=True)
class NoWayBack:
    """No strategy exists; the reason is told before a release starts."""

    reason: str


def choose_strategy(kind: ApplicationKind, means: RollbackMeans, version: str) -> Strategy | NoWayBack:
    """Choose how to run `version` again.

    Args:
        kind: What the application is made from.
        means: What the server's version can do.
        version: Full commit sha of a Git application, tag of a docker image.
    """
    match kind:
        case ApplicationKind.DOCKER_IMAGE:
            return Strategy.IMAGE_TAG
        case ApplicationKind.INLINE_DOCKERFILE:
            return NoWayBack("an inline Dockerfile is always built anew and cannot be edited through the API")
        case ApplicationKind.GIT if not _FULL_SHA.match(version):
            return NoWayBack(f"'{version}' is not a full commit sha")
        case ApplicationKind.GIT if means.native:
            return Strategy.NATIVE
        case ApplicationKind.GIT if means.pin:
            return Strategy.PINNED_COMMIT
        case _:
            return NoWayBack(
                "this Coolify version ignores a pinned commit and has no rollback: upgrade Coolify to 4.2.0 or later, "
                "or revert the commit in Git and release again"
            )
