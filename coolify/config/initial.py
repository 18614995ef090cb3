"""The first configuration file of a repository, from what the repository tells."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML

__all__ = ["Initial", "Seen", "initial_text", "look_around"]

_SCP: Final = re.compile(r"^(?:ssh://)?(?:[\w.-]+@)(?P<host>[\w.-]+)(?::(?!\d+/)|(?::\d+)?/)(?P<path>[\w./~-]+)$")
_EXPOSE: Final = re.compile(r"^\s*EXPOSE\s+(\d+)", re.IGNORECASE | re.MULTILINE)
_HEADER: Final = """\
# How this application is released on Coolify. Every key: `coolify project config schema`, or docs/configuration.md.
# Secrets never stand here: write ${NAME} and set the variable where the release runs.
"""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a directory tells about its application."""

    repository: str | None
    branch: str | None
    dockerfile: bool
    port: int | None


@dataclass(frozen=True, slots=True)
class Initial:
    """What the first file says."""

    server: str
    name: str
    repository: str | None
    branch: str
    image: str | None
    dockerfile: bool
    port: int | None
    domains: tuple[str, ...]


def look_around(directory: Path) -> Seen:
    """Read remote, branch, Dockerfile and port of a working copy; whatever is not there is None."""
    remote = _git(directory, "config", "--get", "remote.origin.url")
    dockerfile = directory / "Dockerfile"
    found = _EXPOSE.search(dockerfile.read_text(errors="replace")) if dockerfile.is_file() else None
    return Seen(
        repository=_public_form(remote) if remote else None,
        branch=_git(directory, "symbolic-ref", "--short", "HEAD"),
        dockerfile=dockerfile.is_file(),
        port=int(found[1]) if found else None,
    )


def initial_text(initial: Initial) -> str:
    """Return the text of the file."""
    document: dict[str, Any] = {"server": initial.server, "project": {"name": initial.name}}
    if initial.image is not None:
        name, _, tag = initial.image.rpartition(":")
        has_tag = bool(name) and "/" not in tag
        document["source"] = {"image": name, "tag": tag} if has_tag else {"image": initial.image}
    elif initial.repository is not None:
        document["source"] = {"repository": initial.repository, "branch": initial.branch}
    build = {"pack": "dockerfile"} if initial.dockerfile else {}
    document["build"] = build | ({"port": initial.port} if initial.port else {})
    document["domains"] = [{"primary": host, "ssl": True} for host in initial.domains]
    stream = StringIO()
    yaml = YAML()
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.dump({key: value for key, value in document.items() if value}, stream)
    return _HEADER + stream.getvalue()


def _public_form(remote: str) -> str:
    """Return the https address of a remote that is written for ssh: without a deploy key nothing else can be read."""
    match = _SCP.match(remote)
    return f"https://{match['host']}/{match['path'].lstrip('/')}" if match else remote


def _git(directory: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(  # noqa: S603 - fixed command
            ["git", *arguments],  # noqa: S607 - git of the PATH, as everywhere
            cwd=directory, capture_output=True, text=True, timeout=10, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None if done.returncode == 0 else None
