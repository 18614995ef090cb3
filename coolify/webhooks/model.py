"""What was pushed, whoever told it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

__all__ = ["Change", "Push", "PushKind", "changed_paths", "first_line", "wants_skip"]

_MOST_PATHS: Final = 1000
"""Prefect refuses events beyond 1.5 MB without a word; more paths than that are as good as all of them."""
_MOST_CHARACTERS: Final = 200_000
_LONGEST_TEXT: Final = 200
_SKIP: Final = re.compile(r"\[(skip (ci|cd|deploy)|(ci|cd|deploy) skip|no (ci|deploy))\]", re.IGNORECASE)


class PushKind(StrEnum):
    """What kind of thing was pushed."""

    BRANCH = "branch"
    TAG = "tag"
    IMAGE = "image"


class Change(BaseModel):
    """One branch, tag or image that is somewhere else now than before."""

    model_config = ConfigDict(frozen=True)

    kind: PushKind = Field(title="Kind", description="What was pushed.")
    addresses: tuple[str, ...] = Field(
        title="Addresses", description="Addresses under which the repository, or the image, is known.", min_length=1
    )
    ref: str = Field(title="Branch or tag", description="Name of the branch, of the tag, or of the image's tag.")
    commit: str = Field(default="", title="Commit", description="Sha of the commit, or digest of the image.")
    before: str = Field(default="", title="Before", description="Sha of the commit that was there before.")
    message: str = Field(default="", title="Message", description="First line of the newest commit's message.")
    author: str = Field(default="", title="Author", description="Who pushed.")
    skip: bool = Field(default=False, title="Skip", description="Whether the commit asks not to be deployed.")
    paths: tuple[str, ...] = Field(default=(), title="Paths", description="Files that were changed.")
    paths_complete: bool = Field(
        default=False, title="All paths", description="Whether paths names every changed file."
    )


class Push(Change):
    """A change together with the delivery that told of it: the payload of the events, a parameter of redeploy."""

    provider: str = Field(default="", title="Provider", description="Kind of the host that told of it.")
    source: str = Field(default="", title="Source", description="Name of the receiver's source.")
    delivery: str = Field(default="", title="Delivery", description="Identifier of the delivery.")
    received_at: AwareDatetime = Field(title="Received", description="When the receiver accepted it.")

    @property
    def name(self) -> str:
        """What was pushed where, for people."""
        return f"{self.addresses[0]} {self.ref}"


def first_line(text: str) -> str:
    """Return the first line of a text, shortened."""
    return text.strip().partition("\n")[0].strip()[:_LONGEST_TEXT]


def wants_skip(message: str) -> bool:
    """Return whether a commit's message asks not to be deployed: `[skip ci]` and what hosts accept for it.

    GitHub: "Skipping workflow runs"; GitLab: "Skip a pipeline"; `cd` and `deploy` are ours.
    """
    return _SKIP.search(message) is not None


def changed_paths(lists: Iterable[Iterable[str]]) -> tuple[tuple[str, ...], bool]:
    """Return the files of several commits, each once and sorted, and whether all could be kept."""
    paths = sorted({path for one in lists for path in one})
    kept = len(paths) <= _MOST_PATHS and sum(map(len, paths)) <= _MOST_CHARACTERS
    return (tuple(paths), True) if kept else ((), False)
