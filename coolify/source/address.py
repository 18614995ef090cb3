"""How a Git repository is written: for git, for Coolify, and for the API of its host."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

__all__ = ["GitAddress", "parse_address"]

_SCP: Final = re.compile(r"(?P<user>[\w.-]+)@(?P<host>[\w.-]+):(?:(?P<port>\d+)/)?(?P<path>[^:]+)")
_SSH_PORT: Final = 22


@dataclass(frozen=True, slots=True)
class GitAddress:
    """Address of a repository, taken apart."""

    text: str
    """As it was written."""
    host: str | None = None
    """None for a directory of this machine."""
    path: str = ""
    """Path at the host; without leading slash where it is relative to the account, as at all Git hosts."""
    user: str = "git"
    port: int | None = None
    """Port where it is not the usual one."""
    is_ssh: bool = False

    @property
    def slug(self) -> str:
        """Owner and name, as in `example/shop`; GitLab may have more than one level of owners."""
        return self.path.strip("/").removesuffix(".git")

    @property
    def name(self) -> str:
        """Host and slug, for people."""
        return f"{self.host}/{self.slug}" if self.host else self.text

    @property
    def git(self) -> str:
        """As git reads it; the port of an ssh address is told to ssh by `ssh_port`."""
        return f"{self.user}@{self.host}:{self.path}" if self.is_ssh else self.text

    @property
    def ssh_port(self) -> int:
        """Port of the ssh server."""
        return self.port or _SSH_PORT

    @property
    def coolify(self) -> str:
        """As Coolify reads it: ssh only as `git@host:path` or `git@host:port/path` (reference 2.1)."""
        port = f"{self.port}/" if self.port else ""
        return f"{self.user}@{self.host}:{port}{self.path}" if self.is_ssh else self.text

    def over_ssh(self) -> GitAddress:
        """Return the address by which a deploy key reads a repository that was written with https."""
        if self.is_ssh or self.host is None:
            return self
        path = f"{self.slug}.git"
        return GitAddress(f"git@{self.host}:{path}", self.host, path, is_ssh=True)


def parse_address(text: str) -> GitAddress:
    """Take an address apart: https, ssh, the short form `git@host:owner/name`, or a directory.

    A number after the colon of the short form is a port, as Coolify takes it, and not an owner.
    """
    if "://" in text:
        parts = urlsplit(text)
        if parts.scheme == "ssh" and parts.hostname:
            port = parts.port if parts.port != _SSH_PORT else None
            # At Git hosts the path of an ssh URL is relative to the account; two slashes say that it is not.
            return GitAddress(text, parts.hostname, parts.path[1:], parts.username or "git", port, is_ssh=True)
        if parts.scheme in {"http", "https", "git"} and parts.hostname:
            return GitAddress(text, parts.hostname, parts.path.lstrip("/"), port=parts.port)
        return GitAddress(text)
    match = _SCP.fullmatch(text)
    if match is None:
        return GitAddress(text)
    port = int(match["port"]) if match["port"] else None
    return GitAddress(text, match["host"], match["path"], match["user"], port, is_ssh=True)
