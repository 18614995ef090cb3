"""What the payloads of GitHub, Gitea and GitLab have in common: GitHub's came first, the others follow it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pydantic import Field

from coolify.webhooks.delivery import Payload
from coolify.webhooks.model import Change, PushKind, changed_paths, first_line, wants_skip

__all__ = ["Commit", "Release", "Repository", "is_deleted", "pushed", "released", "split_ref"]

_HEADS: Final = "refs/heads/"
_TAGS: Final = "refs/tags/"


class Commit(Payload):
    """A commit with the files that it changes."""

    id: str = ""
    message: str = ""
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    modified: tuple[str, ...] = ()

    @property
    def paths(self) -> tuple[str, ...]:
        """All files of the commit."""
        return (*self.added, *self.removed, *self.modified)


class Repository(Payload):
    """A repository of GitHub or Gitea."""

    full_name: str = Field(min_length=1)
    html_url: str = ""
    clone_url: str = ""
    ssh_url: str = ""

    @property
    def addresses(self) -> tuple[str, ...]:
        """Every address, the one for people first."""
        return tuple(dict.fromkeys(one for one in (self.html_url, self.clone_url, self.ssh_url, self.full_name) if one))


class Release(Payload):
    """A release of GitHub or Gitea."""

    tag_name: str = Field(min_length=1)
    name: str | None = None
    draft: bool = False
    published_at: str | None = None


def split_ref(ref: str) -> tuple[PushKind, str] | None:
    """Return kind and name of `refs/heads/main` or `refs/tags/v1`; None for anything else."""
    if ref.startswith(_HEADS):
        return PushKind.BRANCH, ref.removeprefix(_HEADS)
    return (PushKind.TAG, ref.removeprefix(_TAGS)) if ref.startswith(_TAGS) else None


def is_deleted(after: str) -> bool:
    """Return whether a ref is gone after a push: its new commit is all zeros then."""
    return not after.strip("0")


def pushed(
    ref: str, addresses: Sequence[str], *, after: str, before: str, head: Commit | None, commits: Sequence[Commit],
    all_commits: bool, author: str,
) -> tuple[Change, ...]:  # fmt: skip
    """Return the change of a push; nothing for a ref that was deleted or that is neither branch nor tag.

    Args:
        ref: The whole name of the ref.
        addresses: Those of the repository.
        after: Sha of the new commit; of an annotated tag it is the tag's own.
        before: Sha of the old one.
        head: The new commit, where the payload has it.
        commits: Commits that came with the push.
        all_commits: Whether these are all; a new branch or a forced push changes more than they tell.
        author: Who pushed.
    """
    parted = split_ref(ref)
    if parted is None or is_deleted(after):
        return ()
    kind, name = parted
    paths, kept = changed_paths(one.paths for one in commits)
    message = head.message if head else ""
    return (
        Change(
            kind=kind,
            addresses=tuple(addresses),
            ref=name,
            commit=(head.id if head else "") or after,
            before="" if is_deleted(before) else before,
            message=first_line(message),
            author=author,
            skip=wants_skip(message),
            paths=paths,
            paths_complete=all_commits and kept and bool(commits),
        ),
    )


def released(release: Release, addresses: Sequence[str], author: str) -> tuple[Change, ...]:
    """Return a published release as the push of its tag; the payload does not tell its commit."""
    if release.draft:
        return ()
    return (
        Change(
            kind=PushKind.TAG,
            addresses=tuple(addresses),
            ref=release.tag_name,
            message=first_line(release.name or ""),
            author=author,
        ),
    )
