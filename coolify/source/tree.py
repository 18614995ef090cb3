"""Look into a repository at a commit, without a working copy: the names of its files, and the text of a few."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final
from urllib.parse import unquote, urlsplit

from coolify.source.git import GitError, run_git

__all__ = ["SourceTree", "look_into"]

_TEXT_LIMIT: Final = 200_000
"""Characters; a Dockerfile or a package.json is never longer."""
_MEGABYTES: Final = 64
"""Limit of what is fetched; without contents a repository of a million files stays below."""


@dataclass(frozen=True, slots=True)
class SourceTree:
    """What a repository holds at a commit."""

    commit: str
    files: frozenset[str]
    """Paths without leading slash."""
    texts: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Text of the files that were asked for and are there."""

    def has_directory(self, path: str) -> bool:
        """Return whether there is a file below a directory; an empty path is the root."""
        prefix = path.strip("/")
        return not prefix or any(name.startswith(f"{prefix}/") for name in self.files)

    def has(self, path: str) -> bool:
        """Return whether there is such a file."""
        return path.strip("/") in self.files


async def look_into(
    repository: str,
    commit: str,
    texts: Iterable[str] = (),
    *,
    timeout_seconds: float = 20,
    environment: Mapping[str, str] | None = None,
) -> SourceTree:
    """Read the tree of a commit.

    A repository on this machine is read where it is. Of one elsewhere one commit is fetched, its files only when they
    are read (partial clone; a host that cannot do that sends them along, up to a limit).

    Args:
        repository: Any URL or path that git understands.
        commit: Full SHA.
        texts: Files whose text is wanted.
        timeout_seconds: Limit for all of it.
        environment: What git is told besides, see `coolify.source.access`.

    Raises:
        GitError: It cannot be read within the limits.
    """
    given = dict(environment or {})
    try:
        async with asyncio.timeout(timeout_seconds):
            local = _local(repository)
            if local is not None:
                return await _read(local, commit, texts, given)
            with tempfile.TemporaryDirectory(prefix="coolify-source-") as folder:
                await _fetch(repository, commit, Path(folder), given)
                return await _read(Path(folder), commit, texts, given)
    except TimeoutError:
        raise GitError(f"The files of commit {commit[:12]} did not come within {timeout_seconds:.0f} s.") from None


async def _fetch(repository: str, commit: str, folder: Path, environment: Mapping[str, str]) -> None:
    async def git(*arguments: str) -> None:
        await run_git(*arguments, cwd=folder, environment=environment, megabytes=_MEGABYTES)

    await git("init", "--quiet", "--bare", ".")
    await git("remote", "add", "origin", repository)
    await git("fetch", "--quiet", "--depth=1", "--filter=blob:none", "--no-tags", "origin", commit)


async def _read(folder: Path, commit: str, texts: Iterable[str], environment: Mapping[str, str]) -> SourceTree:
    listed = await run_git("ls-tree", "-r", "-z", "--name-only", commit, cwd=folder, environment=environment)
    files = frozenset(name for name in listed.split("\0") if name)
    wanted = [name.strip("/") for name in texts if name.strip("/") in files]
    found = {
        name: (await run_git("cat-file", "blob", f"{commit}:{name}", cwd=folder, environment=environment))[:_TEXT_LIMIT]
        for name in wanted
    }
    return SourceTree(commit, files, MappingProxyType(found))


def _local(repository: str) -> Path | None:
    path = unquote(urlsplit(repository).path) if repository.startswith("file://") else repository
    return Path(path) if Path(path).is_dir() else None
