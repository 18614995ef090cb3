"""Ask a Git remote which commit a branch points at, before a deployment is spent on it."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from coolify.errors import OperatorError

__all__ = ["GitError", "GitMissingError", "RemoteHead", "resolve_commit", "run_git", "without_credentials"]

_FULL_SHA = re.compile(r"^[0-9a-f]{40}([0-9a-f]{24})?$")


class GitError(OperatorError):
    """The remote could not be read; the message says why and what to do."""


class GitMissingError(GitError):
    """There is no git on this machine."""


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


async def resolve_commit(repository: str, branch: str, *, timeout_seconds: float = 30) -> RemoteHead:
    """Return the commit that a branch of a remote repository points at (`git ls-remote`).

    Args:
        repository: Any URL or path that git understands.
        branch: Name without `refs/heads/`.
        timeout_seconds: Limit for the whole conversation.

    Raises:
        GitMissingError: There is no git on this machine.
        GitError: The repository cannot be read or has no such branch.
    """
    name = without_credentials(repository)
    output = await _ls_remote(repository, name, branch, timeout_seconds)
    for line in output.splitlines():
        commit, _, reference = line.partition("\t")
        if reference == f"refs/heads/{branch}" and _FULL_SHA.match(commit):
            return RemoteHead(branch, commit)
    raise GitError(f"The repository {name} has no branch '{branch}': correct source.branch or push the branch.")


async def run_git(*arguments: str, cwd: Path, timeout_seconds: float = 60) -> str:
    """Run git in a directory and return what it prints.

    Raises:
        GitMissingError: There is no git on this machine.
        GitError: It failed; the message holds its last words.
    """
    code, stdout, stderr = await _git(*arguments, cwd=cwd, timeout_seconds=timeout_seconds, name=arguments[0])
    if code:
        raise GitError(f"`git {arguments[0]}` failed: {_reason(stderr, '')}")
    return stdout


async def _ls_remote(repository: str, name: str, branch: str, timeout_seconds: float) -> str:
    arguments = ("ls-remote", "--heads", "--", repository, f"refs/heads/{branch}")
    code, stdout, stderr = await _git(*arguments, cwd=None, timeout_seconds=timeout_seconds, name=name)
    if code:
        raise GitError(f"The repository {name} cannot be read: {_reason(stderr, repository)}")
    return stdout


async def _git(*arguments: str, cwd: Path | None, timeout_seconds: float, name: str) -> tuple[int, str, str]:
    """Run git and return its exit code and outputs."""
    if shutil.which("git") is None:
        raise GitMissingError("git was not found on this machine: install it (Debian: apt-get install git).")
    process = await asyncio.create_subprocess_exec(
        "git", *arguments,
        cwd=cwd,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        # Never wait for somebody to type a password or to accept a host key.
        env={**os.environ, "GIT_TERMINAL_PROMPT": "0", "GIT_SSH_COMMAND": "ssh -o BatchMode=yes", "LC_ALL": "C"},
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
            process.kill()
            await process.wait()
    return process.returncode or 0, stdout.decode(errors="replace"), stderr.decode(errors="replace")


def _reason(stderr: str, repository: str) -> str:
    """Return git's own last words in one line, without the credentials of the address."""
    text = stderr.replace(repository, without_credentials(repository)) if repository else stderr
    lines = [line.removeprefix("fatal: ").strip() for line in text.splitlines() if line.strip()]
    fatal = [line.removeprefix("fatal: ") for line in text.splitlines() if line.startswith("fatal: ")]
    reason = (fatal or lines or ["git gave no reason"])[0].rstrip(".")
    if "could not read Username" in reason or "Permission denied" in text or "Authentication failed" in text:
        return f"{reason}. It is private: use a deploy key (source.private_key), or check the credentials."
    return f"{reason}. Correct source.repository or make it reachable."
