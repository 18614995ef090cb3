"""Ask a Git remote which commit a branch points at, before a deployment is spent on it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from coolify.errors import OperatorError

__all__ = [
    "GitError",
    "GitMissingError",
    "GitPrivateError",
    "RemoteHead",
    "resolve_commit",
    "resolve_tag",
    "run_git",
    "without_credentials",
]

_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})
_FULL_SHA = re.compile(r"^[0-9a-f]{40}([0-9a-f]{24})?$")


class GitError(OperatorError):
    """The remote could not be read; the message says why and what to do."""


class GitMissingError(GitError):
    """There is no git on this machine."""


class GitPrivateError(GitError):
    """The remote wants credentials, or hides from strangers that it does not exist."""


@dataclass(frozen=True, slots=True)
class RemoteHead:
    """What a branch of a remote points at."""

    branch: str
    commit: str


def without_credentials(url: str) -> str:
    """Return the URL without user and password, fit for logs and messages."""
    parts = urlsplit(url)
    if not parts.hostname or "@" not in parts.netloc or parts.scheme not in {"http", "https"}:
        return url
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, parts.query, parts.fragment))


async def resolve_commit(
    repository: str, branch: str, *, timeout_seconds: float = 30, environment: Mapping[str, str] = _NOTHING
) -> RemoteHead:
    """Return the commit that a branch of a remote repository points at (`git ls-remote`).

    Args:
        repository: Any URL or path that git understands.
        branch: Name without `refs/heads/`.
        timeout_seconds: Limit for the whole conversation.
        environment: What git is told besides, see `coolify.source.access`.

    Raises:
        GitMissingError: There is no git on this machine.
        GitError: The repository cannot be read or has no such branch.
    """
    name = without_credentials(repository)
    reference = f"refs/heads/{branch}"
    output = await _ls_remote(repository, name, ("--heads",), (reference,), timeout_seconds, environment)
    for line in output.splitlines():
        commit, _, found = line.partition("\t")
        if found == reference and _FULL_SHA.match(commit):
            return RemoteHead(branch, commit)
    raise GitError(f"The repository {name} has no branch '{branch}': correct source.branch or push the branch.")


async def resolve_tag(
    repository: str, tag: str, *, timeout_seconds: float = 30, environment: Mapping[str, str] = _NOTHING
) -> str | None:
    """Return the commit that a tag of a remote repository names, None where there is no such tag.

    Args:
        repository: Any URL or path that git understands.
        tag: Name without `refs/tags/`.
        timeout_seconds: Limit for the whole conversation.
        environment: What git is told besides, see `coolify.source.access`.

    Raises:
        GitMissingError: There is no git on this machine.
        GitError: The repository cannot be read.
    """
    name = without_credentials(repository)
    # An annotated tag is an object of its own; with `^{}` stands the commit that it names.
    references = (f"refs/tags/{tag}", f"refs/tags/{tag}^{{}}")
    output = await _ls_remote(repository, name, ("--tags",), references, timeout_seconds, environment)
    found = {reference: commit for commit, _, reference in (line.partition("\t") for line in output.splitlines())}
    return found.get(references[1]) or found.get(references[0])


async def run_git(
    *arguments: str,
    cwd: Path,
    timeout_seconds: float = 60,
    environment: Mapping[str, str] = _NOTHING,
    megabytes: int = 0,
) -> str:
    """Run git in a directory and return what it prints.

    Args:
        arguments: Command and arguments.
        cwd: The directory.
        timeout_seconds: Limit for the whole command.
        environment: What git is told besides, see `coolify.source.access`.
        megabytes: Limit of each file that it writes; none when 0.

    Raises:
        GitMissingError: There is no git on this machine.
        GitError: It failed; the message holds its last words.
    """
    code, stdout, stderr = await _git(
        *arguments,
        cwd=cwd,
        timeout_seconds=timeout_seconds,
        name=arguments[0],
        environment=environment,
        megabytes=megabytes,
    )
    if code:
        raise GitError(f"`git {arguments[0]}` failed: {_reason(stderr, '')}")
    return stdout


async def _ls_remote(
    repository: str,
    name: str,
    kind: tuple[str, ...],
    references: tuple[str, ...],
    timeout_seconds: float,
    environment: Mapping[str, str],
) -> str:
    arguments = ("ls-remote", *kind, "--", repository, *references)
    code, stdout, stderr = await _git(
        *arguments, cwd=None, timeout_seconds=timeout_seconds, name=name, environment=environment
    )
    if code:
        error = GitPrivateError if _is_private(stderr) else GitError
        raise error(f"The repository {name} cannot be read: {_reason(stderr, repository)}")
    return stdout


async def _git(
    *arguments: str,
    cwd: Path | None,
    timeout_seconds: float,
    name: str,
    environment: Mapping[str, str] = _NOTHING,
    megabytes: int = 0,
) -> tuple[int, str, str]:
    """Run git and return its exit code and outputs."""
    if shutil.which("git") is None:
        raise GitMissingError("git was not found on this machine: install it (Debian: apt-get install git).")
    # POSIX counts the limit in blocks of 512 bytes; what git starts inherits it.
    limited = ("sh", "-c", f'ulimit -f {megabytes * 2048}; exec "$@"', "sh") if megabytes else ()
    process = await asyncio.create_subprocess_exec(
        *limited, "git", *arguments,
        cwd=cwd,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        # Never wait for somebody to type a password or to accept a host key.
        env={
            **os.environ,
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_SSH_COMMAND": "ssh -o BatchMode=yes",
            "LC_ALL": "C",
            **environment,
        },
        start_new_session=True,
    )  # fmt: skip
    try:
        async with asyncio.timeout(timeout_seconds):
            stdout, stderr = await process.communicate()
    except TimeoutError:
        raise GitError(
            f"The repository {name} did not answer within {timeout_seconds:.0f} s: check the address and the network."
        ) from None
    finally:
        if process.returncode is None:
            # With everything that it has started: ssh would live on and hold the pipes.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    return process.returncode or 0, stdout.decode(errors="replace"), stderr.decode(errors="replace")


def _is_private(stderr: str) -> bool:
    signs = ("could not read Username", "Permission denied", "Authentication failed", "Repository not found")
    return any(sign in stderr for sign in signs)


def _reason(stderr: str, repository: str) -> str:
    """Return git's own last words in one line, without the credentials of the address."""
    text = stderr.replace(repository, without_credentials(repository)) if repository else stderr
    lines = [line.removeprefix("fatal: ").strip() for line in text.splitlines() if line.strip()]
    fatal = [line.removeprefix("fatal: ") for line in text.splitlines() if line.startswith("fatal: ")]
    reason = (fatal or lines or ["git gave no reason"])[0].rstrip(".")
    if "Host key verification failed" in text:
        return f"{lines[0]}. The host's key is not the known one: find out why before you trust it."
    if _is_private(text):
        return f"{reason}. It is private: use a deploy key (`coolify source connect`), or check the credentials."
    return f"{reason}. Correct source.repository or make it reachable."
